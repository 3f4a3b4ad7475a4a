"""``petlake km``, ``cox`` and ``pca``: the dashboard's statistics, on a snapshot or on any CSV."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import click
import numpy as np

from orchestration import console
from orchestration.analysis_data import AnalysisData, Source, load_analysis
from petct.errors import SurvivalError
from petct.survival.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cox import CoxResult
from petct.survival.cox import cox as fit_cox
from petct.survival.groups import Grouping, everyone, split_at, split_by_category, split_by_median, split_by_tertiles
from petct.survival.kaplan_meier import kaplan_meier
from petct.survival.kaplan_meier_result import KaplanMeierResult, MedianTime
from petct.survival.results import Suppressed, as_dict, p_text

_SOURCE_OPTIONS = (
    console.STUDY_OPTION,
    console.SNAPSHOT_OPTION,
    click.option("--endpoint", default=None, help="Endpoint of the study.  [default: its only one, or OS]"),
    click.option(
        "--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="Any CSV instead of a study."
    ),
    click.option("--duration", "duration_column", help="With --csv: column of the survival time."),
    click.option("--event", "event_column", help="With --csv: column of the event (1) or censoring (0)."),
    console.JSON_OPTION,
)


def _source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where its data come from, as one argument ``source``."""

    @functools.wraps(command)
    def with_source(
        study_folder: Path,
        snapshot_id: str | None,
        endpoint: str | None,
        csv_file: Path | None,
        duration_column: str | None,
        event_column: str | None,
        **arguments: object,
    ) -> None:
        source = Source(study_folder, snapshot_id, endpoint, csv_file, duration_column, event_column)
        command(source=source, **arguments)

    for option in reversed(_SOURCE_OPTIONS):
        with_source = option(with_source)
    return with_source


@click.command()
@click.option("--by", "variable", help="Variable that splits the patients; without it, one curve of all.")
@click.option(
    "--split",
    default="median",
    show_default=True,
    help="median, tertiles, category, or one or more cut points: 5 or 5,20.",
)
@click.option("--landmarks", default="", help="Times at which to print the survival, separated by commas.")
@_source_options
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
@_source_options
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


@click.command()
@click.option("--features", help="Columns, separated by commas.  [default: all of a wide feature table]")
@click.option("--feature-set", default=None, help="Feature set and aggregation, for example pet_original__largest.")
@click.option("--components", type=click.IntRange(min=1), default=5, show_default=True, help="How many to print.")
@_source_options
def pca(
    features: str | None,
    feature_set: str | None,
    components: int,
    source: Source,
    as_json: bool,
) -> None:
    """Principal components of standardised features: variance explained and loadings.

    \b
    petlake pca --feature-set pet_original__largest
    petlake pca --features suv_max,suv_mean,tumour_volume_ml
    """  # noqa: D301 (click reads the character \b)
    from petct.survival.pca import pca as fit_pca

    names = [name.strip() for name in features.split(",") if name.strip()] if features else None
    data = load_analysis(source, names, feature_table=feature_set, with_outcome=False)
    numbers = [name for name in data.columns if data.is_number(name)]
    if names:
        for name in names:
            data.number(name)
    if not numbers:
        raise SurvivalError("PCA_NO_NUMBERS", "There is no numeric column to take components of")
    matrix = np.column_stack([data.number(name) for name in numbers])
    result = fit_pca(matrix, numbers, data.row_ids)
    if as_json:
        console.say_json({**data.header(), **as_dict(result)})
        return
    console.say(f"{data.title()}: {result.n} patients, {len(result.features)} features")
    console.say_table(
        ("component", "variance explained %", "cumulative %", "strongest loadings"),
        [
            (
                component.name,
                100 * component.explained_variance_ratio,
                100 * component.cumulative_ratio,
                ", ".join(_strongest(result.features, component.loadings)),
            )
            for component in result.components[:components]
        ],
    )
    _say_notes(result.notes)
    for dropped in result.dropped_columns:
        console.say(f"  left out, {dropped.name}: {dropped.message}")


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


def _covariate(
    data: AnalysisData,
    name: str,
    scale: Literal["per_sd", "per_doubling", "as_is"],
    at_zero: Literal["refuse", "half_minimum"],
) -> NumericCovariate | CategoricalCovariate:
    if data.is_number(name):
        return NumericCovariate(name, data.number(name), data.unit(name), scale, at_zero)
    return CategoricalCovariate(name, data.texts(name))


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
    _say_notes(result.notes)


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
        f"Likelihood ratio test: {_p(result.lr_p, result.lr_p_suppressed)} ({result.lr_df} df); "
        f"concordance {result.concordance:.3f}; "
        f"events per parameter {result.events_per_parameter:.1f}"
    )
    overall = result.proportional_hazards.global_test
    console.say(f"Proportional hazards (scaled Schoenfeld residuals): {_p(overall.p, None)}")
    for term in result.terms:
        if term.p_suppressed is not None:
            console.say(f"  {term.p_suppressed.message}")
    _say_notes(result.notes)


def _p(p: float | None, suppressed: Suppressed | None) -> str:
    if p is not None:
        return p_text(p)
    return suppressed.message if suppressed else "not computed"


def _median(median: MedianTime) -> str:
    return "not reached" if median.value is None else console.shown(median.value)


def _interval(median: MedianTime) -> str:
    lower = "not reached" if median.lower is None else console.shown(median.lower)
    upper = "not reached" if median.upper is None else console.shown(median.upper)
    return f"{lower} to {upper}"


def _strongest(features: tuple[str, ...], loadings: tuple[float, ...]) -> list[str]:
    order = sorted(range(len(features)), key=lambda index: -abs(loadings[index]))[:3]
    return [f"{features[index]} ({loadings[index]:+.2f})" for index in order]


def _say_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        console.say(f"  {note}")
