"""Parts of the page Survival about events that exclude each other: incidence, Gray's tests, models."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from analyses.requests.competing import CompetingModels
from dashboard import notices, wording
from dashboard.survival import panels
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.competing.fine_gray import FineGrayResult, FineGrayTerm
from petct.survival.cox.result import CoxResult, CoxTerm


def gray_tests(result: CumulativeIncidenceResult) -> None:
    """Show Gray's tests."""
    if not result.gray_tests:
        st.caption("One group: nothing to compare. Choose a split.")
        return
    rows = [
        (
            test.cause,
            "" if test.chi_squared is None else f"{test.chi_squared:.2f}",
            str(test.df),
            panels.p_cell(test.p),
        )
        for test in result.gray_tests
    ]
    st.markdown(f"**Gray's tests** (n = {result.n})")
    st.dataframe(pd.DataFrame(rows, columns=["Event", "χ²", "df", "p"]), hide_index=True)
    panels.reasons(*(test.p_suppressed for test in result.gray_tests))


def incidence_at(result: CumulativeIncidenceResult, unit: str) -> None:
    """Show the cumulative incidence at the landmarks."""
    last = {curve.group: curve.last_time for curve in result.curves}
    rows = [
        (
            curve.cause,
            panels.group_name(curve.group, result.variable_unit),
            wording.time_text(at.time, unit),
            f"{at.incidence:.1%}" if at.time <= last[curve.group] else "beyond follow-up",
            panels.share_limits(at.lower, at.upper) if at.time <= last[curve.group] else "",
            at.n_at_risk,
        )
        for curve in result.curves
        for at in curve.landmarks
    ]
    columns = ["Event", "Group", f"Time ({unit}s)", "Incidence", f"{result.confidence:.0%} CI", "At risk"]
    st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True)
    st.caption(f"Aalen-Johansen estimate, n = {result.n}.")


def competing_models(models: CompetingModels, event: str) -> None:
    """Show what covariates do to the cumulative incidence of an event, and to the rate of each event."""
    _fitted(f"Cumulative incidence of {event} (Fine-Gray)", models.fine_gray)
    for cause, model in models.hazards:
        _fitted(f"Rate of {cause} among those free of any event (cause-specific Cox)", model)


def _fitted(title: str, model: FineGrayResult | CoxResult | str) -> None:
    if isinstance(model, str):
        st.markdown(f"**{wording.literal_markdown(title)}**")
        st.caption(wording.literal_markdown(model))
        return
    st.markdown(f"**{wording.literal_markdown(title)}** (n = {model.n}, {wording.plural(model.n_events, 'event')})")
    rows = [
        (
            term.covariate,
            term.scale,
            f"{_ratio_of(term):.2f}",
            f"{term.lower:.2f} to {term.upper:.2f}",
            panels.p_cell(term.p),
        )
        for term in model.terms
    ]
    names = ["Covariate", "Compared", "Hazard ratio", f"{model.confidence:.0%} CI", "p"]
    st.dataframe(pd.DataFrame(rows, columns=names), hide_index=True)
    notices.notes(model.notes)


def _ratio_of(term: FineGrayTerm | CoxTerm) -> float:
    return term.subdistribution_hazard_ratio if isinstance(term, FineGrayTerm) else term.hazard_ratio


def incidence_in_words(result: CumulativeIncidenceResult) -> str:
    """Describe the figure of the cumulative incidence for those who cannot see it."""
    unit = result.variable_unit
    curves = "; ".join(
        f"{curve.cause}, {panels.group_name(curve.group, unit)}: {curve.n_events} of {curve.n}, in the end "
        f"{curve.incidence[-1] if curve.incidence else 0:.0%}"
        for curve in result.curves
    )
    return f"Cumulative incidence with numbers at risk. {curves}."
