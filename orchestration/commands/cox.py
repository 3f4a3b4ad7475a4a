"""``petlake cox``: Cox proportional hazards models, on a snapshot or on any CSV."""

from dataclasses import dataclass
from typing import get_args

import click

from analyses.requests.cox import CoxRequest, PenaltyName, analyse, fitted, residuals, validated
from orchestration import console
from orchestration.analysis_data import AnalysisData, Source, load_analysis
from orchestration.commands import cox_report
from orchestration.commands.analysis import say_notes, source_options
from orchestration.commands.cox_ledger import enter_cox
from petct.errors import SurvivalError
from petct.survival.accuracy.discrimination import FEWEST_RESAMPLES
from petct.survival.cohort.covariates import AtZero, Scale
from petct.survival.cohort.results import as_dict
from petct.survival.cox.curves import baseline_hazards
from petct.survival.cox.result import CoxResult
from petct.survival.cox.schoenfeld import Transform
from petct.survival.cox.tests import DEFAULT_SEED


@click.command()
@click.option("--covariates", required=True, help="Variables of the model, separated by commas.")
@click.option(
    "--scale",
    type=click.Choice(get_args(Scale)),
    default="per_sd",
    show_default=True,
    help="What a hazard ratio of a number refers to; spline lets the log hazard bend.",
)
@click.option("--scale-of", multiple=True, metavar="VARIABLE=SCALE", help="The scale of one variable.")
@click.option("--spline", default="", help="Variables with a spline whatever --scale says, separated by commas.")
@click.option("--knots", type=click.IntRange(3, 5), default=3, show_default=True, help="Knots of a spline.")
@click.option(
    "--at-zero",
    type=click.Choice(get_args(AtZero)),
    default="refuse",
    show_default=True,
    help="With per_doubling: what stands for a value of 0.",
)
@click.option("--categories", default="", help="Variables to take as categories though they are numbers.")
@click.option("--reference", "references", multiple=True, metavar="VARIABLE=LEVEL", help="Reference of a category.")
@click.option("--strata", default="", help="Variables with a baseline hazard for each of their levels.")
@click.option("--cluster", help="Variable that says which patients belong together: clustered standard errors.")
@click.option("--robust", is_flag=True, help="Robust standard errors (Lin and Wei).")
@click.option("--entry", help="Column of the time at which a patient came under observation (left truncation).")
@click.option("--therapy-start", help="Column of the time at which a therapy began; empty: never. Counts from then on.")
@click.option("--penalty", type=click.Choice(get_args(PenaltyName)), default="none", show_default=True)
@click.option("--ridge-strength", type=float, help="With --penalty ridge.  [default: chosen by the events]")
@click.option("--univariable", is_flag=True, help="Every variable alone and with the others.")
@click.option("--added", default="", help="Does the model gain from these variables? A nested comparison.")
@click.option("--subgroups", default="", help="The effect of the first variable in the levels of these.")
@click.option("--impute", type=click.IntRange(min=2), help="Impute missing values so many times, and pool.")
@click.option("--permutations", type=click.IntRange(min=0), help="Of the tests.  [default: 9,999 up to 200 patients]")
@click.option("--seed", default=DEFAULT_SEED, show_default=True, help="Of permutations and imputations.")
@click.option(
    "--transform",
    type=click.Choice(get_args(Transform)),
    default="km",
    show_default=True,
    help="Of time, in the test of proportional hazards.",
)
@click.option(
    "--horizon", type=float, help="Time at which predicted probabilities are judged, corrected by the bootstrap."
)
@click.option("--resamples", default=FEWEST_RESAMPLES, show_default=True, help="With --horizon, at least 200.")
@click.option(
    "--curves", is_flag=True, help="With --json: residuals against time and covariates, and the baseline hazard."
)
@source_options
def cox(source: Source, as_json: bool, **options: object) -> None:
    """Cox proportional hazards model: hazard ratios, fit, concordance, test of proportionality.

    \b
    petlake cox --covariates tumour_volume_ml --scale per_doubling
    petlake cox --covariates age_years,suv_max --univariable
    petlake cox --covariates age_years,grade --added tumour_volume_ml
    petlake cox --covariates suv_max --subgroups sex,grade
    petlake cox --covariates age_years,suv_max --horizon 1095
    """  # noqa: D301 (click reads the character \b)
    given = _Options(**options)  # type: ignore[arg-type]
    request = given.request()
    request.check()
    if given.curves and not (as_json and not request.kinds):
        raise SurvivalError(
            "OPTIONS_CONFLICT",
            "Curves belong to the JSON of one model",
            keyword="--curves",
            expected="--json, and none of the options that ask for another analysis",
        )
    data = load_analysis(source, request.columns)
    result = analyse(request, data.table, data.outcome, data.row_ids)
    plain = isinstance(result, CoxResult) and not request.conditions
    ledger = enter_cox(source, data, request, result)
    validation = None
    if given.horizon is not None:
        validation = validated(request, data.table, data.outcome, given.horizon, n_resamples=given.resamples)
    if as_json:
        more = _curves(request, data) if given.curves else {}
        if validation is not None:
            more["validation"] = as_dict(validation)
        console.say_json({**data.header(*request.modelled, plain=plain), **as_dict(result), **more, "ledger": ledger})
        return
    cox_report.say(data, result, request.modelled, plain=plain)
    if validation is not None:
        cox_report.say_validation(validation)
    say_notes(tuple(filter(None, [ledger])))


