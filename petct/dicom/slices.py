"""From the planes of single slices to one grid: order along the normal, and the checks that make it a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from petct.dicom import values
from petct.errors import DicomError
from petct.image.volume import Geometry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from petct.dicom.series_files import SeriesPlace

    _Refuse = Callable[..., DicomError]

# Tables move in steps and vendors round: a gap may differ from the others by this much before it counts.
_GAP_TOLERANCE_MM = 0.1
_GAP_TOLERANCE_SHARE = 0.05
_SHEAR_TOLERANCE_MM = 0.1
_DIRECTION_TOLERANCE = 1e-3


@dataclass(frozen=True)
class SlicePlane:
    """Where one slice lies.

    Attributes
    ----------
    position_mm
        Image Position (Patient) (0020,0032): centre of the first pixel, LPS.
    orientation
        Image Orientation (Patient) (0020,0037): direction of the rows, then of the columns.
    pixel_spacing_mm
        Pixel Spacing (0028,0030): distance of the rows (y), then of the columns (x).
    """

    position_mm: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing_mm: tuple[float, ...]
    rows: int
    columns: int


@dataclass(frozen=True)
class Arrangement:
    """The grid of a series, and for each of its slices (ascending along the normal) the position in the input."""

    order: tuple[int, ...]
    geometry: Geometry


def plane_of(dataset: Dataset, where: SeriesPlace) -> SlicePlane:
    """The plane of a slice; raises ``DicomError`` HEADER_VALUE_MISSING, HEADER_VALUE_INVALID."""

    def numbers(count: int) -> Callable[[Dataset, str], tuple[float, ...] | None]:
        return lambda source, keyword: values.numbers(source, keyword, count)

    return SlicePlane(
        where.required(numbers(3), dataset, "ImagePositionPatient"),
        where.required(numbers(6), dataset, "ImageOrientationPatient"),
        where.required(numbers(2), dataset, "PixelSpacing"),
        where.required(values.integer, dataset, "Rows"),
        where.required(values.integer, dataset, "Columns"),
    )


def arrange(
    planes: Sequence[SlicePlane], *, patient_id: str | None = None, series_instance_uid: str | None = None
) -> Arrangement:
    """Put slices in order along the normal of their planes, the cross product of row and column direction.

    The slice spacing is the mean of all gaps; each gap must be within 5 % (or 0.1 mm) of their median.

    Raises
    ------
    DicomError
        SERIES_EMPTY, SERIES_SINGLE_SLICE, MATRIX_MIXED, PIXEL_SPACING_MIXED, ORIENTATION_MIXED, ORIENTATION_INVALID,
        GANTRY_TILT, SLICE_DUPLICATE, SLICE_MISSING or SLICE_SPACING_MIXED.
    """

    def refuse(code: str, message: str, keyword: str, found: str | None = None, hint: str | None = None) -> DicomError:
        return DicomError(
            code,
            message,
            patient_id=patient_id,
            series_instance_uid=series_instance_uid,
            keyword=keyword,
            found=found,
            hint=hint,
        )

    if not planes:
        raise refuse("SERIES_EMPTY", "The series has no slices", "SeriesInstanceUID")
    first = planes[0]
    sizes = sorted({(plane.rows, plane.columns) for plane in planes})
    if len(sizes) > 1:
        raise refuse("MATRIX_MIXED", "Slices differ in their number of rows or columns", "Rows", str(sizes[:4]))
    spacings = np.array([plane.pixel_spacing_mm for plane in planes], dtype=np.float64)
    if np.abs(spacings - spacings[0]).max() > 1e-3 or spacings.min() <= 0:
        found = str(sorted({plane.pixel_spacing_mm for plane in planes})[:4])
        message = "Slices differ in their pixel spacing, or it is not positive"
        raise refuse("PIXEL_SPACING_MIXED", message, "PixelSpacing", found)
    orientations = np.array([plane.orientation for plane in planes], dtype=np.float64)
    if np.abs(orientations - orientations[0]).max() > _DIRECTION_TOLERANCE:
        found = str(sorted({plane.orientation for plane in planes})[:4])
        raise refuse("ORIENTATION_MIXED", "Slices differ in their orientation", "ImageOrientationPatient", found)
    axes = _axes(orientations[0])
    if axes is None:
        message = "Rows and columns are not perpendicular unit vectors"
        raise refuse("ORIENTATION_INVALID", message, "ImageOrientationPatient", str(first.orientation))
    if len(planes) == 1:
        raise refuse("SERIES_SINGLE_SLICE", "One slice has no slice spacing", "ImagePositionPatient")

    positions = np.array([plane.position_mm for plane in planes], dtype=np.float64)
    normal = axes[:, 2]
    distances = positions @ normal
    order = np.argsort(distances, kind="stable")
    shift = positions - positions[0]
    in_plane = shift - np.outer(shift @ normal, normal)
    if np.abs(in_plane).max() > _SHEAR_TOLERANCE_MM:
        raise refuse(
            "GANTRY_TILT",
            "The slices are not stacked along their normal",
            "ImagePositionPatient",
            f"in-plane shift of up to {np.linalg.norm(in_plane, axis=1).max():.2f} mm",
            "Resample the series to a rectangular grid, or use another reconstruction.",
        )
    spacing_z = _slice_spacing(distances[order], refuse)
    x, y, z = (float(value) for value in positions[order[0]])
    geometry = Geometry(
        (len(planes), first.rows, first.columns),
        (float(spacings[0, 1]), float(spacings[0, 0]), spacing_z),
        (x, y, z),
        tuple(float(value) for value in axes.ravel()),
    )
    return Arrangement(tuple(int(index) for index in order), geometry)


def _axes(orientation: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Unit vectors of the x, y, z index axes as columns, exactly perpendicular; None when they are not nearly so."""
    row, column = orientation[:3], orientation[3:]
    gram = np.array([row @ row, column @ column, row @ column])
    if np.abs(gram - (1, 1, 0)).max() > 2 * _DIRECTION_TOLERANCE:
        return None
    row = row / np.linalg.norm(row)
    normal = np.cross(row, column)
    normal /= np.linalg.norm(normal)
    return np.stack([row, np.cross(normal, row), normal], axis=1)


