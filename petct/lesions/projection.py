"""Maximum-intensity projections: the PET, its lesions, what was excluded and the reference regions, from two sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

from petct.image.orientation import upright
from petct.image.volume import Volume
from petct.lesions.lesion_map import LesionMap
from petct.lesions.reference_regions import ReferenceRegion
from petct.suv.plausibility import Tracer

if TYPE_CHECKING:
    from numpy.typing import NDArray

View = Literal["coronal", "sagittal"]

SUV_WINDOW: Mapping[Tracer, tuple[float, float]] = {
    Tracer.GA68_SSTR: (0.0, 15.0),
    Tracer.F18_FDG: (0.0, 7.0),
    Tracer.OTHER: (0.0, 10.0),
}
"""SUV shown as white and as black, by tracer: conventions of reading, which change no number."""

# Axis of the upright array (head to feet, front to back, right to left) along which each view looks.
_AXIS: Mapping[View, int] = {"coronal": 1, "sagittal": 2}


@dataclass(frozen=True)
class ProjectedReference:
    """A reference region in a projection.

    Attributes
    ----------
    centre
        Row and column of its centre in pixels of the projection; whole numbers are centres of pixels.
    """

    region: str
    centre: tuple[float, float]
    radius_mm: float
    suv_mean: float


@dataclass(frozen=True, eq=False)
class Projection:
    """What is seen from the front (coronal) or from the patient's left (sagittal).

    Rows run from head to feet. Columns run from the patient's right to the left (coronal), from front to back
    (sagittal).

    Attributes
    ----------
    suv
        Largest SUV along each ray (rows, columns).
    excluded
        Whether that largest SUV lies in uptake that the protocol excludes as physiological.
    lesions
        Organ to the pixels that its lesions cover; organs in alphabetical order.
    spacing_mm
        Height and width of a pixel.
    """

    view: View
    suv: NDArray[np.float32]
    excluded: NDArray[np.bool_]
    lesions: Mapping[str, NDArray[np.bool_]]
    references: tuple[ProjectedReference, ...]
    spacing_mm: tuple[float, float]


def project(
    suv: Volume,
    lesions: LesionMap,
    excluded: NDArray[np.bool_] | None,
    references: Sequence[ReferenceRegion],
) -> tuple[Projection, Projection]:
    """The coronal and the sagittal projection of a scan.

    Parameters
    ----------
    suv
        SUV (z, y, x), any orientation; see ``petct.image.orientation.upright`` for oblique ones.
    lesions
        On the grid of ``suv``.
    excluded
        Voxels (z, y, x) above the threshold that are physiological; None where the protocol excludes nothing.
    references
        Reference regions of the scan.
    """
    how = upright(suv.geometry)
    image = how.turn(suv.array)
    labels = how.turn(lesions.labels)
    boxes = ndimage.find_objects(labels)
    # Without the excluded voxels a ray through them ends lower.
    remaining = None if excluded is None or not excluded.any() else np.where(how.turn(excluded), -np.inf, image)
    sx, sy, sz = how.geometry.spacing_mm
    views: list[Projection] = []
    for view, axis in _AXIS.items():
        highest = image.max(axis=axis)
        masks: dict[str, NDArray[np.bool_]] = {}
        for lesion in sorted(lesions.lesions, key=lambda lesion: lesion.organ):
            box = boxes[lesion.label - 1]
            seen = masks.setdefault(lesion.organ, np.zeros(highest.shape, dtype=bool))
            flat = tuple(part for position, part in enumerate(box) if position != axis)
            seen[flat] |= (labels[box] == lesion.label).any(axis=axis)
        hidden = np.zeros(highest.shape, dtype=bool) if remaining is None else remaining.max(axis=axis) < highest
        views.append(
            Projection(
                view,
                np.nan_to_num(highest.astype(np.float32)),
                hidden,
                masks,
                tuple(
                    _seen(region, how.geometry.to_index(np.array([region.centre_mm]))[0], view) for region in references
                ),
                (sz, sx if view == "coronal" else sy),
            )
        )
    return views[0], views[1]


def _seen(region: ReferenceRegion, index: NDArray[np.float64], view: View) -> ProjectedReference:
    column, depth, row = (float(value) for value in index)
    across = column if view == "coronal" else depth
    return ProjectedReference(region.region, (row, across), region.radius_mm, region.suv_mean)
