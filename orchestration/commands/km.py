"""``petlake km``: Kaplan-Meier curves of a split, on a snapshot or on any CSV."""

import click

from orchestration import console
from orchestration.analysis_data import AnalysisData, Source, load_analysis
from orchestration.commands.analysis import say_notes, source_options
from petct.errors import SurvivalError
from petct.survival.groups import Grouping, everyone, split_at, split_by_category, split_by_median, split_by_tertiles
from petct.survival.kaplan_meier import kaplan_meier
from petct.survival.kaplan_meier_result import KaplanMeierResult, MedianTime
from petct.survival.results import as_dict, p_text


@click.command()
@click.option("--by", "variable", help="Variable that splits the patients; without it, one curve of all.")
@click.option(
    "--split",
    default="median",
    show_default=True,
    help="median, tertiles, category, or one or more cut points: 5 or 5,20.",
)
@click.option("--landmarks", default="", help="Times at which to print the survival, separated by commas.")
@source_options
def km(
    variable: str | None,
    split: str,
    landmarks: str,
    source: Source,
    as_json: bool,
) -> None:
    """Kaplan-Meier curves, medians and log-rank test.

    \b
    petlake km --by tumour_volume_ml
    petlake km --by grade --split category
    petlake km --csv trial.csv --duration time --event status --by age --split 65
    """  # noqa: D301 (click reads the character \b)
    data = load_analysis(source, [variable] if variable else [])
    grouping = _grouping(data, variable, split)
    result = kaplan_meier(data.outcome, grouping, landmarks=_times(landmarks))
    if as_json:
        console.say_json({**data.header(*filter(None, [variable])), **as_dict(result)})
    else:
        _say_km(data, result, variable)


def _grouping(data: AnalysisData, variable: str | None, split: str) -> Grouping:
    if variable is None:
        return everyone(len(data.row_ids))
    unit = data.unit(variable)
    if split == "category" or (split == "median" and not data.is_number(variable)):
        return split_by_category(data.texts(variable), variable)
    values = data.number(variable)
    if split == "median":
        return split_by_median(values, variable, unit)
    if split == "tertiles":
        return split_by_tertiles(values, variable, unit)
    try:
        cuts = [float(part) for part in split.split(",")]
    except ValueError:
        raise SurvivalError(
            "SPLIT_UNKNOWN",
            "The patients cannot be split like this",
            keyword="--split",
            found=split,
            expected="median, tertiles, category, or numbers separated by commas",
        ) from None
    return split_at(values, cuts, variable, unit)


def _times(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise SurvivalError(
            "TIME_INVALID", "A time is not a number", keyword="--landmarks", found=text, expected="for example 365,730"
        ) from None


def _say_km(data: AnalysisData, result: KaplanMeierResult, variable: str | None) -> None:
    console.say(f"{data.title()}: {result.n} patients, {result.n_events} events{data.badge(*filter(None, [variable]))}")
    console.say_table(
        ("group", "n", "events", f"median ({result.unit}s)", "95 % CI"),
        [(c.group, c.n, c.n_events, _median(c.median), _interval(c.median)) for c in result.curves],
    )
    landmarks = [(c.group, at) for c in result.curves for at in c.landmarks]
    if landmarks:
        console.say_table(
            ("group", f"time ({result.unit}s)", "survival", "95 % CI", "at risk"),
            [
                (group, at.time, at.survival, f"{console.shown(at.lower)} to {console.shown(at.upper)}", at.n_at_risk)
                if at.n_at_risk
                else (group, at.time, None, "beyond follow-up", 0)
                for group, at in landmarks
            ],
        )
    test = result.log_rank
    if test is not None:
        if test.p is None:
            # Its reason is among the notes.
            console.say("Log-rank test: p withheld")
        else:
            console.say(f"Log-rank test: chi-squared {console.shown(test.chi_squared)}, {test.df} df, {p_text(test.p)}")
    console.say(f"Median follow-up (reverse Kaplan-Meier): {_median(result.follow_up)} {result.unit}s")
    say_notes(result.notes)


def _median(median: MedianTime) -> str:
    return "not reached" if median.value is None else console.shown(median.value)


def _interval(median: MedianTime) -> str:
    lower = "not reached" if median.lower is None else console.shown(median.lower)
    upper = "not reached" if median.upper is None else console.shown(median.upper)
    return f"{lower} to {upper}"
