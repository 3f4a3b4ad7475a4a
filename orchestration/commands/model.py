"""``petlake model``: freeze a fitted model in a file, and apply it unchanged to a second cohort."""

from dataclasses import dataclass, replace
from pathlib import Path

import click

from analyses.requests.options import Listed, Real, Shape, Time, Whole, option
from analyses.requests.tested import about, hypotheses_of_kaplan_meier
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands.analysis import counted, say_notes, source_options
from orchestration.commands.families import PreparedRequest, ProcedureRequest, measured
from orchestration.commands.km_report import say_kaplan_meier
from orchestration.commands.options import request_options
from petct.errors import SurvivalError
from petct.survival.accuracy.calibration import Calibration
from petct.survival.accuracy.discrimination import Discrimination, Estimate
from petct.survival.cohort.results import as_dict
from warehouse.source_code import source_code


@click.group()
def model() -> None:
    """Freeze a fitted model, and apply it unchanged to a second cohort."""


@dataclass(frozen=True)
class FreezeRequest(ProcedureRequest):
    """A model of all patients; ``cuts`` are the quantiles of its risk score between groups."""

    cuts: tuple[float, ...] = option(
        "cuts",
        Listed("NUMBER,NUMBER,...", each=Real(refused=("CUTS_INVALID", "A quantile is not a number"))),
        "Cut the risk score into groups at these quantiles, separated by commas.",
        default=(0.5,),
    )


@dataclass(frozen=True)
class ApplyRequest(PreparedRequest):
    """A frozen model in other patients, and how it is evaluated there."""

    horizon: float = option("horizon", Time(), "Evaluate AUC, Brier score and calibration at this time.", required=True)
    unit: str | None = option(
        "unit",
        Shape(),
        "With --csv: state the unit of its times, for example day. It must be that of the model.",
    )
    resamples: int = option("resamples", Whole(), "Draw this many bootstrap samples, at least 200.", default=500)
    seed: int = option("seed", Whole(), "Set the seed of the bootstrap.", default=0)


@model.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@request_options(FreezeRequest)
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
@source_options
def freeze(file: Path, request: FreezeRequest, overwrite: bool, source: Source, as_json: bool) -> None:
    """Fit a model on all patients and write it to FILE: preparation, coefficients, baseline hazard and cut points.

    \b
    petlake model freeze os.json --feature-set pet_original__largest
    petlake model freeze os.json --features age_years,suv_max --procedure all --cuts 0.33,0.67
    """  # noqa: D301 (click reads the character \b)
    from petct.survival.cohort.results import write_json
    from petct.survival.prediction.frozen_model import freeze as freeze_model

    if file.exists() and not overwrite:
        raise SurvivalError(
            "MODEL_EXISTS", "There is a file of this name", found=str(file), hint="Another name, or --overwrite."
        )
    of = measured(source, request)
    fitted = freeze_model(
        of.outcome,
        of.table,
        request.made(),
        petlake_version=source_code().text,
        endpoint=of.basis.endpoint,
        snapshot_id=of.basis.snapshot_id,
        quantiles=request.cuts,
        seed=request.seed,
    )
    file.write_text(write_json(fitted), encoding="utf-8")
    if as_json:
        console.say_json(
            {**of.basis.as_json(), "file": file, "digest": fitted.digest, "left_out": of.left_out, **as_dict(fitted)}
        )
        return
    console.say(f"{of.basis.title}: {fitted.n} patients, {fitted.n_events} events")
    console.say(fitted.procedure)
    console.say_table(
        ("feature", "log hazard ratio per SD"),
        list(zip(fitted.preparation.names, fitted.coefficients, strict=True)),
    )
    say_notes((*fitted.preparation.notes, *of.notes))
    console.say(
        f"  Concordance in these patients {fitted.apparent_concordance:.3f}: flattering; petlake validate says by "
        f"how much."
    )
    console.say(
        f"Wrote {file}, digest {fitted.digest[:12]}. Apply it elsewhere: petlake model apply {file} --horizon TIME"
    )


