"""Parts of the page Survival: tables and sentences, each with its n and units."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analyses.tables import curves
from dashboard import wording
from dashboard.panels import result_table, widths
from petct.survival.cohort.groups import number_text
from petct.survival.cohort.results import SIGNIFICANCE_LEVEL, Suppressed, p_or_withheld, p_text
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.result import KaplanMeierResult

NO_UNCORRECTED_P = (
    "The ordinary p-value of the best cut is not shown: it is below 0.05 in about 40 % of cohorts without any effect, "
    "because the cut was chosen to make it small. The p-values here are those of the whole search."
)
"""Why a searched cut has no ordinary p-value."""


def group_table(result: KaplanMeierResult, unit: str) -> None:
    """Show each group with n, events, median survival and median follow-up."""
    st.markdown(f"**Groups** (n = {result.n})")
    result_table(curves.groups(result, unit), column_config=widths(n=50, Events=65) | widths(Group=120))
    st.caption("Median survival, and median follow-up by reverse Kaplan-Meier; log-log intervals.")


def log_rank(result: KaplanMeierResult) -> None:
    """Show the log-rank test or the reason why its p-value is withheld, and what could have been detected."""
    test = result.log_rank
    st.markdown("**Log-rank test**")
    if test is None:
        st.caption("One group: nothing to compare. Choose a split.")
        return
    statistic = "" if test.chi_squared is None else f"χ² = {test.chi_squared:.2f}, {test.df} df"
    if test.p is not None:
        st.metric("Log-rank p", p_text(test.p), label_visibility="collapsed")
        st.caption(f"{statistic}, n = {result.n}; two-sided, not corrected for other splits.")
    elif test.p_suppressed is not None:
        st.markdown("p withheld", help=test.p_suppressed.message)
        if statistic:
            st.caption(f"{statistic}, n = {result.n}")
    _detectable(result, prominent=test.p is None or test.p >= SIGNIFICANCE_LEVEL)


def _detectable(result: KaplanMeierResult, *, prominent: bool) -> None:
    ratio = result.minimum_detectable_hazard_ratio
    if ratio is None:
        return
    text = f"Smallest detectable hazard ratio: **{ratio:.2f}**"
    meaning = (
        f"With {result.n_events} events in groups of these sizes, at 80 % power and a two-sided level of 5 %. Smaller "
        "effects would probably go unseen."
    )
    st.markdown(text if prominent else f":gray[{text}]", help=meaning)


def searched_cut(cut: CutPointResult) -> None:
    """Show the p-value of the search for a cut, in the place of the log-rank test."""
    st.markdown("**Search for the cut**")
    if cut.permutation is None:
        st.markdown("p withheld", help=cut.p_suppressed.message if cut.p_suppressed else None)
    else:
        st.metric("Corrected p", p_text(cut.permutation.p), label_visibility="collapsed")
        st.caption(
            f"Maximally selected log-rank statistic {cut.statistic:.2f}, n = {cut.n}; corrected for the search over "
            f"{wording.plural(len(cut.cuts), 'cut')} by {cut.permutation.n_permutations:,} permutations (seed "
            f"{cut.permutation.seed})."
        )
    st.caption(NO_UNCORRECTED_P)


def statement(cut: CutPointResult | None) -> str | None:
    """Return what stands on the curves at a searched cut; None where the log-rank test says it."""
    if cut is None:
        return None
    if cut.permutation is None:
        return "" if cut.p_suppressed is None else cut.p_suppressed.message
    return f"best cut, {p_text(cut.permutation.p)} corrected for the search"


def cut_numbers(cut: CutPointResult) -> None:
    """Show the cut, its corrected p-values and its stability."""
    unit = f" {cut.variable_unit}" if cut.variable_unit else ""
    places = st.columns(4)
    places[0].metric(
        "Best cut",
        f"{number_text(cut.cut)}{unit}",
        help=f"Of {len(cut.cuts)} cuts that leave {cut.smallest_fraction:.0%} to {cut.largest_fraction:.0%} of the "
        f"patients below: {cut.n_below} and {cut.n_above} of {cut.n} patients.",
    )
    permutation = "p withheld" if cut.permutation is None else p_text(cut.permutation.p)
    places[1].metric(
        "Corrected, permutation",
        permutation,
        help=cut.p_suppressed.message
        if cut.p_suppressed
        else "Exact: the whole search was repeated with shuffled outcomes.",
    )
    for place, name, p in (
        (places[2], "1992", cut.p_lausen_1992),
        (places[3], "1994", cut.p_lausen_1994),
    ):
        place.metric(
            f"Corrected, Lausen {name}",
            p_or_withheld(p),
            help=f"Approximation of Lausen and Schumacher, {name}: conservative in small cohorts.",
        )
    st.caption(NO_UNCORRECTED_P)


def tests(result: KaplanMeierResult) -> None:
    """Show the tests of the groups beside each other, the observed and expected events, and the pairs."""
    if result.log_rank is None:
        st.caption("One group: nothing to compare. Choose a split.")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(f"**Tests** (n = {result.n}, {wording.plural(result.n_events, 'event')})")
        result_table(curves.tests(result))
        reasons(*(test.p_suppressed for test in (result.log_rank, *result.weighted_tests)))
    with right:
        st.markdown("**Observed and expected events**")
        st.dataframe(
            pd.DataFrame(
                [
                    (curves.group_name(g.group, result.variable_unit), g.n, f"{g.observed:g}", f"{g.expected:.1f}")
                    for g in result.log_rank.groups
                ],
                columns=["Group", "n", "Events", "Expected"],
            ),
            hide_index=True,
        )
    if result.pairwise:
        st.markdown(f"**Pairwise comparisons**, corrected by {curves.CORRECTIONS[result.correction]}")
        result_table(curves.pairs(result))
        reasons(*(test.p_suppressed for test in result.pairwise))


def reasons(*suppressed: Suppressed | None) -> None:
    """Say why p-values of the table above are withheld."""
    for message in dict.fromkeys(reason.message for reason in suppressed if reason is not None):
        st.caption(wording.literal_markdown(message.replace("<=", "≤")))


def survival_at(result: KaplanMeierResult, unit: str) -> None:
    """Show S(t) of each group at the landmarks."""
    result_table(curves.survival_at(result, unit))
    st.caption(f"Kaplan-Meier estimate with log-log intervals, n = {result.n}, {result.n_events} events.")


def restricted_means(result: KaplanMeierResult, unit: str) -> None:
    """Show the restricted mean of each group."""
    found = result.restricted_mean
    if found is None:
        st.caption("Nobody was followed long enough for a restricted mean.")
        return
    st.markdown(f"**Mean time to {wording.time_text(found.tau, unit)} {unit}s** (n = {result.n})")
    result_table(curves.restricted_means(result, found, unit))


def mean_differences(result: KaplanMeierResult, unit: str) -> None:
    """Show how restricted means differ from that of the first group."""
    found = result.restricted_mean
    if found is None:
        return
    if not found.contrasts:
        if len(found.groups) > 1:
            st.caption("No difference is given: the groups were chosen by looking at the outcome.")
        return
    result_table(curves.mean_differences(result, found, unit))
    reasons(*(contrast.p_suppressed for contrast in found.contrasts))


def curves_in_words(result: KaplanMeierResult, unit: str) -> str:
    """Describe the survival figure for those who cannot see it."""
    groups = "; ".join(
        f"{curves.group_name(curve.group, result.variable_unit)}: n = {curve.n}, {curve.n_events} events, "
        f"median {wording.median_text(curve.median, unit)} {unit}s"
        for curve in result.curves
    )
    return f"Kaplan-Meier curves with numbers at risk. {groups}."


def means_in_words(result: KaplanMeierResult, unit: str) -> str:
    """Describe the figure of the restricted means for those who cannot see it."""
    found = result.restricted_mean
    groups = () if found is None else found.groups
    said: Sequence[str] = [
        f"{curves.group_name(mean.group, result.variable_unit)}: {wording.time_text(mean.mean, unit)} {unit}s"
        for mean in groups
    ]
    return f"Kaplan-Meier curves up to the horizon; mean time: {'; '.join(said)}."
