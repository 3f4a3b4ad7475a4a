"""What was found, in the sentences of a paper."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from analyses.requests.answer import Answer
from petct.survival.cohort.results import p_or_withheld, p_text
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.cox.result import CoxResult, CoxTerm
from petct.survival.cox_repeated.forest_table import ForestTable
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.pooled import PooledCoxResult, PooledTerm
from petct.survival.cox_repeated.protocol_sensitivity import ProtocolSensitivity
from petct.survival.cox_repeated.subgroups import SubgroupTable
from petct.survival.cox_repeated.validation import CoxValidation
from petct.survival.features.pca import PcaResult
from petct.survival.features.scan_result import ScanResult
from petct.survival.kaplan_meier.result import KaplanMeierResult, MedianTime
from petct.survival.with_lifelines.aft_result import TITLES, AftResult

_DAYS_A_MONTH = 365.25 / 12
_STRONGEST = 3


def results_sentences(answer: Answer, labels: Mapping[str, str]) -> list[str]:
    """Say what was found, and what a reader of the numbers has to know."""
    if isinstance(answer.result, ProtocolSensitivity):
        return _protocol_ratios(answer)
    return [*_found(answer, labels), *(_labelled(note, labels) for note in answer.result.notes)]


def _found(answer: Answer, labels: Mapping[str, str]) -> list[str]:
    result = answer.result
    if isinstance(result, KaplanMeierResult):
        return [*_medians(result, labels), *(answer.cut_point.notes if answer.cut_point else ())]
    if isinstance(result, CumulativeIncidenceResult):
        return [f"Gray's test of {test.cause}: {p_or_withheld(test.p)}." for test in result.gray_tests]
    if isinstance(result, PcaResult):
        shares = ", ".join(f"{c.name} {c.explained_variance_ratio:.1%}" for c in result.components[:_STRONGEST])
        model = answer.model
        return [f"Share of variance: {shares}.", *((*_ratios(model.terms, labels), *model.notes) if model else ())]
    if isinstance(result, ScanResult):
        return _strongest(result, labels)
    if isinstance(result, AftResult):
        return _time_ratios(result, labels)
    return _of_hazards(answer, labels)


def _of_hazards(answer: Answer, labels: Mapping[str, str]) -> list[str]:
    result = answer.result
    if isinstance(result, SubgroupTable):
        tests = [(labels.get(v.variable, v.variable), v.interaction.p) for v in result.variables]
        return [
            *_ratios([result.effect], labels),
            *(f"Interaction with {name}: {p_or_withheld(p)}." for name, p in tests),
        ]
    if isinstance(result, ForestTable):
        return _ratios(result.model.terms, labels)
    if isinstance(result, ModelComparison):
        return [
            f"Added covariates: {p_or_withheld(result.test.p)}; concordance "
            f"{result.concordance_base:.2f} without and {result.concordance_full:.2f} with them (difference "
            f"{result.concordance_change:.3f}, {result.change_lower:.3f} to {result.change_upper:.3f})."
        ]
    if isinstance(result, CoxResult | PooledCoxResult):
        validation = answer.validation
        return [*_ratios(result.terms, labels), *([_corrected(validation)] if validation else ())]
    raise TypeError(f"petlake {answer.request.command} gave a {type(result).__name__}")


def _labelled(note: str, labels: Mapping[str, str]) -> str:
    for name, label in labels.items():
        # Whole names only: age is also in average.
        note = re.sub(rf"\b{re.escape(name)}\b", label.replace("\\", r"\\"), note)
    return note.replace("<=", "≤").replace(">=", "≥")


def _corrected(validation: CoxValidation) -> str:
    concordance = validation.concordance
    slope = "" if validation.slope is None else f"; calibration slope {validation.slope.value:.2f}"
    return (
        f"Concordance {concordance.apparent:.2f} in the patients of the fit, {concordance.value:.2f} "
        f"({validation.lower:.2f} to {validation.upper:.2f}) corrected for optimism{slope}."
    )


def _protocol_ratios(answer: Answer) -> list[str]:
    hazards = answer.hazards
    if hazards is None:
        return []
    found = []
    for row in hazards.rows:
        if row.hazard_ratio is not None:
            p = p_or_withheld(row.p)
            limits = f"({row.lower:.2f} to {row.upper:.2f})"
            found.append(f"{answer.protocol_name(row.protocol)}: hazard ratio {row.hazard_ratio:.2f} {limits}, {p}.")
    return [*found, *hazards.notes]


def _time_ratios(result: AftResult, labels: Mapping[str, str]) -> list[str]:
    """The time ratios of the distribution with the smallest AIC."""
    model = result.models[0]
    p_of = {test.covariate: p_or_withheld(test.p) for test in model.tests}
    return [
        f"{labels.get(term.covariate, term.covariate)}: time ratio {term.time_ratio:.2f} ({term.lower:.2f} to "
        f"{term.upper:.2f}) {term.scale} ({TITLES[model.distribution]} model), {p_of[term.covariate]}."
        for term in model.terms
    ]


def _strongest(result: ScanResult, labels: Mapping[str, str]) -> list[str]:
    found = [f"The best of {result.n_tested} as good as this on noise: {p_text(result.p_best)}."]
    for row in result.rows[:_STRONGEST]:
        if row.hazard_ratio is not None:
            ratio = row.hazard_ratio
            name = labels.get(row.name, row.name)
            found.append(
                f"{name}: hazard ratio {ratio.value:.2f} ({ratio.lower:.2f} to {ratio.upper:.2f}) {ratio.scale}, "
                f"q = {row.q:.3f}."
            )
    return found


def _medians(result: KaplanMeierResult, labels: Mapping[str, str]) -> list[str]:
    unit = f" {result.variable_unit}" if result.variable_unit else ""
    scale, word = (_DAYS_A_MONTH, "months") if result.unit == "day" else (1.0, f"{result.unit}s")

    def span(median: MedianTime) -> str:
        if median.value is None:
            return "not reached"
        limits = ["not reached" if x is None else f"{x / scale:.1f}" for x in (median.lower, median.upper)]
        return f"{median.value / scale:.1f} ({limits[0]} to {limits[1]})"

    of = "" if result.variable is None else f" with {labels.get(result.variable, result.variable)} "
    groups = "; ".join(
        f"{span(c.median)}{f'{of}{c.group}{unit}'.replace('<=', '≤') if of else ''} (n = {c.n}, {c.n_events} events)"
        for c in result.curves
    )
    # Of the tests the notes of the result tell.
    return [
        f"Median survival in {word} ({result.confidence:.0%} CI): {groups}; median follow-up {span(result.follow_up)}."
    ]


def _ratios(terms: Sequence[CoxTerm | PooledTerm], labels: Mapping[str, str]) -> list[str]:
    return [
        f"{labels.get(term.covariate, term.covariate)}, {term.scale}: hazard ratio {term.hazard_ratio:.2f} "
        f"({term.lower:.2f} to {term.upper:.2f}), {p_or_withheld(term.p)}."
        for term in terms
    ]
