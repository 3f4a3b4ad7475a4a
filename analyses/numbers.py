"""The numbers of a figure as a table: what is drawn, at full precision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from petct.survival.cohort.results import as_dict
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.cox.curves import ResidualCurve
from petct.survival.cox.result import CoxResult, CoxTerm
from petct.survival.cox_repeated.forest_table import ForestTable
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.pooled import PooledCoxResult, PooledTerm
from petct.survival.cox_repeated.protocol_sensitivity import HazardSensitivity, ProtocolSensitivity
from petct.survival.cox_repeated.subgroups import SubgroupTable
from petct.survival.cox_repeated.validation import CoxValidation
from petct.survival.features.pca import PcaResult
from petct.survival.features.scan_result import ScanResult
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.result import KaplanMeierResult
from petct.survival.with_lifelines.aft_result import AftResult

_HAZARDS = ("model", "covariate", "compared", "n", "n_events", "hazard_ratio", "lower", "upper", "p")


def survival_numbers(result: KaplanMeierResult) -> pd.DataFrame:
    """One row per group and distinct time of events or censoring, from time 0: S(t), its limits, who is at risk."""
    rows: list[tuple[object, ...]] = []
    for curve in result.curves:
        events = dict(zip(curve.times, curve.events, strict=True))
        censored = dict(zip(curve.censor_times, curve.censored, strict=True))
        steps = dict(zip(curve.times, zip(curve.survival, curve.lower, curve.upper, strict=True), strict=True))
        state: tuple[float, float | None, float | None] = (1.0, None, None)
        for time in sorted({0.0, *events, *censored}):
            state = steps.get(time, state)
            happened = (events.get(time, 0), censored.get(time, 0))
            rows.append((curve.group, time, curve.n_at_risk_at(time), *happened, *state))
    names = ("group", f"time_{result.unit.replace(' ', '_')}s", "n_at_risk", "n_events", "n_censored")
    return pd.DataFrame(rows, columns=[*names, "survival", "lower", "upper"])


def incidence_numbers(result: CumulativeIncidenceResult) -> pd.DataFrame:
    """One row per event, group and distinct time of the event, from time 0: F(t) with its limits."""
    rows: list[tuple[object, ...]] = []
    for curve in result.curves:
        rows.append((curve.cause, curve.group, curve.n, 0.0, 0.0, None, None))
        steps = zip(curve.times, curve.incidence, curve.lower, curve.upper, strict=True)
        rows += [(curve.cause, curve.group, curve.n, *step) for step in steps]
    names = ("event", "group", "n", f"time_{result.unit.replace(' ', '_')}s", "cumulative_incidence", "lower", "upper")
    return pd.DataFrame(rows, columns=list(names))


def hazard_numbers(
    result: CoxResult | ForestTable | ModelComparison | SubgroupTable | PooledCoxResult,
) -> pd.DataFrame:
    """One row per hazard ratio, with its limits and p; ``model`` says of which model where there are several."""
    rows: list[tuple[object, ...]]
    if isinstance(result, ForestTable):
        rows = []
        for row in result.rows:
            for model, term in (("alone", row.univariable), ("together", row.multivariable)):
                if term is not None:
                    rows.append(_hazard(model, term, row.n, row.n_events))
    elif isinstance(result, SubgroupTable):
        rows = [_hazard("all patients", result.effect, result.n, result.n_events)]
        for variable in result.variables:
            for group in variable.subgroups:
                ratio = (group.hazard_ratio, group.lower, group.upper)
                name = f"{variable.variable} = {group.level}"
                rows.append((name, result.effect.covariate, result.effect.scale, group.n, group.n_events, *ratio, None))
            test = variable.interaction
            name = f"interaction with {variable.variable}"
            rows.append((name, result.effect.covariate, test.test, result.n, result.n_events, None, None, None, test.p))
    else:
        fitted = result.full if isinstance(result, ModelComparison) else result
        rows = [_hazard("model", term, result.n, result.n_events) for term in fitted.terms]
    return pd.DataFrame(rows, columns=list(_HAZARDS))


def calibration_numbers(result: CoxValidation) -> pd.DataFrame:
    """One row per group of predicted risk: predicted and observed probability, and the observed one corrected."""
    return pd.DataFrame([as_dict(group) for group in result.groups])


def hazard_check_numbers(result: AftResult) -> pd.DataFrame:
    """One row per distribution and event: the cumulative hazard that the model expects, and the observed one."""
    checks = [pd.DataFrame({"distribution": model.distribution, **as_dict(model.check)}) for model in result.models]
    return pd.concat(checks, ignore_index=True)


def cut_numbers(result: CutPointResult) -> pd.DataFrame:
    """One row per cut: the standardised log-rank statistic, the patients below it, and how many resamples chose it."""
    chosen = (
        {} if result.stability is None else dict(zip(result.stability.cuts, result.stability.n_chosen, strict=True))
    )
    searched = dict(zip(result.cuts, zip(result.statistics, result.n_below_cuts, strict=True), strict=True))
    rows = [(cut, *searched.get(cut, (None, None)), chosen.get(cut, 0)) for cut in sorted({*searched, *chosen})]
    return pd.DataFrame(rows, columns=["cut", "statistic", "n_below", "n_resamples_chosen"])


def residual_numbers(curves: Iterable[ResidualCurve]) -> pd.DataFrame:
    """One row per residual: of which covariate and kind, against what."""
    rows = [
        (curve.covariate, curve.y_label, curve.x_label, x, y)
        for curve in curves
        for x, y in zip(curve.x, curve.y, strict=True)
    ]
    return pd.DataFrame(rows, columns=["covariate", "residual", "against", "x", "y"])


def restricted_mean_numbers(result: KaplanMeierResult) -> pd.DataFrame:
    """One row per group, and one a comparison of two: restricted mean, or difference, with its limits."""
    found = result.restricted_mean
    if found is None:
        return pd.DataFrame(columns=["of", "tau", "value", "lower", "upper", "p"])
    rows: list[tuple[object, ...]] = [(m.group, found.tau, m.mean, m.lower, m.upper, None) for m in found.groups]
    rows += [
        (f"{c.group} minus {c.reference}", found.tau, c.difference, c.lower, c.upper, c.p_adjusted)
        for c in found.contrasts
    ]
    return pd.DataFrame(rows, columns=["of", "tau", "value", "lower", "upper", "p"])


def component_numbers(result: PcaResult) -> pd.DataFrame:
    """One row per share of variance, feature (loading) or patient (score), one column per component."""
    names = [component.name for component in result.components]
    shares = [("variance_share", "", *(component.explained_variance_ratio for component in result.components))]
    loadings = _across("loading", result.features, [component.loadings for component in result.components])
    scores = _across("score", result.row_ids, [component.scores for component in result.components])
    return pd.DataFrame([*shares, *loadings, *scores], columns=["quantity", "of", *names])


def protocol_numbers(result: ProtocolSensitivity, hazards: HazardSensitivity, names: Mapping[str, str]) -> pd.DataFrame:
    """One row per protocol: volumes and lesions, and the hazard ratio per doubling of tumour volume under it."""
    ratios = {row.protocol: row for row in hazards.rows}
    rows = []
    for burden in result.protocols:
        ratio = ratios.get(burden.protocol)
        of_model = _fields(ratio, "n_events", "hazard_ratio", "lower", "upper", "p")
        of_burden = {"name": names.get(burden.protocol, burden.protocol), **as_dict(burden)}
        rows.append({**of_burden, "n_in_model": ratio.n if ratio else None, **of_model})
    return pd.DataFrame(rows)


def scan_numbers(result: ScanResult) -> pd.DataFrame:
    """One row per tested feature, strongest first, corrected values beside the p of the feature alone."""
    rows = []
    for row in result.rows:
        adjusted = row.adjusted.hazard_ratio if row.adjusted is not None else None
        rows.append(
            {
                "feature": row.name,
                "n": row.n,
                "n_events": row.n_events,
                "compared": row.hazard_ratio.scale if row.hazard_ratio else None,
                "hazard_ratio": row.hazard_ratio.value if row.hazard_ratio else None,
                **_fields(row.hazard_ratio, "lower", "upper"),
                "q": row.q,
                "p_familywise": row.p_familywise,
                "p_alone": row.p,
                "minimum_detectable_hazard_ratio": row.minimum_detectable_hazard_ratio,
                "adjusted_hazard_ratio": adjusted.value if adjusted else None,
                "adjusted_q": row.adjusted.q if row.adjusted is not None else None,
                "stability": row.stability,
            }
        )
    return pd.DataFrame(rows)


def _fields(found: object, *names: str) -> dict[str, object]:
    """Fields of what was found; None where nothing was."""
    return {name: getattr(found, name, None) for name in names}


def _hazard(model: str, term: CoxTerm | PooledTerm, n: int, n_events: int) -> tuple[object, ...]:
    return (model, term.covariate, term.scale, n, n_events, term.hazard_ratio, term.lower, term.upper, term.p)


def _across(
    quantity: str, of: Sequence[str], columns: Sequence[Sequence[float] | NDArray[np.float64]]
) -> list[tuple[object, ...]]:
    return [(quantity, name, *(column[i] for column in columns)) for i, name in enumerate(of)]