@model.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@request_options(ApplyRequest, without=("features", "feature_set"))
@source_options
def apply(file: Path, request: ApplyRequest, source: Source, as_json: bool) -> None:
    """Apply the model in FILE to other patients: discrimination, calibration, and curves of its risk groups.

    \b
    petlake model apply os.json --study second-hospital --horizon 1095
    petlake model apply os.json --csv second.csv --duration days --event died --unit day --horizon 1095
    """  # noqa: D301 (click reads the character \b)
    from petct.survival.prediction.frozen_model import read_model, refuse_own_cohort, validate_externally

    frozen = read_model(file.read_bytes())
    of = measured(source, replace(request, features=frozen.preparation.names))
    outcome, basis = of.outcome, of.basis
    if request.unit is not None:
        if source.csv_file is None:
            raise SurvivalError("OPTION_NEEDS_CSV", "--unit goes with --csv", keyword="--unit")
        outcome = replace(outcome, unit=request.unit)
    refuse_own_cohort(frozen, basis.snapshot_id)
    result = validate_externally(
        frozen, outcome, of.table, request.horizon, n_resamples=request.resamples, seed=request.seed
    )
    groups = result.groups
    subject = [f"risk groups of {result.model_digest[:12]}"]
    tests = about(hypotheses_of_kaplan_meier(groups), subject, groups.n, groups.n_events)
    ledger = counted(source, basis, tests)
    if as_json:
        console.say_json({**basis.as_json(), "left_out": of.left_out, **as_dict(result), "ledger": ledger})
        return
    console.say(f"{basis.title}: {result.n} patients, {result.n_events} events; model {result.model_digest[:12]}")
    _say_discrimination(result.discrimination)
    total = result.integrated_brier
    console.say(f"Brier score integrated to {total.until:g}: {total.brier:.3f} (Kaplan-Meier {total.brier_null:.3f})")
    _say_calibration(result.calibration)
    say_kaplan_meier(basis.title, groups)
    say_notes((*result.notes, *of.notes, *filter(None, [ledger])))


def _say_discrimination(found: Discrimination) -> None:
    rows = [("concordance, Harrell", found.harrell), ("concordance, Uno", found.uno)]
    if found.auc is not None and found.brier is not None and found.at_horizon is not None:
        rows += [(f"AUC at {found.at_horizon.time:g}", found.auc), (f"Brier at {found.at_horizon.time:g}", found.brier)]
    console.say_table(
        ("in these patients", "value", "95 % CI"), [(name, each.value, _limits(each)) for name, each in rows]
    )
    if found.at_horizon is not None:
        console.say(
            f"Index of prediction accuracy {console.shown(found.at_horizon.ipa)} "
            f"(Brier of the Kaplan-Meier estimate {console.shown(found.at_horizon.brier_null)})"
        )
    say_notes(found.notes)


def _say_calibration(found: Calibration) -> None:
    slope = (
        "not computed"
        if found.slope is None
        else f"{found.slope:.2f} ({found.slope_lower:.2f} to {found.slope_upper:.2f})"
    )
    console.say(
        f"Calibration at {found.time:g} {found.unit}s: observed / predicted {found.observed_to_expected:.2f}, slope "
        f"{slope}"
    )
    console.say_table(
        ("risk group", "n", "events", "predicted", "observed", "95 % CI"),
        [
            (
                index + 1,
                group.n,
                group.n_events,
                group.predicted,
                group.observed,
                None if group.lower is None else f"{console.shown(group.lower)} to {console.shown(group.upper)}",
            )
            for index, group in enumerate(found.groups)
        ],
    )
    say_notes(found.notes)


def _limits(estimate: Estimate) -> str:
    return f"{console.shown(estimate.lower)} to {console.shown(estimate.upper)}"
