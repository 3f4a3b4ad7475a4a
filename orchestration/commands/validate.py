"""``petlake validate``: what a model of many features is worth in patients it has not seen."""

from dataclasses import dataclass
from typing import Literal, get_args

import click

from analyses.requests.data import Basis
from analyses.requests.options import Choice, Time, Whole, option
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands.analysis import say_notes, source_options
from orchestration.commands.families import ProcedureRequest, measured
from orchestration.commands.options import request_options
from petct.survival.cohort.results import as_dict
from petct.survival.prediction.cross_validation import CrossValidation
from petct.survival.prediction.optimism import OptimismCorrected

Method = Literal["nested", "bootstrap"]


@dataclass(frozen=True)
class ValidationRequest(ProcedureRequest):
    """A procedure, and how it is validated: see ``nested_cross_validation`` and ``optimism_corrected``."""

    method: Method = option(
        "method",
        Choice(words=get_args(Method)),
        "Choose nested cross-validation, or the bootstrap correction (only with fewer features than events).",
        default="nested",
    )
    folds: int = option("folds", Whole(least=2), "With nested: split into this many folds.", default=5)
    repeats: int = option(
        "repeats", Whole(least=1), "With nested: repeat the cross-validation this many times.", default=5
    )
    horizon: float | None = option(
        "horizon", Time(), "With nested: also evaluate the predicted probabilities at this time."
    )
    resamples: int = option("resamples", Whole(), "With bootstrap: draw this many samples, at least 200.", default=200)


@click.command()
@request_options(ValidationRequest)
@source_options
def validate(request: ValidationRequest, source: Source, as_json: bool) -> None:
    """Validate a model of many features: preparation, selection and fit are repeated in every fold or resample.

    \b
    petlake validate --feature-set pet_original__largest
    petlake validate --features age_years,suv_max --procedure all --method bootstrap
    petlake validate --csv trial.csv --duration time --event status --procedure components --size 3
    """  # noqa: D301 (click reads the character \b)
    from petct.survival.prediction.cross_validation import nested_cross_validation
    from petct.survival.prediction.optimism import optimism_corrected

    of, procedure = measured(source, request), request.made()
    result: CrossValidation | OptimismCorrected
    if request.method == "nested":
        result = nested_cross_validation(
            of.outcome,
            of.table,
            procedure,
            n_folds=request.folds,
            n_repeats=request.repeats,
            seed=request.seed,
            horizon=request.horizon,
        )
    else:
        result = optimism_corrected(of.outcome, of.table, procedure, n_resamples=request.resamples, seed=request.seed)
    if as_json:
        console.say_json({**of.basis.as_json(), "method": request.method, "left_out": of.left_out, **as_dict(result)})
        return
    _say(of.basis, result)
    say_notes(of.notes)


def _say(basis: Basis, result: CrossValidation | OptimismCorrected) -> None:
    console.say(f"{basis.title}: {result.n} patients, {result.n_events} events, {result.n_features} candidate features")
    console.say(result.procedure)
    nested = isinstance(result, CrossValidation)
    console.say_table(
        ("concordance (Harrell)", "value", "95 % CI"),
        [
            ("in the patients of the fit (naive)", result.apparent_concordance, None),
            (
                "in patients left out (nested cross-validation)" if nested else "corrected for optimism (bootstrap)",
                result.concordance,
                f"{console.shown(result.lower)} to {console.shown(result.upper)}",
            ),
            ("optimism", result.optimism, None),
        ],
    )
    if isinstance(result, OptimismCorrected) and result.shrinkage is not None:
        console.say(f"Shrinkage {result.shrinkage:.2f}: log hazard ratios times this fit new patients better.")
    if isinstance(result, CrossValidation) and result.accuracy is not None:
        at = result.accuracy
        console.say(
            f"At {at.time:g} {at.unit}s, patients left out: predicted {at.predicted:.3f}, observed {at.observed:.3f}; "
            f"Brier {at.brier:.3f}, Kaplan-Meier {at.brier_null:.3f}, index of prediction accuracy "
            f"{console.shown(at.ipa)}"
        )
    if isinstance(result, CrossValidation) and result.selected:
        often = ", ".join(f"{basis.short(each.name)} ({100 * each.share:.0f} %)" for each in result.selected[:5])
        console.say(f"Selected most often, of {result.n_fits} training parts: {often}")
    say_notes(result.notes)
