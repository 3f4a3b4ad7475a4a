"""``petlake km --competing``: cumulative incidence, and models of the events that exclude each other."""

from collections.abc import Sequence

from analyses.requests.competing import CompetingModels, competing_models
from analyses.requests.kaplan_meier import KaplanMeierRequest, analyse_competing
from orchestration import console
from orchestration.analysis_data import AnalysisData, Source
from orchestration.commands.analysis import say_notes
from orchestration.commands.km_ledger import enter_cumulative_incidence, enter_models
from orchestration.commands.km_report import say_cumulative_incidence, shown_p, shown_span
from petct.survival.cohort.results import as_dict
from petct.survival.competing.fine_gray import FineGrayResult, FineGrayTerm
from petct.survival.cox.model import CoxResult, CoxTerm


def run_competing(
    source: Source, data: AnalysisData, request: KaplanMeierRequest, covariates: Sequence[str], *, as_json: bool
) -> None:
    """Analyse and print.

    Parameters
    ----------
    request
        Groups and landmarks.
    covariates
        Variables of the models; none for curves only.
    """
    variable = request.variable
    result = analyse_competing(request, data.table, data.competing_outcome)
    models = competing_models(data.table, covariates, data.competing_outcome) if covariates else None
    ledger = enter_cumulative_incidence(source, data, variable, result)
    if models is not None:
        ledger = enter_models(source, data, tuple(covariates), models) or ledger
    if as_json:
        found = {} if models is None else _models_dict(models)
        header = data.header(*filter(None, [variable]))
        console.say_json({**header, **as_dict(result), **found, "ledger": ledger})
        return
    say_cumulative_incidence(data, result, variable)
    if models is not None:
        _say_models(data, models)
    say_notes(tuple(filter(None, [ledger])))


def _models_dict(models: CompetingModels) -> dict[str, object]:
    return {
        "fine_gray": _model_dict(models.fine_gray),
        "cause_specific": {cause: _model_dict(model) for cause, model in models.hazards},
    }


def _model_dict(model: FineGrayResult | CoxResult | str) -> dict[str, object]:
    return {"refused": model} if isinstance(model, str) else dict(as_dict(model))


def _say_models(data: AnalysisData, models: CompetingModels) -> None:
    interest = data.competing_outcome.causes[0]
    _say_model(f"Subdistribution hazard of {interest} (Fine-Gray: cumulative incidence)", models.fine_gray)
    for cause, model in models.hazards:
        _say_model(f"Cause-specific hazard of {cause} (Cox)", model)


def _say_model(title: str, model: FineGrayResult | CoxResult | str) -> None:
    if isinstance(model, str):
        console.say(f"{title}: refused: {model}")
        return
    if isinstance(model, FineGrayResult):
        rows: list[tuple[FineGrayTerm | CoxTerm, float]] = [
            (term, term.subdistribution_hazard_ratio) for term in model.terms
        ]
    else:
        rows = [(term, term.hazard_ratio) for term in model.terms]
    console.say(f"{title}: {model.n} patients, {model.n_events} events")
    console.say_table(
        ("covariate", "scale", "hazard ratio", "95 % CI", "p"),
        [
            (term.covariate, term.scale, ratio, shown_span(term.lower, term.upper), shown_p(term.p))
            for term, ratio in rows
        ],
    )
    say_notes(model.notes)
