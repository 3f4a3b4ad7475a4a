"""``petlake km``: curves of a split, on a snapshot or on any CSV."""

import click

from analyses.requests.kaplan_meier import KaplanMeierRequest
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands.analysis import say_notes, source_options
from orchestration.commands.km_report import say_answer
from orchestration.commands.lifelines_report import ENGINE_OPTION, check_json, checked, say_check
from orchestration.commands.options import request_options


@click.command()
@request_options(KaplanMeierRequest)
@ENGINE_OPTION
@source_options
def km(request: KaplanMeierRequest, engine: str, source: Source, as_json: bool) -> None:
    """Compute survival curves, medians, restricted means and log-rank test, or with --competing cumulative incidence.

    \b
    petlake km --by tumour_volume_ml
    petlake km --by tumour_volume_ml --split optimal
    petlake km --by grade --split category --order G1,G2,G3 --trend --pairwise
    petlake km --endpoint PFS --by grade --competing --covariates age_years
    petlake km --by tumour_volume_ml --engine lifelines
    petlake km --csv trial.csv --duration time --event status --by age --split 65
    """  # noqa: D301 (click reads the character \b)
    found, ledger, data, check = checked(engine, source, request)
    if as_json:
        console.say_json({**found.as_json(ledger), **check_json(check)})
        return
    say_answer(found)
    if not request.competing and data.outcome.n_competing_censored:
        say_notes(("For the probability of the event: --competing.",))
    say_notes(tuple(filter(None, [ledger])))
    say_check(check)
