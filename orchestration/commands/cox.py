"""``petlake cox``: Cox proportional hazards models, on a snapshot or on any CSV."""

from typing import Literal

import click

from orchestration import console
from orchestration.analysis_data import AnalysisData, Source, load_analysis
from orchestration.commands.analysis import say_notes, source_options
from petct.survival.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cox import CoxResult
from petct.survival.cox import cox as fit_cox
from petct.survival.results import Suppressed, as_dict, p_text


@click.command()
@click.option("--covariates", required=True, help="Variables of the model, separated by commas.")
@click.option(
    "--scale",
    type=click.Choice(["per_sd", "per_doubling", "as_is"]),
    default="per_sd",
    show_default=True,
    help="What a hazard ratio of a number refers to.",
)
@click.option(
    "--at-zero",
    type=click.Choice(["refuse", "half_minimum"]),
    default="refuse",
    show_default=True,
    help="With per_doubling: what stands for a value of 0.",
)
@source_options
def cox(
    covariates: str,
    scale: Literal["per_sd", "per_doubling", "as_is"],
    at_zero: Literal["refuse", "half_minimum"],
    source: Source,
    as_json: bool,
) -> None:
    """Cox proportional hazards model: hazard ratios, fit, concordance, test of proportionality.

    \b
    petlake cox --covariates tumour_volume_ml --scale per_doubling
    petlake cox --covariates age_years,suv_max
    """  # noqa: D301 (click reads the character \b)
    names = [name.strip() for name in covariates.split(",") if name.strip()]
    data = load_analysis(source, names)
    result = fit_cox(data.outcome, [_covariate(data, name, scale, at_zero) for name in names])
    if as_json:
        console.say_json({**data.header(*names), **as_dict(result)})
    else:
        _say_cox(data, result, names)


def _covariate(
    data: AnalysisData,
    name: str,
    scale: Literal["per_sd", "per_doubling", "as_is"],
    at_zero: Literal["refuse", "half_minimum"],
) -> NumericCovariate | CategoricalCovariate:
    if data.is_number(name):
        return NumericCovariate(name, data.number(name), data.unit(name), scale, at_zero)
    return CategoricalCovariate(name, data.texts(name))


def _say_cox(data: AnalysisData, result: CoxResult, names: list[str]) -> None:
    console.say(f"{data.title()}: {result.n} patients, {result.n_events} events{data.badge(*names)}")
    console.say_table(
        ("covariate", "scale", "hazard ratio", "95 % CI", "p"),
        [
            (
                term.covariate,
                term.scale,
                term.hazard_ratio,
                f"{console.shown(term.lower)} to {console.shown(term.upper)}",
                p_text(term.p) if term.p is not None else "-",
            )
            for term in result.terms
        ],
    )
    console.say(
        f"All covariates: {_p(result.overall.p, result.overall.p_suppressed)} ({result.overall.df} df); "
        f"concordance {result.concordance:.3f}; "
        f"events per parameter {result.events_per_parameter:.1f}"
    )
    overall = result.proportional_hazards.global_test
    console.say(f"Proportional hazards (scaled Schoenfeld residuals): {_p(overall.p, None)}")
    for term in result.terms:
        if term.p_suppressed is not None:
            console.say(f"  {term.p_suppressed.message}")
    say_notes(result.notes)


def _p(p: float | None, suppressed: Suppressed | None) -> str:
    if p is not None:
        return p_text(p)
    return suppressed.message if suppressed else "not computed"
