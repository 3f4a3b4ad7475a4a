"""``petlake cox``: Cox proportional hazards models, on a snapshot or on any CSV."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import click

from orchestration import console
from orchestration.analysis_data import AnalysisData, Source, load_analysis
from orchestration.commands import cox_report
from orchestration.commands.analysis import say_notes, source_options
from orchestration.commands.cox_ledger import enter_cox
from petct.errors import SurvivalError
from petct.survival.covariates import CategoricalCovariate, Covariate, NumericCovariate, Scale
from petct.survival.cox import Firth, Ridge
from petct.survival.cox import cox as fit_cox
from petct.survival.cox import fit_cox as fit_model
from petct.survival.cox_curves import baseline_hazards, functional_form, schoenfeld_curves
from petct.survival.cox_result import CoxResult
from petct.survival.cox_tests import DEFAULT_SEED
from petct.survival.forest_table import forest_table
from petct.survival.model_comparison import compare_models
from petct.survival.outcome import Outcome
from petct.survival.penalised import Penalty
from petct.survival.pooled_cox import cox_imputed
from petct.survival.results import as_dict
from petct.survival.schoenfeld import Transform
from petct.survival.subgroups import subgroup_table
from petct.survival.time_varying import cox_with_therapy


@click.command()
@click.option("--covariates", required=True, help="Variables of the model, separated by commas.")
@click.option(
    "--scale",
    type=click.Choice(get_args(Scale)),
    default="per_sd",
    show_default=True,
    help="What a hazard ratio of a number refers to; spline lets the log hazard bend.",
)
@click.option("--spline", default="", help="Variables with a spline whatever --scale says, separated by commas.")
@click.option("--knots", type=click.IntRange(3, 5), default=3, show_default=True, help="Knots of a spline.")
@click.option(
    "--at-zero",
    type=click.Choice(["refuse", "half_minimum"]),
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
@click.option("--penalty", type=click.Choice(["none", "ridge", "firth"]), default="none", show_default=True)
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
    """  # noqa: D301 (click reads the character \b)
    request = _Request(**options)  # type: ignore[arg-type]
    request.check(as_json)
    data = load_analysis(source, request.columns)
    outcome = data.outcome if request.entry is None else replace(data.outcome, entry=data.number(request.entry))
    result = _run(request, data, outcome)
    plain = isinstance(result, CoxResult) and not request.conditions
    ledger = enter_cox(source, data, request.scale, request.conditions, request.modelled, result)
    if as_json:
        curves = _curves(request, data, outcome) if request.curves else {}
        console.say_json({**data.header(*request.modelled, plain=plain), **as_dict(result), **curves, "ledger": ledger})
    else:
        cox_report.say(data, result, request.modelled, plain=plain)
        say_notes(tuple(filter(None, [ledger])))


@dataclass(frozen=True)
class _Request:
    """The options of one run."""

    covariates: str
    scale: Scale
    spline: str
    knots: int
    at_zero: Literal["refuse", "half_minimum"]
    categories: str
    references: tuple[str, ...]
    strata: str
    cluster: str | None
    robust: bool
    entry: str | None
    therapy_start: str | None
    penalty: str
    ridge_strength: float | None
    univariable: bool
    added: str
    subgroups: str
    impute: int | None
    permutations: int | None
    seed: int
    transform: Transform
    curves: bool

    @property
    def modelled(self) -> tuple[str, ...]:
        """Variables whose effects are asked for."""
        therapy = [self.therapy_start] if self.therapy_start else []
        return tuple(dict.fromkeys([*_names(self.covariates), *_names(self.added), *therapy]))

    @property
    def columns(self) -> list[str]:
        """All columns the run needs."""
        others = [*_names(self.strata), *_names(self.subgroups), *filter(None, (self.cluster, self.entry))]
        return list(dict.fromkeys([*self.modelled, *others]))

    @property
    def conditions(self) -> tuple[str, ...]:
        """What makes this model another one than that of the same variables, in words."""
        said = {
            "strata": self.strata,
            "clustered by": self.cluster,
            "robust": self.robust,
            "entry": self.entry,
            "penalty": "" if self.penalty == "none" else self.penalty,
            "added": self.added,
            "subgroups": self.subgroups,
            "imputed": self.impute,
            "splines": f"{self.spline} with {self.knots} knots" if self.spline else "",
            "ridge strength": self.ridge_strength,
            "categories": self.categories,
            "references": "; ".join(self.references),
        }
        return tuple(name if value is True else f"{name} {value}" for name, value in said.items() if value)

    def check(self, as_json: bool) -> None:
        """Refuse options that ask for two analyses at once, or for one that does not exist."""
        unknown = set(_references(self.references)) - set(self.modelled)
        if unknown:
            raise SurvivalError(
                "REFERENCE_INVALID",
                "A reference belongs to no variable of the model",
                keyword="--reference",
                found=", ".join(sorted(unknown)),
                expected=", ".join(self.modelled),
            )
        kinds = {
            "--univariable": self.univariable,
            "--added": bool(self.added),
            "--subgroups": bool(self.subgroups),
            "--impute": self.impute is not None,
            "--therapy-start": self.therapy_start is not None,
        }
        asked = [name for name, given in kinds.items() if given]
        if len(asked) > 1:
            raise SurvivalError(
                "OPTIONS_CONFLICT",
                "These options ask for different analyses",
                keyword=", ".join(asked),
                expected="one of them",
            )
        beside = {
            "--strata": bool(self.strata) and asked in (["--subgroups"], ["--therapy-start"]),
            "--cluster or --robust": bool(self.cluster or self.robust) and bool(asked),
            "--penalty": self.penalty != "none" and bool(asked) and asked != ["--univariable"],
        }
        if self.curves and not (as_json and not asked):
            raise SurvivalError(
                "OPTIONS_CONFLICT",
                "Curves belong to the JSON of one model",
                keyword="--curves",
                expected="--json, and none of " + ", ".join(kinds),
            )
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


