"""A UMAP of features, as a picture and nothing else (docs/decisions/0025)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petct.errors import SurvivalError
from petct.survival.features.feature_table import Dropped, FeatureTable
from petct.survival.features.preparation import fit_preparation

FEWEST_ROWS = 10
NEIGHBOURS, MIN_DIST = 15, 0.1
WARNING = (
    "A picture, not a result: distances, sizes and gaps in a UMAP mean nothing by themselves, and its clusters must "
    "not be "
    "tested on the patients that drew them."
)


@dataclass(frozen=True)
class UmapPicture:
    """Points of a UMAP.

    Parameters
    ----------
    label
        What must stand on the picture.
    n, n_features
        Patients, and features after preparation.
    row_ids, x, y
        One point a patient; the axes have no unit and no meaning.
    n_neighbours, min_dist, seed
        Settings that the picture depends on.
    dropped
        Features that were left out, with reasons.
    notes
        Sentences a reader has to know.
    """

    label: str
    n: int
    n_features: int
    row_ids: tuple[str, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    n_neighbours: int
    min_dist: float
    seed: int
    dropped: tuple[Dropped, ...]
    notes: tuple[str, ...]


def umap_picture(
    table: FeatureTable,
    row_ids: Sequence[str],
    *,
    seed: int = 0,
) -> UmapPicture:
    """Draw patients by their prepared features.

    Parameters
    ----------
    table, row_ids
        Features, and one id a patient.
    seed
        As umap-learn's ``random_state``; the preparation is that of a model.

    Raises
    ------
    SurvivalError
        UMAP_NOT_INSTALLED, UMAP_TOO_FEW_ROWS; FeatureError as ``fit_preparation``.
    """
    if table.n < FEWEST_ROWS:
        raise SurvivalError(
            "UMAP_TOO_FEW_ROWS",
            "Too few patients for a picture",
            found=str(table.n),
            expected=f"at least {FEWEST_ROWS}",
        )
    try:
        from umap import UMAP
    except ModuleNotFoundError:
        raise SurvivalError(
            "UMAP_NOT_INSTALLED",
            "The library for this picture is not part of petlake's installation",
            hint="Install umap-learn beside petlake, or look at the principal components.",
        ) from None
    preparation = fit_preparation(table)
    prepared = preparation.transform(table)
    neighbours = min(NEIGHBOURS, table.n - 1)
    with warnings.catch_warnings():
        # It warns that a seed makes it use one processor: that is what a picture that can be drawn again costs.
        warnings.simplefilter("ignore")
        points = np.asarray(
            UMAP(n_neighbors=neighbours, min_dist=MIN_DIST, random_state=seed, n_components=2).fit_transform(
                prepared.values
            ),
            dtype=np.float64,
        )
    return UmapPicture(
        label=f"UMAP (picture only), {neighbours} neighbours, min_dist {MIN_DIST:g}, seed {seed}",
        n=table.n,
        n_features=len(preparation.names),
        row_ids=tuple(row_ids),
        x=tuple(points[:, 0].tolist()),
        y=tuple(points[:, 1].tolist()),
        n_neighbours=neighbours,
        min_dist=MIN_DIST,
        seed=seed,
        dropped=preparation.dropped,
        notes=(WARNING, *preparation.notes),
    )
