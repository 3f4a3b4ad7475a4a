"""``petlake km``: curves of a split, on a snapshot or on any CSV."""

from dataclasses import replace
from typing import get_args

import click

from orchestration import console
from orchestration.analysis_data import AnalysisData, Source, load_analysis
from orchestration.commands.analysis import say_notes, source_options
from orchestration.commands.km_competing import run_competing
from orchestration.commands.km_ledger import enter_kaplan_meier
from orchestration.commands.km_report import say_cut_point, say_kaplan_meier
from petct.errors import SurvivalError
from petct.survival.cut_points import (
    DEFAULT_PERMUTATIONS,
    DEFAULT_RESAMPLES,
    DEFAULT_SEED,
    CutPointResult,
    maximally_selected_cut,
)
from petct.survival.groups import (
    QUANTILE_RULES,
    Grouping,
    everyone,
    split_at,
    split_at_chosen_cut,
    split_by_category,
    split_by_median,
    split_by_quantiles,
)
from petct.survival.kaplan_meier import kaplan_meier
from petct.survival.landmark import landmark_cohort
from petct.survival.log_rank import GEHAN_BRESLOW, PETO_PETO, TARONE_WARE, Weighting
from petct.survival.multiplicity import Correction
from petct.survival.outcome import Outcome
from petct.survival.results import as_dict
from petct.survival.tested import hypotheses_of_kaplan_meier

_WEIGHTINGS = {"peto-peto": PETO_PETO, "gehan-breslow": GEHAN_BRESLOW, "tarone-ware": TARONE_WARE}
_QUANTILES = {name: n for n, name in QUANTILE_RULES.items() if n > 2}


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
    if competing and (entry or from_landmark is not None or weights or trend or pairwise or tau is not None):
        raise SurvivalError(
            "OPTION_NOT_WITH_COMPETING",
            "The cumulative incidence has Gray's test, and neither late entries nor a restricted mean",
            keyword="--competing",
            found="--entry, --from-landmark, --weights, --trend, --pairwise or --tau",
        )
    if split == "optimal" and (competing or variable is None):
        raise SurvivalError(
            "SPLIT_OPTIMAL_UNAVAILABLE",
            "A cut is searched in one variable, and for the survival curve",
            keyword="--split optimal",
            expected="--by VARIABLE, and no --competing",
        )
    modelled = [name.strip() for name in covariates.split(",") if name.strip()]
    if modelled and not competing:
        raise SurvivalError(
            "OPTION_NEEDS_COMPETING", "Models without competing events are petlake cox", keyword="--covariates"
        )
    names = list(dict.fromkeys(name for name in (variable, entry, *modelled) if name))
    data = load_analysis(source, names, competing=competing)
    times = _numbers(landmarks, "--landmarks")
    if competing:
        groups = variable, _grouping(data, variable, split, order)
        run_competing(source, data, groups, times, modelled, as_json=as_json)
        return

    outcome, data, notes = _observed(data, entry, from_landmark)
    cut: CutPointResult | None = None
    if split == "optimal" and variable is not None:
        values, unit = data.number(variable), data.unit(variable)
        cut = maximally_selected_cut(
            outcome, values, variable, unit, n_permutations=permutations, n_resamples=resamples, seed=seed
        )
        grouping = split_at_chosen_cut(values, cut.cut, variable, unit)
    else:
        grouping = _grouping(data, variable, split, order)
    result = kaplan_meier(
        outcome,
        grouping,
        landmarks=times,
        tau=tau,
        weightings=_weightings(weights),
        trend=trend,
        pairwise=pairwise,
        correction=correction,
    )
    result = replace(result, notes=(*notes, *result.notes))
    conditions = (f"entry {entry}" if entry else "", f"from {from_landmark:g} on" if from_landmark is not None else "")
    conditions = tuple(filter(None, conditions))
    plain = cut is None and any(test.plain for test in hypotheses_of_kaplan_meier(result, conditions))
    ledger = enter_kaplan_meier(source, data, variable, conditions, result, cut)
    if as_json:
        found = {} if cut is None else {"cut_point": as_dict(cut)}
        header = data.header(*filter(None, [variable]), plain=plain)
        console.say_json({**header, **as_dict(result), **found, "ledger": ledger})
        return
    say_kaplan_meier(data, result, variable, plain=plain)
    if cut is not None:
        say_cut_point(cut)
    if outcome.n_competing_censored:
        say_notes(("For the probability of the event: --competing.",))
    say_notes(tuple(filter(None, [ledger])))


def _observed(
    data: AnalysisData, entry: str | None, landmark: float | None
) -> tuple[Outcome, AnalysisData, tuple[str, ...]]:
    """Outcome with entry times, from a landmark on, and the data of the patients it has."""
    outcome = data.outcome
    if entry is not None:
        outcome = replace(outcome, entry=data.number(entry))
    if landmark is None:
        return outcome, data, ()
    cohort = landmark_cohort(outcome, landmark)
    columns = {name: column[cohort.kept] for name, column in data.columns.items()}
    row_ids = tuple(row for row, kept in zip(data.row_ids, cohort.kept, strict=True) if kept)
    return cohort.outcome, replace(data, columns=columns, row_ids=row_ids), (cohort.note,)


def _grouping(data: AnalysisData, variable: str | None, split: str, order: str | None) -> Grouping:
    if variable is None:
        return everyone(len(data.row_ids))
    unit = data.unit(variable)
    if order or split == "category" or (split == "median" and not data.is_number(variable)):
        labels = [label.strip() for label in order.split(",")] if order else None
        return split_by_category(data.texts(variable), variable, labels)
    values = data.number(variable)
    if split == "median":
        return split_by_median(values, variable, unit)
    n_groups = _QUANTILES.get(split)
    if split.startswith("quantiles:") and split.removeprefix("quantiles:").isdigit():
        n_groups = int(split.removeprefix("quantiles:"))
    if n_groups is not None:
        return split_by_quantiles(values, n_groups, variable, unit)
    try:
        cuts = [float(part) for part in split.split(",")]
    except ValueError:
        raise SurvivalError(
            "SPLIT_UNKNOWN",
            "The patients cannot be split like this",
            keyword="--split",
            found=split,
            expected="median, tertiles, quartiles, quantiles:N, category, optimal, or numbers separated by commas",
        ) from None
    return split_at(values, cuts, variable, unit)


def _weightings(text: str) -> list[Weighting]:
    found = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        if name in _WEIGHTINGS:
            found.append(_WEIGHTINGS[name])
            continue
        try:
            rho, gamma = (float(part) for part in name.split(":"))
        except ValueError:
            raise SurvivalError(
                "WEIGHTING_UNKNOWN",
                "There is no such weighted log-rank test",
                keyword="--weights",
                found=name,
                expected=", ".join([*_WEIGHTINGS, "or RHO:GAMMA, for example 0:1"]),
            ) from None
        found.append(Weighting(f"Fleming-Harrington rho {rho:g}, gamma {gamma:g}", rho=rho, gamma=gamma))
    return found


def _numbers(text: str, option: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise SurvivalError(
            "TIME_INVALID", "A time is not a number", keyword=option, found=text, expected="for example 365,730"
        ) from None
