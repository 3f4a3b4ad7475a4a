"""The rows of a forest plot, on screen and in print: models, covariates alone and together, subgroups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from petct.survival.cohort.results import p_or_withheld
from petct.survival.cox.result import CoxResult, CoxTerm
from petct.survival.cox_repeated.forest_table import ForestTable
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.pooled import PooledCoxResult, PooledTerm
from petct.survival.cox_repeated.protocol_sensitivity import HazardSensitivity
from petct.survival.cox_repeated.subgroups import SubgroupTable

AnyCoxResult = CoxResult | ForestTable | ModelComparison | SubgroupTable | PooledCoxResult

AXIS = "Hazard ratio (logarithmic axis; above 1: shorter survival)"
PROTOCOL_AXIS = "Hazard ratio per doubling of tumour volume (logarithmic axis)"
HEADING = "Hazard ratio (95 % CI), p"


@dataclass(frozen=True)
class ForestLine:
    """One line of a forest figure.

    Parameters
    ----------
    label, detail
        What it is about, and what the ratio compares or of how many patients it is; a heading has no detail.
    text
        What stands to the right.
    ratio, lower, upper
        Hazard ratio with its limits; None for a heading, a reference, or what is withheld.
    second
        Belongs to the second set of models, drawn in the other colour.
    """

    label: str
    detail: str
    text: str
    ratio: float | None = None
    lower: float | None = None
    upper: float | None = None
    second: bool = False

    @property
    def drawn(self) -> tuple[float, float, float] | None:
        """Ratio and limits, where there is something to draw."""
        if self.ratio is None or self.lower is None or self.upper is None:
            return None
        return self.ratio, self.lower, self.upper


def forest_lines(result: AnyCoxResult, labels: Mapping[str, str]) -> list[ForestLine]:
    """Return the lines of a Cox analysis, from top to bottom; ``labels`` are names to print for variables."""
    if isinstance(result, ForestTable):
        return _lines_of_table(result, labels)
    if isinstance(result, SubgroupTable):
        return _lines_of_subgroups(result, labels)
    terms: Sequence[CoxTerm | PooledTerm] = (result.full if isinstance(result, ModelComparison) else result).terms
    return [_line(term, labels) for term in terms]


def protocol_lines(hazards: HazardSensitivity, names: Mapping[str, str]) -> list[ForestLine]:
    """Return the hazard ratios per doubling of tumour volume, one line per protocol."""
    lines = []
    for row in hazards.rows:
        limits = (row.hazard_ratio, row.lower, row.upper)
        text = "no model" if row.hazard_ratio is None else f"{_ratio(*limits)}, {p_or_withheld(row.p)}"
        lines.append(ForestLine(names.get(row.protocol, row.protocol), _size(row.n, row.n_events), text, *limits))
    return lines


def _lines_of_table(table: ForestTable, labels: Mapping[str, str]) -> list[ForestLine]:
    lines = []
    for row in table.rows:
        if row.univariable is None and row.multivariable is None:
            text = "reference" if row.scale == "reference" else "withheld"
            name = labels.get(row.covariate, row.covariate)
            label = name if row.level is None else f"{name}: {row.level}"
            lines.append(ForestLine(label, _size(row.n, row.n_events), text))
        if row.univariable is not None:
            lines.append(replace(_line(row.univariable, labels), detail=f"{row.univariable.scale}; alone"))
        if row.multivariable is not None:
            together = _line(row.multivariable, labels)
            lines.append(replace(together, detail=f"{row.multivariable.scale}; with the others", second=True))
    return lines


def _lines_of_subgroups(table: SubgroupTable, labels: Mapping[str, str]) -> list[ForestLine]:
    size = _size(table.n, table.n_events)
    lines = [replace(_line(table.effect, labels), detail=f"{table.effect.scale}; all, {size}")]
    for variable in table.variables:
        name = labels.get(variable.variable, variable.variable)
        lines.append(ForestLine(name, "", f"interaction: {p_or_withheld(variable.interaction.p)}"))
        for group in variable.subgroups:
            limits = (group.hazard_ratio, group.lower, group.upper)
            text = "withheld" if None in limits else _ratio(*limits)
            lines.append(ForestLine(f"   {group.level}", f"   {_size(group.n, group.n_events)}", text, *limits))
    return lines


def _line(term: CoxTerm | PooledTerm, labels: Mapping[str, str]) -> ForestLine:
    limits = (term.hazard_ratio, term.lower, term.upper)
    label = labels.get(term.covariate, term.covariate)
    return ForestLine(label, term.scale, f"{_ratio(*limits)}, {p_or_withheld(term.p)}", *limits)


def _size(n: int, n_events: int) -> str:
    return f"n = {n}, {n_events} events"


def _ratio(ratio: float | None, lower: float | None, upper: float | None) -> str:
    return f"{ratio:.2f} ({lower:.2f} to {upper:.2f})"
