"""One feature on the page Features: its survival split, its values by outcome, and against tumour volume."""

from __future__ import annotations

import math

import streamlit as st

from analyses.requests.answer import Answer
from analyses.requests.kaplan_meier import KaplanMeierRequest
from dashboard import charts, notices, takeaway, wording
from dashboard.access import ledger
from dashboard.answers import answered
from dashboard.data import Source
from dashboard.features import analysis
from dashboard.features.analysis import FamilyValues
from dashboard.survival import panels
from figures.feature_values import against_volume_figure, distribution_figure
from figures.survival_curves import kaplan_meier_figure
from petct.survival.cohort.results import p_text
from petct.survival.features.scan_result import ScanRow
from petct.survival.kaplan_meier.result import KaplanMeierResult
from warehouse.queries.analysis_columns import FeatureFamily
from warehouse.queries.feature_queries import FeatureReliability

_OUTCOMES = {1: "event", 0: "censored", 2: "competing event"}


def one_feature(source: Source, endpoint: str, family: FeatureFamily, row: ScanRow, name: str, n_tested: int) -> None:
    """Show a feature, called ``name``, that was chosen after looking at ``n_tested``; its split is counted, too."""
    known = analysis.reliability(source, family).get(row.name)
    rho = analysis.volume_correlations(source, endpoint, family).get(row.name)
    heading = st.container(horizontal=True, vertical_alignment="center")
    heading.markdown(f"**{wording.literal_markdown(name)}**", width="content")
    st.caption(wording.literal_markdown(facts(row, known, rho)))
    left, right = st.columns([3, 2], gap="medium")
    with left, notices.refusals_as_sentences():
        found = answered(source, KaplanMeierRequest(row.name, endpoint=endpoint))
        with heading:
            notices.standing(found.declared)
        _split(source, found, n_tested)
    with right:
        values = analysis.family_values(source, endpoint, family)
        label = f"{name} [{row.unit}]" if row.unit else name
        _by_outcome(values, row.name, label)
        _against_volume(values, row.name, label, rho)


def _split(source: Source, found: Answer, n_tested: int) -> None:
    result = found.result_as(KaplanMeierResult)
    st.markdown(f"**Median split** (n = {result.n}), chosen after looking at {wording.plural(n_tested, 'feature')}")
    charts.draw(
        kaplan_meier_figure(result, axis_unit="month"),
        key="feature_survival",
        alt=panels.curves_in_words(result, "month"),
    )
    takeaway.offer(source, found, key="feature_survival")
    panels.log_rank(result)
    ledger.enter(source, found)


def _by_outcome(family: FamilyValues, name: str, label: str) -> None:
    groups = by_outcome(family, name)
    st.markdown(f"**By outcome** (n = {sum(len(patients) for patients, _ in groups.values())})")
    charts.draw(
        distribution_figure(groups, label),
        key="feature_distribution",
        of_patients=True,
        alt=f"{label} by outcome: "
        + ", ".join(f"{words} n = {len(patients)}" for words, (patients, _) in groups.items()),
    )
    st.caption("A picture, not a test: who is censored early had less time for the event.")


def by_outcome(family: FamilyValues, name: str) -> dict[str, tuple[list[str], list[float]]]:
    """Return the patients and their values of a feature by what became of them."""
    values = family.feature(name)
    groups = {}
    for code, words in _OUTCOMES.items():
        there = [i for i, value in enumerate(values) if family.event[i] == code and not math.isnan(value)]
        if there:
            groups[words] = ([family.patient_ids[i] for i in there], [float(values[i]) for i in there])
    return groups


def _against_volume(family: FamilyValues, name: str, label: str, rho: float | None) -> None:
    if rho is None:
        return
    values, volume = family.feature(name), family.volume_ml
    both = [i for i in range(len(values)) if not math.isnan(values[i]) and not math.isnan(volume[i])]
    st.markdown(f"**Against volume** (n = {len(both)}, rho = {rho:.2f})")
    charts.draw(
        against_volume_figure(
            [family.patient_ids[i] for i in both],
            [float(volume[i]) for i in both],
            [float(values[i]) for i in both],
            label,
        ),
        key="feature_against_volume",
        of_patients=True,
        alt=f"{label} against tumour volume in {len(both)} patients, Spearman's rho {rho:.2f}.",
    )


def facts(row: ScanRow, known: FeatureReliability | None, rho: float | None) -> str:
    """Return what is known of a feature as a sentence, corrected values first."""
    parts = [p_text(row.q).replace("p", "q", 1), f"family-wise {p_text(row.p_familywise)}"]
    ratio = row.hazard_ratio
    if ratio:
        parts.append(f"hazard ratio {ratio.value:.2f} ({ratio.lower:.2f} to {ratio.upper:.2f}) {ratio.scale}")
    elif row.reason:
        parts.append(f"no hazard ratio: {row.reason.message}")
    if rho is not None:
        parts.append(f"rho with tumour volume {rho:.2f}")
    if known is not None:
        if known.icc is not None and known.icc_lower is not None:
            parts.append(
                f"ICC {known.icc:.2f}, lower bound {known.icc_lower:.2f} ({known.source}, {known.n_targets} targets)"
            )
        if known.ibsi_id:
            parts.append(f"IBSI {known.ibsi_id}{f' {known.ibsi_name}' if known.ibsi_name else ''}")
    return f"{'; '.join(parts)}."
