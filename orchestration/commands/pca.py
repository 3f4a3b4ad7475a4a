"""``petlake pca``: principal components of features, on a snapshot or on any CSV."""

import click
import numpy as np

from orchestration import console
from orchestration.analysis_data import Source, load_analysis
from orchestration.commands.analysis import say_notes, source_options
from petct.errors import SurvivalError
from petct.survival.results import as_dict


@click.command()
@click.option("--features", help="Columns, separated by commas.  [default: all of a wide feature table]")
@click.option("--feature-set", default=None, help="Feature set and aggregation, for example pet_original__largest.")
@click.option("--components", type=click.IntRange(min=1), default=5, show_default=True, help="How many to print.")
@source_options
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
    say_notes(result.notes)
    for dropped in result.dropped_columns:
        console.say(f"  left out, {dropped.name}: {dropped.message}")


def _strongest(features: tuple[str, ...], loadings: tuple[float, ...]) -> list[str]:
    order = sorted(range(len(features)), key=lambda index: -abs(loadings[index]))[:3]
    return [f"{features[index]} ({loadings[index]:+.2f})" for index in order]
