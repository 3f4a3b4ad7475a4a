"""``petlake cox``: Cox proportional hazards models, on a snapshot or on any CSV."""

import click

from analyses.requests.cox import CoxRequest
from analyses.requests.cox_answer import fitted, residuals
from analyses.requests.data import AnalysisData
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands import cox_report
from orchestration.commands.analysis import say_notes, source_options
from orchestration.commands.lifelines_report import ENGINE_OPTION, check_json, checked, say_check
from orchestration.commands.options import request_options
from petct.errors import SurvivalError
from petct.survival.cohort.results import as_dict
from petct.survival.cox.curves import baseline_hazards


@click.command()
@request_options(CoxRequest)
@click.option(
    "--curves",
    is_flag=True,
    help="With --json: also print residuals against time and covariates, and the baseline hazard.",
)
@ENGINE_OPTION
@source_options
def cox(request: CoxRequest, curves: bool, engine: str, source: Source, as_json: bool) -> None:
    """Fit a Cox proportional hazards model: hazard ratios, concordance, test of proportional hazards.

    \b
    petlake cox --covariates tumour_volume_ml --scale per_doubling
    petlake cox --covariates age_years,suv_max --univariable
    petlake cox --covariates age_years,grade --added tumour_volume_ml
    petlake cox --covariates suv_max --subgroups sex,grade
    petlake cox --covariates age_years,suv_max --horizon 1095
    petlake cox --covariates age_years,suv_max --engine lifelines
    """  # noqa: D301 (click reads the character \b)
    if curves and not (as_json and not request.kinds):
        raise SurvivalError(
            "OPTIONS_CONFLICT",
            "Curves belong to the JSON of one model",
            keyword="--curves",
            expected="--json, and none of the options that ask for another analysis",
        )
    found, ledger, data, check = checked(engine, source, request)
    if as_json:
        more = _curves(request, data) if curves else {}
        console.say_json({**found.as_json(ledger), **more, **check_json(check)})
        return
    cox_report.say_answer(found)
    say_notes(tuple(filter(None, [ledger])))
    say_check(check)


def _curves(request: CoxRequest, data: AnalysisData) -> dict[str, object]:
    """Curves of the model itself, as JSON has them."""
    found = residuals(request, data)
    return {
        "schoenfeld": [as_dict(curve) for curve in found.over_time],
        "functional_form": [as_dict(curve) for curve in found.forms],
        "baseline_at_mean": [
            {"stratum": each.stratum, "times": each.hazard.times.tolist(), "hazard": each.hazard.cumulative.tolist()}
            for each in baseline_hazards(fitted(request, data), at="mean")
        ],
    }
