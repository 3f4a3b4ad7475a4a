"""Parts of the page Cox: tables and sentences, each with its n and units."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from analyses.tables import models
from analyses.tables.table import p_cell
from dashboard import wording
from dashboard.panels import result_table
from petct.survival.cohort.results import NORMAL_QUANTILE, p_or_withheld
from petct.survival.cox.result import CoxResult
from petct.survival.cox_repeated.forest_table import ForestTable
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.subgroups import SubgroupTable
from petct.survival.cox_repeated.validation import CoxValidation


def model_numbers(result: CoxResult) -> None:
    """Show size and fit of a model."""
    places = st.columns(5)
    places[0].metric("Patients", result.n, help=f"{result.n_missing} left out for something missing.")
    places[1].metric("Events", result.n_events)
    places[2].metric("Events per parameter", f"{result.events_per_parameter:.1f}", help="At least 5; 10 are advisable.")
    reach = NORMAL_QUANTILE * result.concordance_standard_error
    lower, upper = max(result.concordance - reach, 0.0), min(result.concordance + reach, 1.0)
    _with_limits(
        places[3],
        "Concordance",
        f"{result.concordance:.2f}",
        f"{lower:.2f} to {upper:.2f}",
        help=f"Harrell's C, standard error {result.concordance_standard_error:.3f}; in the patients of the fit, so "
        "it is optimistic for new ones: the view Calibration corrects it.",
    )
    test = result.overall
    places[4].metric(
        "All covariates",
        p_or_withheld(test.p),
        help=test.p_suppressed.message if test.p_suppressed else f"{test.test}, {test.df} df",
    )


def _with_limits(place: DeltaGenerator, label: str, value: str, limits: str, *, help: str) -> None:
    """Show a number with its limits under it."""
    place.metric(label, value, limits, delta_color="off", delta_arrow="off", delta_description="95% CI", help=help)


def coefficients(result: CoxResult) -> None:
    """Show hazard ratios with intervals and p-values, and what would have been seen beside those that are null."""
    detectable = st.column_config.TextColumn(
        help="Beside a hazard ratio without evidence: the one that was detectable with 80 % power."
    )
    result_table(models.coefficients(result), column_config={"Detectable": detectable})
    penalty = f"; {result.penalty}" if result.penalty else ""
    errors = "" if result.standard_errors == "model" else f"; standard errors: {result.standard_errors}"
    st.caption(
        f"n = {result.n}, {result.n_events} events; ties by Efron, AIC {result.aic:.1f}{penalty}{errors}; p: "
        f"{result.overall.test}."
    )
    if result.tests:
        st.markdown("**Covariates with several coefficients**")
        result_table(models.joint_tests(result.tests))


def alone_and_together(table: ForestTable) -> None:
    """Show each covariate alone and with the others."""
    result_table(models.alone_and_together(table))
    reasons = dict.fromkeys(row.withheld.message for row in table.rows if row.withheld is not None)
    for reason in reasons:
        st.caption(wording.literal_markdown(reason))
    st.caption(f"Both of the same {table.n} patients, {table.n_events} events.")


def proportional_hazards(result: CoxResult) -> None:
    """Show the score tests of the assumption."""
    test = result.proportional_hazards
    rows = [
        (name, f"{term.chi_squared:.2f}", str(term.df), p_cell(term.p))
        for name, term in (*((term.covariate, term) for term in test.terms), ("All together", test.global_test))
    ]
    st.markdown(f"**Proportional hazards** (n = {result.n}, {result.n_events} events)")
    st.dataframe(pd.DataFrame(rows, columns=["Covariate", "χ²", "df", "p"]), hide_index=True)
    st.caption(
        f"Score tests with the {test.transform} transform of time (statistic of cox.zph in R, p from the F "
        "distribution). A small p says that the hazard ratio changes with time."
    )


def comparison(result: ModelComparison) -> None:
    """Show what covariates add to a base."""
    places = st.columns(4)
    test = result.test
    places[0].metric(
        "Added to the base",
        p_or_withheld(test.p),
        help=test.p_suppressed.message if test.p_suppressed else f"{test.test}, {test.df} df",
    )
    places[1].metric(
        "Likelihood ratio χ²",
        f"{result.lr_chi_squared:.2f}",
        help=f"{result.lr_df} df; twice the difference of the log partial likelihoods.",
    )
    _with_limits(
        places[2],
        "Change of concordance",
        f"{result.concordance_change:+.3f}",
        f"{result.change_lower:+.3f} to {result.change_upper:+.3f}",
        help=f"Harrell's C, {result.confidence:.0%} interval; both in the patients of the fit.",
    )
    places[3].metric("Change of AIC", f"{result.aic_full - result.aic_base:+.1f}", help="Below 0: the addition pays.")
    result_table(models.both_models(result))
    st.caption(f"Both models of the same {result.n} patients, {result.n_events} events.")


def subgroups(table: SubgroupTable) -> None:
    """Show the interactions, and why a subgroup has no estimate."""
    st.markdown(f"**Interactions** (n = {table.n}; {wording.plural(table.n_interaction_tests, 'test')})")
    result_table(models.subgroups(table))
    for variable in table.variables:
        withheld = [(variable.variable, variable.interaction.p_suppressed)]
        withheld += [(f"{variable.variable} {group.level}", group.withheld) for group in variable.subgroups]
        for subject, reason in withheld:
            if reason is not None:
                st.caption(wording.literal_markdown(f"{subject}: {reason.message}"))


def corrected_numbers(result: CoxValidation, unit: str) -> None:
    """Show the corrected concordance and slope, and how often the event happened."""
    c, slope = result.concordance, result.slope
    places = st.columns(3)
    _with_limits(
        places[0],
        "Corrected concordance",
        f"{c.value:.2f}",
        f"{result.lower:.2f} to {result.upper:.2f}",
        help=f"In the patients of the fit {c.apparent:.3f}, of which {c.optimism:.3f} is optimism.",
    )
    places[1].metric(
        "Calibration slope",
        "none" if slope is None else f"{slope.value:.2f}",
        help="By which the log hazard ratios fit new patients better: below 1 the model is overfitted.",
    )
    places[2].metric(
        f"Event by {wording.time_text(result.time, unit)} {unit}s",
        f"{result.observed:.0%}",
        help=f"Kaplan-Meier; the model predicts {result.predicted:.1%} on average.",
    )


def risk_groups(result: CoxValidation) -> None:
    """Show the groups of the calibration."""
    result_table(models.risk_groups(result))
    st.caption(
        f"n = {result.n}, {result.n_events} events; {result.n_resamples} resamples, seed {result.seed}. Corrected: "
        "what would be observed in new patients with these predictions."
    )


def model_in_words(result: CoxResult) -> str:
    """Describe the forest figure for those who cannot see it."""
    terms = "; ".join(
        f"{term.label}: {term.hazard_ratio:.2f} ({term.lower:.2f} to {term.upper:.2f})" for term in result.terms
    )
    return f"Forest plot of hazard ratios with confidence intervals. {terms}."


def subgroups_in_words(table: SubgroupTable) -> str:
    """Describe the forest figure of subgroups for those who cannot see it."""
    groups = "; ".join(
        f"{variable.variable} {group.level}: "
        + (
            "not estimated"
            if group.hazard_ratio is None
            else f"{group.hazard_ratio:.2f} ({group.lower:.2f} to {group.upper:.2f})"
        )
        for variable in table.variables
        for group in variable.subgroups
    )
    return f"Forest plot of the hazard ratio of {table.effect.label} in subgroups. {groups}."
