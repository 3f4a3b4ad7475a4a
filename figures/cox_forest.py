"""Forest figures of Cox models: the hazard ratios of a model, and one effect in subgroups."""

from __future__ import annotations

import plotly.graph_objects as go

from figures.forest import ForestLine, draw_forest
from petct.survival.cohort.results import p_text
from petct.survival.cox.model import CoxResult, CoxTerm
from petct.survival.cox_repeated.subgroups import Subgroup, SubgroupTable

_AXIS = "Hazard ratio (logarithmic axis; above 1: shorter survival)"


def forest_figure(result: CoxResult, *, title: str | None = None) -> go.Figure:
    """Draw the hazard ratios of a model, one row per coefficient in the order of the model.

    Parameters
    ----------
    result
        The model.
    title
        Title; states n, events and concordance when None.
    """
    text = f"Cox model: n = {result.n}, {result.n_events} events, concordance {result.concordance:.2f}"
    return draw_forest(
        [
            ForestLine(term.covariate, term.scale, term.hazard_ratio, term.lower, term.upper, _numbers(term))
            for term in result.terms
        ],
        title=text if title is None else title,
        axis=_AXIS,
        numbers=f"Hazard ratio ({result.confidence:.0%} CI), p",
    )


def subgroup_figure(table: SubgroupTable, *, title: str | None = None) -> go.Figure:
    """Draw an effect in all patients and in subgroups; the p-values are those of the interactions.

    Parameters
    ----------
    table
        The effect.
    title
        Title; states the effect, n and events when None.
    """
    effect = table.effect
    lines = [
        ForestLine(
            "All patients",
            _size(table.n, table.n_events),
            effect.hazard_ratio,
            effect.lower,
            effect.upper,
            _ratio(effect.hazard_ratio, effect.lower, effect.upper),
        )
    ]
    for variable in table.variables:
        p = variable.interaction.p
        said = "no p of the interaction" if p is None else f"interaction {p_text(p)}"
        lines.append(ForestLine(variable.variable, "", None, None, None, said, heading=True))
        lines += [_subgroup_line(group) for group in variable.subgroups]
    text = f"{effect.label}: n = {table.n}, {table.n_events} events"
    return draw_forest(lines, title=text if title is None else title, axis=_AXIS, numbers="Hazard ratio (95 % CI)")


def _subgroup_line(group: Subgroup) -> ForestLine:
    if group.hazard_ratio is None or group.lower is None or group.upper is None:
        return ForestLine(group.level, _size(group.n, group.n_events), None, None, None, "not estimated")
    limits = (group.hazard_ratio, group.lower, group.upper)
    return ForestLine(group.level, _size(group.n, group.n_events), *limits, _ratio(*limits))


def _size(n: int, n_events: int) -> str:
    return f"n = {n}, {n_events} events"


def _ratio(ratio: float, lower: float, upper: float) -> str:
    return f"{ratio:.2f} ({lower:.2f} to {upper:.2f})"


def _numbers(term: CoxTerm) -> str:
    p = p_text(term.p) if term.p is not None else "no p"
    return f"{_ratio(term.hazard_ratio, term.lower, term.upper)}, {p}"
