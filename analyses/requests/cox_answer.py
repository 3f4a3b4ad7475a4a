"""The model that answers ``CoxRequest``, its curves, and the tests that it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyses.requests.answer import Answer
from analyses.requests.covariates import categories
from analyses.requests.cox import CoxRequest
from analyses.requests.data import AnalysisData
from analyses.requests.tested import Tested, hypotheses_of_cox, several
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cohort.results import as_dict
from petct.survival.cox.curves import ResidualCurve, functional_form, schoenfeld_curves
from petct.survival.cox.fit import CoxFit, fit_cox
from petct.survival.cox.model import cox
from petct.survival.cox.result import CoxResult
from petct.survival.cox.time_varying import cox_with_therapy
from petct.survival.cox_repeated.forest_table import ForestTable, forest_table
from petct.survival.cox_repeated.model_comparison import ModelComparison, compare_models
from petct.survival.cox_repeated.pooled import cox_imputed
from petct.survival.cox_repeated.subgroups import SubgroupTable, subgroup_table
from petct.survival.cox_repeated.validation import validate_cox

if TYPE_CHECKING:
    from analyses.requests.answer import AnyCoxResult


def answer_cox(request: CoxRequest, data: AnalysisData) -> Answer:
    """Answer a request.

    Raises
    ------
    SurvivalError
        The codes of ``cox``, ``forest_table``, ``compare_models``, ``subgroup_table``, ``cox_imputed``,
        ``cox_with_therapy`` and ``validate_cox``.
    """
    result = _result(request, data)
    found = Answer.of(request, data, result, _hypotheses(request, result), request.modelled)
    if request.horizon is None:
        return found
    validation = validate_cox(
        request.outcome(data),
        request.model(data.table),
        request.horizon,
        penalty=request.penalty_of_model(),
        n_resamples=request.resamples,
    )
    return replace(found, beside={"validation": as_dict(validation)}, validation=validation)


def _result(request: CoxRequest, data: AnalysisData) -> AnyCoxResult:
    outcome, columns = request.outcome(data), data.table
    model, strata = request.model(columns), categories(columns, request.strata)
    permutations, seed = request.permutations, request.seed
    if request.univariable:
        penalty = request.penalty_of_model()
        return forest_table(outcome, model, strata=strata, penalty=penalty, permutations=permutations, seed=seed)
    if request.added:
        added = [request.covariate(columns, name) for name in request.added]
        return compare_models(outcome, model, added, strata=strata, permutations=permutations, seed=seed)
    if request.subgroups:
        effect, *others = model
        variables = categories(columns, request.subgroups)
        return subgroup_table(outcome, effect, variables, adjust_for=others, permutations=permutations, seed=seed)
    if request.impute is not None:
        return cox_imputed(outcome, model, strata=strata, n_imputations=request.impute, seed=seed)
    if request.therapy_start:
        name = request.therapy_start
        return cox_with_therapy(outcome, columns.number(name), model, name=columns.label(name), patients=data.row_ids)
    return cox(
        outcome,
        model,
        strata=strata,
        robust=request.robust,
        cluster=_cluster(request, data),
        penalty=request.penalty_of_model(),
        permutations=permutations,
        seed=seed,
        transform=request.transform,
    )


def fitted(request: CoxRequest, data: AnalysisData) -> CoxFit:
    """The model alone as arrays, for its curves; raises as ``cox``."""
    return fit_cox(
        request.outcome(data),
        request.model(data.table),
        strata=categories(data.table, request.strata),
        robust=request.robust,
        cluster=_cluster(request, data),
        penalty=request.penalty_of_model(),
    )


def _cluster(request: CoxRequest, data: AnalysisData) -> CategoricalCovariate | None:
    return categories(data.table, [request.cluster])[0] if request.cluster else None


@dataclass(frozen=True)
class ModelResiduals:
    """Residuals of every coefficient against time, and of every number against its values."""

    over_time: tuple[ResidualCurve, ...]
    forms: tuple[ResidualCurve, ...]


def residuals(request: CoxRequest, data: AnalysisData) -> ModelResiduals:
    """Residuals of the model alone; raises as ``schoenfeld_curves`` and ``functional_form``."""
    fit = fitted(request, data)
    outcome, model = request.outcome(data), request.model(data.table)
    strata = categories(data.table, request.strata)
    forms = [
        functional_form(outcome, each, [other for other in model if other is not each], strata=strata)
        for each in model
        if isinstance(each, NumericCovariate)
    ]
    return ModelResiduals(schoenfeld_curves(fit, request.transform), tuple(forms))


def _hypotheses(request: CoxRequest, result: AnyCoxResult) -> Iterator[Tested]:
    """The tests that an answer was, for the ledger."""
    how = ", ".join((request.scale, *request.conditions))
    if isinstance(result, ForestTable):
        yield several("Cox, each alone", how, [row.univariable.p for row in result.rows if row.univariable])
        result = result.model
    if isinstance(result, ModelComparison):
        yield several("Cox", how, [term.p for term in result.full.terms])
        yield several("Cox, added to the base", how, [result.test.p])
    elif isinstance(result, SubgroupTable):
        yield several("Cox", how, [result.effect.p])
        yield several("Cox, interaction", how, [variable.interaction.p for variable in result.variables])
    elif isinstance(result, CoxResult):
        plain = not request.is_another_test
        yield from hypotheses_of_cox(result, request.scale, request.conditions, may_be_primary=plain)
    else:
        yield several("Cox", how, [term.p for term in result.terms])
