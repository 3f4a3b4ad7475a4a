"""``petlake aft``: accelerated failure time models by lifelines, on a snapshot or on any CSV."""

import click

from analyses.requests.aft import AftRequest
from analyses.tables import models
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands.analysis import answered, say_notes, source_options
from orchestration.commands.options import request_options
from petct.survival.with_lifelines.aft_result import AftResult


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
    console.say_result(models.distributions(result))
    console.say_result(models.time_ratios(result))
    withheld = [test.p_suppressed.message for model in result.models for test in model.tests if test.p_suppressed]
    say_notes((*dict.fromkeys(withheld), *result.notes, *filter(None, [ledger])))
