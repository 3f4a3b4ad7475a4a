"""``petlake icc``: agreement of repeated measurements in any table, such as of readers or of test and retest."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np

from analyses.requests.csv_table import csv_cells, csv_columns, numeric_columns
from orchestration import console
from petct.errors import FeatureError
from petct.radiomics.robustness_records import FILTER_ICC, Measurement, robustness_records
from petct.survival.cohort.columns import Columns
from records.robustness import RobustnessRecord

_SOURCES = tuple(FILTER_ICC)


@click.command()
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path),
    required=True,
    help="Read this table: CSV, Excel or Parquet, in long form.",
)
@click.option("--target", required=True, help="Take this column as the target, for example lesion_id.")
@click.option("--measurement", required=True, help="Take this column as the measurement, for example reader.")
@click.option("--features", help="Analyse these columns, separated by commas.  [default: all other numeric ones]")
@click.option(
    "--source",
    type=click.Choice(_SOURCES),
    default="reader",
    show_default=True,
    help="State what was repeated. ICC(1,1) decides for perturbations, ICC(2,1) for scans and readers.",
)
@click.option(
    "--minimum",
    type=click.FloatRange(0, 1),
    default=0.75,
    show_default=True,
    help="Require this lower bound of the interval.",
)
@console.JSON_OPTION
def icc(
    csv_file: Path,
    target: str,
    measurement: str,
    features: str | None,
    source: str,
    minimum: float,
    as_json: bool,
) -> None:
    """Compute intraclass correlations of repeated measurements with 95 % intervals, and judge the lower bound.

    The table is in long form: one row per target and measurement, one column per feature.

    \b
    petlake icc --csv readers.csv --target lesion_id --measurement reader
    petlake icc --csv retest.csv --target patient_id --measurement scan --source retest --minimum 0.9
    """  # noqa: D301 (click reads the character \b)
    rows = _records(csv_file, target, measurement, features, source, minimum)
    if as_json:
        console.say_json(
            [{k: v for k, v in asdict(row).items() if k not in ("feature_set_id", "n_patients")} for row in rows]
        )
        return
    console.say_table(
        (
            "feature",
            "targets",
            "measurements",
            "ICC(1,1)",
            "ICC(2,1)",
            "ICC(3,1)",
            "QCD",
            f"lower bound >= {minimum:g}",
        ),
        [
            (
                row.feature_name,
                row.n_targets,
                row.n_measurements,
                _interval(row.icc_1_1, row.icc_1_1_lower, row.icc_1_1_upper) or row.status,
                _interval(row.icc_2_1, row.icc_2_1_lower, row.icc_2_1_upper),
                _interval(row.icc_3_1, row.icc_3_1_lower, row.icc_3_1_upper),
                row.qcd,
                row.is_robust,
            )
            for row in rows
        ],
    )
    robust = sum(row.is_robust is True for row in rows)
    console.say(f"{robust} of {len(rows)} features reach {minimum:g} with the lower bound of ICC({rows[0].filter_icc})")


def _records(
    csv_file: Path, target: str, measurement: str, features: str | None, source: str, minimum: float
) -> tuple[RobustnessRecord, ...]:
    cells = csv_cells(csv_file)
    names = [name.strip() for name in features.split(",")] if features else numeric_columns(cells)
    data = csv_columns(cells, names)
    keys = csv_columns(cells, [target, measurement])
    pairs = list(zip(keys.texts(target), keys.texts(measurement), strict=True))
    _check_pairs(pairs)
    wanted = [name for name in data.values if name not in (target, measurement)]
    if not wanted:
        raise FeatureError("FEATURES_NONE", "The table has no column of numbers beside its keys", keyword="--features")
    values = {name: _with_none(data, name) for name in wanted}
    measurements = [
        Measurement("", name, str(of), str(of), str(which), value)
        for name in wanted
        for (of, which), value in zip(pairs, values[name], strict=True)
    ]
    return robustness_records(measurements, next(known for known in _SOURCES if known == source), minimum)


def _check_pairs(pairs: list[tuple[str | None, str | None]]) -> None:
    if any(key is None for pair in pairs for key in pair):
        raise FeatureError(
            "RATINGS_WITHOUT_KEY",
            "A row does not say what was measured, or which measurement it is",
            keyword="--target",
        )
    repeated = [pair for pair, times in Counter(pairs).items() if times > 1]
    if repeated:
        of, which = sorted(repeated, key=str)[0]
        raise FeatureError(
            "RATINGS_REPEATED",
            "A target has the same measurement twice",
            keyword="--measurement",
            found=f"{of}, {which}",
            hint="The table is long: one row per target and measurement.",
        )
    if len({which for _, which in pairs}) < 2:
        raise FeatureError(
            "RATINGS_INVALID",
            "Agreement needs two measurements or more",
            keyword="--measurement",
            found=", ".join(sorted({str(which) for _, which in pairs})),
        )


def _with_none(data: Columns, name: str) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in data.number(name)]


def _interval(value: float | None, lower: float | None, upper: float | None) -> str | None:
    if value is None or lower is None or upper is None:
        return None
    return f"{value:.2f} ({lower:.2f} to {upper:.2f})"
