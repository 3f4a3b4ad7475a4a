"""``petlake km``: curves of a split, on a snapshot or on any CSV."""

from typing import get_args

import click

from analyses.requests.kaplan_meier import KaplanMeierRequest, analyse, refuse_cut_of_nothing, refuse_with_competing
from orchestration import console
from orchestration.analysis_data import Source, load_analysis
from orchestration.commands.analysis import say_notes, source_options
from orchestration.commands.km_competing import run_competing
from orchestration.commands.km_ledger import enter_tests
from orchestration.commands.km_report import say_cut_point, say_kaplan_meier
from petct.errors import SurvivalError
from petct.survival.cohort.multiplicity import Correction
from petct.survival.cohort.results import as_dict
from petct.survival.kaplan_meier.cut_points import DEFAULT_PERMUTATIONS, DEFAULT_RESAMPLES, DEFAULT_SEED


@click.command()
@click.option("--by", "variable", help="Variable that splits the patients; without it, one curve of all.")
@click.option(
    "--split",
    default="median",
    show_default=True,
    help="median, tertiles, quartiles, quantiles:N, category, optimal (with a p corrected for the search), or one or "
    "more cut points: 5 or 5,20.",
)
@click.option("--order", help="Order of the categories, separated by commas; for --trend.")
@click.option("--landmarks", default="", help="Times at which to print the survival, separated by commas.")
@click.option("--tau", type=float, help="Horizon of the restricted mean.  [default: the largest common time]")
@click.option(
    "--weights",
    default="",
    help="Weighted log-rank tests beside the plain one: peto-peto, gehan-breslow, tarone-ware, or RHO:GAMMA of Fleming "
    "and Harrington, separated by commas.",
)
@click.option("--trend", is_flag=True, help="Test a trend over ordered groups.")
@click.option("--pairwise", is_flag=True, help="Test every two of several groups.")
@click.option(
    "--correction",
    type=click.Choice(get_args(Correction)),
    default="holm",
    show_default=True,
    help="Correction of several p-values.",
)
@click.option("--entry", help="Column of the time at which a patient came under observation (left truncation).")
@click.option("--from-landmark", type=float, help="Analyse those free of the event at this time, from there on.")
@click.option("--competing", is_flag=True, help="Cumulative incidence and Gray's test: event 2 competes with event 1.")
@click.option(
    "--covariates", default="", help="With --competing: variables of a Fine-Gray and of cause-specific Cox models."
)
@click.option("--permutations", default=DEFAULT_PERMUTATIONS, show_default=True, help="With --split optimal.")
@click.option("--resamples", default=DEFAULT_RESAMPLES, show_default=True, help="With --split optimal: bootstrap.")
@click.option("--seed", default=DEFAULT_SEED, show_default=True, help="With --split optimal.")
@source_options
def km(
    variable: str | None,
    split: str,
    order: str | None,
    landmarks: str,
    tau: float | None,
    weights: str,
    trend: bool,
    pairwise: bool,
    correction: Correction,
    entry: str | None,
    from_landmark: float | None,
    competing: bool,
    covariates: str,
    permutations: int,
    resamples: int,
    seed: int,
    source: Source,
    as_json: bool,
) -> None:
    """Survival curves, medians, restricted means and log-rank test; with --competing, cumulative incidence.

    \b
    petlake km --by tumour_volume_ml
    petlake km --by tumour_volume_ml --split optimal
    petlake km --by grade --split category --order G1,G2,G3 --trend --pairwise
    petlake km --endpoint PFS --by grade --competing --covariates age_years
    petlake km --csv trial.csv --duration time --event status --by age --split 65
    """  # noqa: D301 (click reads the character \b)
    request = KaplanMeierRequest(
        variable=variable,
        split=split,
        order=_names(order or ""),
        landmarks=_numbers(landmarks, "--landmarks"),
        tau=tau,
        weights=_names(weights),
        trend=trend,
        pairwise=pairwise,
        correction=correction,
        entry=entry,
        from_landmark=from_landmark,
        permutations=permutations,
        resamples=resamples,
        seed=seed,
    )
    modelled = _names(covariates)
    _refuse_conflicts(request, competing, modelled)
    data = load_analysis(source, list(dict.fromkeys((*request.columns, *modelled))), competing=competing)
    if competing:
        run_competing(source, data, request, modelled, as_json=as_json)
        return
    found = analyse(request, data.table, data.outcome)
    ledger = enter_tests(source, data, variable, found.hypotheses, found.result)
    if as_json:
        cut = {} if found.cut is None else {"cut_point": as_dict(found.cut)}
        header = data.header(*filter(None, [variable]), plain=found.plain)
        console.say_json({**header, **as_dict(found.result), **cut, "ledger": ledger})
        return
    say_kaplan_meier(data, found.result, variable, plain=found.plain)
    if found.cut is not None:
        say_cut_point(found.cut)
    if data.outcome.n_competing_censored:
        say_notes(("For the probability of the event: --competing.",))
    say_notes(tuple(filter(None, [ledger])))


def _refuse_conflicts(request: KaplanMeierRequest, competing: bool, covariates: tuple[str, ...]) -> None:
    """Refuse options that do not go together, before anything is read."""
    if competing:
        refuse_with_competing(request)
    refuse_cut_of_nothing(request)
    if covariates and not competing:
        raise SurvivalError(
            "OPTION_NEEDS_COMPETING", "Models without competing events are petlake cox", keyword="--covariates"
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(text: str, option: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise SurvivalError(
            "TIME_INVALID", "A time is not a number", keyword=option, found=text, expected="for example 365,730"
        ) from None