@dataclass(frozen=True)
class _Options:
    """The options of one run, as click gives them."""

    covariates: str
    scale: Scale
    scale_of: tuple[str, ...]
    spline: str
    knots: int
    at_zero: AtZero
    categories: str
    references: tuple[str, ...]
    strata: str
    cluster: str | None
    robust: bool
    entry: str | None
    therapy_start: str | None
    penalty: PenaltyName
    ridge_strength: float | None
    univariable: bool
    added: str
    subgroups: str
    impute: int | None
    permutations: int | None
    seed: int
    transform: Transform
    horizon: float | None
    resamples: int
    curves: bool

    def request(self) -> CoxRequest:
        """What they ask for; raises REFERENCE_INVALID and SCALE_INVALID."""
        return CoxRequest(
            covariates=_names(self.covariates),
            scale=self.scale,
            scale_of=tuple((name, _scale(name, scale)) for name, scale in _pairs(self.scale_of, "SCALE_INVALID")),
            splines=_names(self.spline),
            knots=self.knots,
            at_zero=self.at_zero,
            categories=_names(self.categories),
            references=_pairs(self.references, "REFERENCE_INVALID"),
            strata=_names(self.strata),
            cluster=self.cluster,
            robust=self.robust,
            entry=self.entry,
            therapy_start=self.therapy_start,
            penalty=self.penalty,
            ridge_strength=self.ridge_strength,
            univariable=self.univariable,
            added=_names(self.added),
            subgroups=_names(self.subgroups),
            impute=self.impute,
            permutations=self.permutations,
            seed=self.seed,
            transform=self.transform,
        )


def _curves(request: CoxRequest, data: AnalysisData) -> dict[str, object]:
    """Curves of the model itself, as JSON has them."""
    found = residuals(request, data.table, data.outcome)
    return {
        "schoenfeld": [as_dict(curve) for curve in found.over_time],
        "functional_form": [as_dict(curve) for curve in found.forms],
        "baseline_at_mean": [
            {"stratum": each.stratum, "times": each.hazard.times.tolist(), "hazard": each.hazard.cumulative.tolist()}
            for each in baseline_hazards(fitted(request, data.table, data.outcome), at="mean")
        ],
    }


def _pairs(texts: tuple[str, ...], code: str) -> tuple[tuple[str, str], ...]:
    """Pairs of a variable and what is said of it; raises ``code`` for a text without an equals sign."""
    whole = [text for text in texts if "=" in text]
    if len(whole) < len(texts):
        option, example = ("--reference", "grade=G1") if code == "REFERENCE_INVALID" else ("--scale-of", "age=as_is")
        raise SurvivalError(
            code,
            "The option names a variable and what is said of it",
            keyword=option,
            found=", ".join(texts),
            expected=f"for example {option} {example}",
        )
    return tuple((name, value) for name, _, value in (text.partition("=") for text in whole))


def _scale(name: str, text: str) -> Scale:
    for scale in get_args(Scale):
        if text == scale:
            return scale
    raise SurvivalError(
        "SCALE_INVALID",
        f"There is no such scale of {name}",
        keyword="--scale-of",
        found=text,
        expected=", ".join(get_args(Scale)),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
