"""Parts of the page Features that show a whole family: volcano plot, volume confounding, table, correlations."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import charts, data, panels, wording
from dashboard.data import Source
from dashboard.features.analysis import Correlations
from dashboard.features.choices import FEATURE_KEY, Trust
from figures.feature_scan import confounding_figure, volcano_figure
from figures.feature_values import correlation_figure
from petct.survival.cohort.results import p_text
from petct.survival.features.scan_result import HazardRatio, ScanResult, ScanRow
from warehouse.queries.analysis_columns import FeatureFamily
from warehouse.queries.feature_queries import FeatureReliability

VOLCANO_KEY = "volcano"


def trusted(
    result: ScanResult, known: dict[str, FeatureReliability], rho: dict[str, float], trust: Trust
) -> tuple[ScanRow, ...]:
    """Return the tested features that a filter lets through, the strongest first."""
    return tuple(
        row
        for row in result.rows
        if (trust.least_icc <= 0 or _at_least(_lower(known, row.name), trust.least_icc))
        and (trust.most_rho >= 1 or abs(rho.get(row.name, 2.0)) <= trust.most_rho)
    )


def choose_by_click() -> None:
    """Make the clicked point of the volcano plot the chosen feature (a callback)."""
    points = st.session_state[VOLCANO_KEY].selection.points
    if points:
        st.session_state[FEATURE_KEY] = panels.text_of(points[0].get("customdata"))


def scan_table(
    rows: tuple[ScanRow, ...],
    result: ScanResult,
    labels: dict[str, str],
    known: dict[str, FeatureReliability],
    rho: dict[str, float],
) -> None:
    """Show the features, corrected values first."""
    lines = []
    for row in rows:
        line: dict[str, object] = {
            "Feature": labels[row.name],
            "q": row.q,
            "Family-wise p": row.p_familywise,
            "HR per SD": row.hazard_ratio.value if row.hazard_ratio else None,
            f"{result.confidence:.0%} CI": _limits(row.hazard_ratio),
            "Uncorrected p": row.p,
            "n": row.n,
        }
        if known:
            line["ICC, lower bound"] = _lower(known, row.name)
        line["rho with volume"] = rho.get(row.name)
        if result.adjusted_for:
            effect = row.adjusted
            line |= {
                "Adjusted q": effect.q if effect else None,
                "Adjusted HR": effect.hazard_ratio.value if effect and effect.hazard_ratio else None,
                "Adjusted CI": _limits(effect.hazard_ratio) if effect else "",
            }
        lines.append(line)
    p = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(lines),
        hide_index=True,
        height=panels.height_of(len(lines)),
        column_config={
            "Feature": st.column_config.TextColumn(width=260, pinned=True),
            "q": p(format="%.3f", help="Benjamini-Hochberg over all features that were tested, also those not shown."),
            "Family-wise p": p(
                format="%.3f",
                help="Step-down maximum of Westfall and Young: on noise any of at most 0.05 occurs in 5 % of cohorts.",
            ),
            "HR per SD": p(format="%.2f", help="From a Cox model of this feature alone."),
            "Uncorrected p": p(format="%.4f", help="By permutation; not corrected for the other features."),
            "Adjusted q": p(format="%.3f", help=f"Beside {', '.join(result.adjusted_for)}; permutation of residuals."),
            "Adjusted HR": p(format="%.2f"),
            "ICC, lower bound": p(
                format="%.2f",
                help="Of the 95 % interval; the smallest over the study's kinds of repeated measurements.",
            ),
            "rho with volume": p(format="%.2f", help="Spearman's correlation with tumour volume in these patients."),
        },
    )


def volcano(result: ScanResult, rows: tuple[ScanRow, ...], labels: dict[str, str], chosen: str | None) -> None:
    """Show hazard ratio and p of each feature; a click chooses one."""
    st.markdown(f"**Hazard ratio and p** (n = {result.n}, {wording.plural(len(rows), 'feature')})")
    charts.draw(
        volcano_figure(result, labels, shown={row.name for row in rows}, chosen=chosen),
        key=VOLCANO_KEY,
        on_select=choose_by_click,
        selection_mode=["points"],
        alt=f"Volcano plot: hazard ratio per SD against p of {len(rows)} features. {result.verdict}",
    )
    if without := sum(row.hazard_ratio is None for row in rows):
        st.caption(f"{wording.plural(without, 'feature')} without a hazard ratio not drawn; the table has their p.")


def confounding(
    result: ScanResult,
    rows: tuple[ScanRow, ...],
    rho: dict[str, float],
    labels: dict[str, str],
    trust: Trust,
    chosen: str | None,
) -> None:
    """Show each feature's correlation with tumour volume against its p."""
    st.markdown(f"**Volume confounding** (n = {result.n})")
    found = {row.name: rho[row.name] for row in rows if row.name in rho}
    if not found:
        st.caption("No tumour volume in these patients: nothing to correlate with.")
        return
    charts.draw(
        confounding_figure(result, found, labels, limit=trust.most_rho, chosen=chosen),
        key="confounding",
        alt=f"Spearman correlation with tumour volume against p of {len(found)} features; the table has the numbers.",
    )


