"""What ``petlake cox`` and the page Cox are asked, and the model that answers: one definition for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analyses.requests.tested import Tested, hypotheses_of_cox
from petct.errors import SurvivalError
from petct.survival.accuracy.discrimination import FEWEST_RESAMPLES
from petct.survival.cohort.columns import Columns
from petct.survival.cohort.covariates import AtZero, CategoricalCovariate, Covariate, NumericCovariate, Scale
from petct.survival.cohort.outcome import Outcome
from petct.survival.cox.curves import ResidualCurve, functional_form, schoenfeld_curves
from petct.survival.cox.fit import CoxFit, fit_cox
from petct.survival.cox.model import cox
from petct.survival.cox.result import CoxResult
from petct.survival.cox.schoenfeld import Transform
from petct.survival.cox.tests import DEFAULT_SEED
from petct.survival.cox.time_varying import cox_with_therapy
from petct.survival.cox_repeated.forest_table import ForestTable, forest_table
from petct.survival.cox_repeated.model_comparison import ModelComparison, compare_models
from petct.survival.cox_repeated.pooled import PooledCoxResult, cox_imputed
from petct.survival.cox_repeated.subgroups import SubgroupTable, subgroup_table
from petct.survival.cox_repeated.validation import DEFAULT_SEED as VALIDATION_SEED
from petct.survival.cox_repeated.validation import CoxValidation, validate_cox
from petct.survival.likelihood.penalised import Firth, Penalty, Ridge

AnyCoxResult = CoxResult | ForestTable | ModelComparison | SubgroupTable | PooledCoxResult
PenaltyName = Literal["none", "ridge", "firth"]


@dataclass(frozen=True)
class CoxRequest:
    """A Cox model in words; the defaults are those of the command line.

    Parameters
    ----------
    covariates
        Columns of the model.
    scale, scale_of
        What a hazard ratio of a number refers to, and pairs of column and scale for those that differ.
    splines, knots
        Columns with a spline whatever their scale, and its knots.
    at_zero
        What stands for a value of 0 on the scale per doubling.
    categories, references
        Columns to take as categories though they are numbers; pairs of column and reference level.
    strata, cluster, robust, entry, therapy_start
        Columns, as for ``cox`` and ``cox_with_therapy``.
    penalty, ridge_strength
        The penalty, and the strength of a ridge (chosen by the events when None).
    univariable, added, subgroups, impute
        Another analysis than the model alone: every covariate alone, too; covariates added to the others; the effect of
        the first in the levels of columns; imputations of what is missing.
    permutations, seed, transform
        As for ``cox``.
    """

    covariates: tuple[str, ...]
    scale: Scale = "per_sd"
    scale_of: tuple[tuple[str, Scale], ...] = ()
    splines: tuple[str, ...] = ()
    knots: int = 3
    at_zero: AtZero = "refuse"
    categories: tuple[str, ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    strata: tuple[str, ...] = ()
    cluster: str | None = None
    robust: bool = False
    entry: str | None = None
    therapy_start: str | None = None
    penalty: PenaltyName = "none"
    ridge_strength: float | None = None
    univariable: bool = False
    added: tuple[str, ...] = ()
    subgroups: tuple[str, ...] = ()
    impute: int | None = None
    permutations: int | None = None
    seed: int = DEFAULT_SEED
    transform: Transform = "km"

    @property
    def modelled(self) -> tuple[str, ...]:
        """Columns whose effects are asked for."""
        therapy = (self.therapy_start,) if self.therapy_start else ()
        return tuple(dict.fromkeys((*self.covariates, *self.added, *therapy)))

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it needs."""
        others = [*self.strata, *self.subgroups, *filter(None, (self.cluster, self.entry))]
        return tuple(dict.fromkeys((*self.modelled, *others)))

    @property
    def conditions(self) -> tuple[str, ...]:
        """What makes this model another one than that of the same variables, in words."""
        said = {
            "strata": ",".join(self.strata),
            "clustered by": self.cluster,
            "robust": self.robust,
            "entry": self.entry,
            "penalty": "" if self.penalty == "none" else self.penalty,
            "added": ",".join(self.added),
            "subgroups": ",".join(self.subgroups),
            "imputed": self.impute,
            "splines": f"{','.join(self.splines)} with {self.knots} knots" if self.splines else "",
            "scales": "; ".join(f"{name}={scale}" for name, scale in self.scale_of),
            "ridge strength": self.ridge_strength,
            "categories": ",".join(self.categories),
            "references": "; ".join(f"{name}={level}" for name, level in self.references),
        }
        return tuple(name if value is True else f"{name} {value}" for name, value in said.items() if value)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Options that ask for another analysis than the model alone."""
        asked = {
            "--univariable": self.univariable,
            "--added": bool(self.added),
            "--subgroups": bool(self.subgroups),
            "--impute": self.impute is not None,
            "--therapy-start": self.therapy_start is not None,
        }
        return tuple(name for name, given in asked.items() if given)

    def check(self) -> None:
        """Refuse what asks for two analyses at once, or for one that does not exist.

        Raises
        ------
        SurvivalError
            REFERENCE_INVALID, SCALE_INVALID, OPTIONS_CONFLICT.
        """
        for code, what, keyword, pairs in (
            ("REFERENCE_INVALID", "A reference", "--reference", self.references),
            ("SCALE_INVALID", "A scale", "--scale-of", self.scale_of),
        ):
            unknown = {name for name, _ in pairs} - set(self.modelled)
            if unknown:
                raise SurvivalError(
                    code,
                    f"{what} belongs to no variable of the model",
                    keyword=keyword,
                    found=", ".join(sorted(unknown)),
                    expected=", ".join(self.modelled),
                )
        asked = self.kinds
        if len(asked) > 1:
            raise SurvivalError(
                "OPTIONS_CONFLICT",
                "These options ask for different analyses",
                keyword=", ".join(asked),
                expected="one of them",
            )
        beside = {
            "--strata": bool(self.strata) and asked in (("--subgroups",), ("--therapy-start",)),
            "--cluster or --robust": bool(self.cluster or self.robust) and bool(asked),
            "--penalty": self.penalty != "none" and bool(asked) and asked != ("--univariable",),
        }
        unavailable = [name for name, given in beside.items() if given]
        if unavailable:
            raise SurvivalError(
                "OPTIONS_CONFLICT",
                f"{asked[0]} does not go with {unavailable[0]}",
                keyword=", ".join([*asked, *unavailable]),
                hint="Leave one of them out.",
            )

    def penalty_of_model(self) -> Penalty | None:
        """The penalty; raises RIDGE_INVALID."""
        if self.penalty == "firth":
            return Firth()
        return Ridge(self.ridge_strength) if self.penalty == "ridge" else None

    def outcome(self, columns: Columns, outcome: Outcome) -> Outcome:
        """The outcome with its late entries, where it has some."""
        return outcome if self.entry is None else replace(outcome, entry=columns.number(self.entry))

    def covariate(self, columns: Columns, name: str) -> Covariate:
        """A column as a covariate of the model."""
        label = columns.label(name)
        if columns.is_number(name) and name not in self.categories:
            scale = "spline" if name in self.splines else dict(self.scale_of).get(name, self.scale)
            return NumericCovariate(label, columns.number(name), columns.unit(name), scale, self.at_zero, self.knots)
        return CategoricalCovariate(label, columns.texts(name), dict(self.references).get(name))

    def model(self, columns: Columns) -> list[Covariate]:
        """The covariates of the model alone."""
        return [self.covariate(columns, name) for name in self.covariates]

    def strata_of(self, columns: Columns) -> list[CategoricalCovariate]:
        """What the model is stratified by."""
        return _categories(columns, self.strata)


def _categories(columns: Columns, names: Sequence[str]) -> list[CategoricalCovariate]:
    return [CategoricalCovariate(columns.label(name), columns.texts(name)) for name in names]


def analyse(
    request: CoxRequest, columns: Columns, outcome: Outcome, patients: Sequence[str] | None = None
) -> AnyCoxResult:
    """Answer a request.

    Parameters
    ----------
    request
        What is asked.
    columns
        The columns that it needs, one value a patient.
    outcome
        The patients, in the same order.
    patients
        Their ids, for messages where follow-up is split.

    Raises
    ------
    SurvivalError
        The codes of ``CoxRequest.check``, ``cox``, ``forest_table``, ``compare_models``, ``subgroup_table``,
        ``cox_imputed`` and ``cox_with_therapy``.
    """
    request.check()
    outcome = request.outcome(columns, outcome)
    model, strata = request.model(columns), request.strata_of(columns)
    permutations, seed = request.permutations, request.seed
    if request.univariable:
        penalty = request.penalty_of_model()
        return forest_table(outcome, model, strata=strata, penalty=penalty, permutations=permutations, seed=seed)
    if request.added:
        added = [request.covariate(columns, name) for name in request.added]
        return compare_models(outcome, model, added, strata=strata, permutations=permutations, seed=seed)
    if request.subgroups:
        effect, *others = model
        variables = _categories(columns, request.subgroups)
        return subgroup_table(outcome, effect, variables, adjust_for=others, permutations=permutations, seed=seed)
    if request.impute is not None:
        return cox_imputed(outcome, model, strata=strata, n_imputations=request.impute, seed=seed)
    if request.therapy_start:
        name = request.therapy_start
        return cox_with_therapy(outcome, columns.number(name), model, name=columns.label(name), patients=patients)
    return cox(
        outcome,
        model,
        strata=strata,
        robust=request.robust,
        cluster=_categories(columns, [request.cluster])[0] if request.cluster else None,
        penalty=request.penalty_of_model(),
        permutations=permutations,
        seed=seed,
        transform=request.transform,
    )


def fitted(request: CoxRequest, columns: Columns, outcome: Outcome) -> CoxFit:
    """The model alone as arrays, for its curves; raises as ``cox``."""
    return fit_cox(
        request.outcome(columns, outcome),
        request.model(columns),
        strata=request.strata_of(columns),
        penalty=request.penalty_of_model(),
    )


def validated(
    request: CoxRequest,
    columns: Columns,
    outcome: Outcome,
    time: float,
    *,
    n_resamples: int = FEWEST_RESAMPLES,
    seed: int = VALIDATION_SEED,
) -> CoxValidation:
    """Calibration and concordance of the model alone at a horizon, corrected for optimism; see ``validate_cox``.

    Raises
    ------
    SurvivalError
        VALIDATION_UNSUPPORTED for strata and what is not the model alone, and the codes of ``validate_cox``.
    """
    besides = [*request.kinds, *(["--strata"] if request.strata else [])]
    if besides:
        raise SurvivalError(
            "VALIDATION_UNSUPPORTED",
            "Only a model with one baseline hazard is judged at a horizon",
            keyword=", ".join(besides),
            hint="Leave it out: a category may be a covariate instead of strata.",
        )
    return validate_cox(
        request.outcome(columns, outcome),
        request.model(columns),
        time,
        penalty=request.penalty_of_model(),
        n_resamples=n_resamples,
        seed=seed,
    )


@dataclass(frozen=True)
class ModelResiduals:
    """Residuals of every coefficient against time, and of every number against its values."""

    over_time: tuple[ResidualCurve, ...]
    forms: tuple[ResidualCurve, ...]


def residuals(request: CoxRequest, columns: Columns, outcome: Outcome) -> ModelResiduals:
    """Residuals of the model alone; raises as ``schoenfeld_curves`` and ``functional_form``."""
    fit = fitted(request, columns, outcome)
    outcome, model, strata = request.outcome(columns, outcome), request.model(columns), request.strata_of(columns)
    forms = [
        functional_form(outcome, covariate, [other for other in model if other is not covariate], strata=strata)
        for covariate in model
        if isinstance(covariate, NumericCovariate)
    ]
    return ModelResiduals(schoenfeld_curves(fit, request.transform), tuple(forms))


def hypotheses(request: CoxRequest, result: AnyCoxResult) -> Iterator[Tested]:
    """The tests that an answer was, for the ledger."""
    how = ", ".join((request.scale, *request.conditions))
    if isinstance(result, ForestTable):
        yield _tested("Cox, each alone", how, [row.univariable.p for row in result.rows if row.univariable])
        result = result.model
    if isinstance(result, ModelComparison):
        yield _tested("Cox", how, [term.p for term in result.full.terms])
        yield _tested("Cox, added to the base", how, [result.test.p])
    elif isinstance(result, SubgroupTable):
        yield _tested("Cox", how, [result.effect.p])
        yield _tested("Cox, interaction", how, [variable.interaction.p for variable in result.variables])
    elif isinstance(result, CoxResult):
        yield from hypotheses_of_cox(result, [request.scale], request.conditions)
    else:
        yield _tested("Cox", how, [term.p for term in result.terms])


def _tested(procedure: str, how: str, p_values: Sequence[float | None]) -> Tested:
    return Tested(procedure, how, len(p_values), min((p for p in p_values if p is not None), default=None))
