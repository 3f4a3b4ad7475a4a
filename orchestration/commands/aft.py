"""``petlake aft``: accelerated failure time models by lifelines, on a snapshot or on any CSV."""

import click

from analyses.requests.aft import AftRequest
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands.analysis import answered, say_notes, source_options
from orchestration.commands.options import request_options
from petct.survival.cohort.results import p_text
from petct.survival.with_lifelines.aft_result import TITLES, AftResult


@click.command()
@request_options(AftRequest)
@source_options
def aft(request: AftRequest, source: Source, as_json: bool) -> None:
    """Fit Weibull, log-normal and log-logistic models with lifelines: time ratios, AIC, check of the distribution.

    \b
    petlake aft --covariates tumour_volume_ml --scale per_doubling
    petlake aft --covariates age_years,grade --distributions weibull
    petlake aft --csv trial.csv --duration time --event status --covariates age
    """  # noqa: D301 (click reads the character \b)
    found, ledger, _ = answered(source, request)
    if as_json:
        console.say_json(found.as_json(ledger))
        return
    result = found.result_as(AftResult)
    console.say(f"{found.basis.title}: {found.n} patients, {found.n_events} events{found.badge}")
    _say_models(result)
    say_notes(tuple(filter(None, (*result.notes, ledger))))


def _say_models(result: AftResult) -> None:
    for model in result.models:
        tests = {test.covariate: test for test in model.tests}
        shown = {name: "-" if test.p is None else p_text(test.p) for name, test in tests.items()}
        console.say(
            f"{TITLES[model.distribution]}: AIC {model.aic:.1f} (+{model.aic_difference:.1f}), concordance "
            f"{model.concordance:.3f}, scale of log time {console.shown(model.scale)}"
        )
        console.say_table(
            ("covariate", "scale", "time ratio", f"{result.confidence:.0%} CI", "p of the covariate"),
            [
                (
                    term.covariate,
                    term.scale,
                    term.time_ratio,
                    f"{console.shown(term.lower)} to {console.shown(term.upper)}",
                    shown[term.covariate],
                )
                for term in model.terms
            ],
        )
    withheld = [test.p_suppressed.message for model in result.models for test in model.tests if test.p_suppressed]
    say_notes(tuple(dict.fromkeys(withheld)))