def heat_map(matrix: Correlations, labels: dict[str, str]) -> None:
    """Show the correlations of features with each other."""
    if len(matrix.names) < 2:
        st.caption("Fewer than two features, or fewer than three patients who have all of them.")
        return
    st.markdown(f"**Spearman's rho of {len(matrix.names)} features** (n = {matrix.n} with all of them)")
    charts.draw(
        correlation_figure(matrix.rho, [labels[each] for each in matrix.names]),
        key="feature_correlations",
        alt=f"Heat map of the correlations of {len(matrix.names)} features, similar ones side by side.",
    )
    st.caption("Similar features stand side by side (average linkage on 1 − |rho|).")


def scan_numbers(result: ScanResult) -> None:
    """Show how many features are significant, what noise gives, and what could have been seen."""
    places = st.columns(4)
    places[0].metric(
        "Significant after correction",
        f"{len(result.discoveries)} of {result.n_tested}",
        help=f"q of at most 0.05 (Benjamini-Hochberg); family-wise: {len(result.found)}.",
    )
    places[1].metric(
        "Probability that the best is chance",
        p_text(result.p_best),
        help=f"Probability that the best of {result.n_tested} would look as good as it does if none mattered.",
    )
    places[2].metric(
        "p < 0.05 before correction",
        str(result.n_found_uncorrected),
        help=f"Noise alone is expected to give {result.n_expected_uncorrected:.1f}.",
    )
    places[3].metric(
        "Detectable hazard ratio",
        f"{result.minimum_detectable_hazard_ratio:.2f} per SD",
        help=f"What {result.n_events} events detect with 80 % power after correction; its reciprocal likewise.",
    )


def notes_in_words(source: Source, family: FeatureFamily, result: ScanResult) -> list[str]:
    """Return the notes of a scan with the names that the page has for features and covariates."""
    names = wording.labels([column for column in data.analysis_columns(source) if column.name in result.adjusted_for])
    notes = [note.replace(f"{family.name}:", "") for note in result.notes]
    for name, label in names.items():
        notes = [note.replace(name, label) for note in notes]
    return notes


def not_tested(result: ScanResult, labels: dict[str, str]) -> None:
    """List the features that were not tested, each with its reason."""
    if result.untested:
        with st.expander(f"{wording.plural(len(result.untested), 'feature')} not tested"):
            rows = [(labels[each.name], each.message.replace(each.name, labels[each.name])) for each in result.untested]
            st.dataframe(pd.DataFrame(rows, columns=["Feature", "Reason"]), hide_index=True)


def _lower(known: dict[str, FeatureReliability], name: str) -> float | None:
    found = known.get(name)
    return None if found is None else found.icc_lower


def _at_least(found: float | None, least: float) -> bool:
    return found is not None and found >= least


def _limits(ratio: HazardRatio | None) -> str:
    return "" if ratio is None else f"{ratio.lower:.2f} to {ratio.upper:.2f}"