def _run(request: _Request, data: AnalysisData, outcome: Outcome) -> cox_report.AnyCoxResult:
    def covariates(text: str) -> list[Covariate]:
        return [_covariate(request, data, name) for name in _names(text)]

    def categories(text: str) -> list[CategoricalCovariate]:
        return [CategoricalCovariate(name, data.texts(name)) for name in _names(text)]

    model, strata = covariates(request.covariates), categories(request.strata)
    permutations, seed = request.permutations, request.seed
    if request.univariable:
        penalty = request.penalty_of_model()
        return forest_table(outcome, model, strata=strata, penalty=penalty, permutations=permutations, seed=seed)
    if request.added:
        added = covariates(request.added)
        return compare_models(outcome, model, added, strata=strata, permutations=permutations, seed=seed)
    if request.subgroups:
        effect, *others = model
        variables = categories(request.subgroups)
        return subgroup_table(outcome, effect, variables, adjust_for=others, permutations=permutations, seed=seed)
    if request.impute is not None:
        return cox_imputed(outcome, model, strata=strata, n_imputations=request.impute, seed=seed)
    if request.therapy_start:
        started = data.number(request.therapy_start)
        return cox_with_therapy(outcome, started, model, name=request.therapy_start, patients=data.row_ids)
    cluster = CategoricalCovariate(request.cluster, data.texts(request.cluster)) if request.cluster else None
    return fit_cox(
        outcome,
        model,
        strata=strata,
        robust=request.robust,
        cluster=cluster,
        penalty=request.penalty_of_model(),
        permutations=permutations,
        seed=seed,
        transform=request.transform,
    )


def _curves(request: _Request, data: AnalysisData, outcome: Outcome) -> dict[str, object]:
    """Curves of the model itself, as JSON has them."""
    model = [_covariate(request, data, name) for name in _names(request.covariates)]
    strata = [CategoricalCovariate(name, data.texts(name)) for name in _names(request.strata)]
    fit = fit_model(outcome, model, strata=strata, penalty=request.penalty_of_model())
    forms = [
        functional_form(outcome, covariate, [other for other in model if other is not covariate], strata=strata)
        for covariate in model
        if isinstance(covariate, NumericCovariate)
    ]
    return {
        "schoenfeld": [as_dict(curve) for curve in schoenfeld_curves(fit, request.transform)],
        "functional_form": [as_dict(curve) for curve in forms],
        "baseline_at_mean": [
            {"stratum": each.stratum, "times": each.hazard.times.tolist(), "hazard": each.hazard.cumulative.tolist()}
            for each in baseline_hazards(fit, at="mean")
        ],
    }


def _covariate(request: _Request, data: AnalysisData, name: str) -> Covariate:
    if data.is_number(name) and name not in _names(request.categories):
        scale: Scale = "spline" if name in _names(request.spline) else request.scale
        return NumericCovariate(name, data.number(name), data.unit(name), scale, request.at_zero, request.knots)
    return CategoricalCovariate(name, data.texts(name), _references(request.references).get(name))


def _references(pairs: tuple[str, ...]) -> dict[str, str]:
    found = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if len(found) < len(pairs):
        raise SurvivalError(
            "REFERENCE_INVALID",
            "A reference names a variable and its level",
            keyword="--reference",
            found=", ".join(pairs),
            expected="for example --reference grade=G1",
        )
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