def _slice_spacing(distances: NDArray[np.float64], refuse: _Refuse) -> float:
    gaps = np.diff(distances)
    steps = gaps[gaps > 0.01]
    if steps.size == 0:
        raise refuse("SLICE_DUPLICATE", "All slices lie at the same position", "ImagePositionPatient")
    step = float(np.median(steps))
    keyword = "ImagePositionPatient"
    if gaps.min() < 0.1 * step:
        at = distances[int(np.argmin(gaps))]
        raise refuse(
            "SLICE_DUPLICATE",
            "Several slices lie at the same position",
            keyword,
            f"{int((gaps < 0.1 * step).sum())} repeated, first at {at:.2f} mm along the normal",
            "Split dynamic, gated or repeated acquisitions into series of their own.",
        )
    if gaps.max() > 1.5 * step:
        at = distances[int(np.argmax(gaps))]
        raise refuse(
            "SLICE_MISSING",
            "Slices are missing",
            keyword,
            f"a gap of {gaps.max():.2f} mm after {at:.2f} mm along the normal, where the others are {step:.2f} mm",
            "Complete the series from the archive.",
        )
    # Nine decimals: the rest is rounding noise of the positions.
    spacing = round(float((distances[-1] - distances[0]) / (len(distances) - 1)), 9)
    drift = np.abs(distances - distances[0] - spacing * np.arange(len(distances))).max()
    if np.abs(gaps - step).max() > max(_GAP_TOLERANCE_MM, _GAP_TOLERANCE_SHARE * step) or drift > 0.25 * spacing:
        raise refuse(
            "SLICE_SPACING_MIXED",
            "The distance of neighbouring slices changes",
            keyword,
            f"{gaps.min():.3f} to {gaps.max():.3f} mm",
        )
    return spacing
