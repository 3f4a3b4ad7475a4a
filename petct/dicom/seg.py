"""The segments of a DICOM SEG as masks on the grid of the image they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmread

from petct.dicom import parsing, values
from petct.dicom.regions import Refusal, RoiMask, open_contours, select_names
from petct.image.mask_resampling import ResamplingLimits, resample_checked
from petct.image.volume import Geometry, Mask

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

# A frame is on the image grid when its first pixel is this near to a voxel centre; anything else is resampled.
_ALIGNED_VOXELS = 0.01
_ALIGNED_DIRECTION = 1e-4
FRACTION = 0.5
"""A fractional segment is inside where its value is at least this share of Maximum Fractional Value (0062,000E)."""


@dataclass(frozen=True)
class _Frame:
    """One frame: the segment it belongs to (None in a label map) and its place."""

    segment: int | None
    position_mm: tuple[float, float, float]
    array: NDArray[np.integer]


def read_segmentation(
    path: Path,
    geometry: Geometry,
    *,
    patient_id: str,
    series_instance_uid: str,
    referenced_series_instance_uid: str,
    roi_names: Collection[str] | None = None,
    limits: ResamplingLimits | None = None,
) -> tuple[RoiMask, ...]:
    """Read the segments of a SEG (BINARY, FRACTIONAL or LABELMAP), in the order of their numbers.

    Frames are placed by their Image Position (Patient); slices without a frame are empty. A SEG on another grid is
    filled into a grid of its own and resampled by ``petct.image.mask_resampling.resample_checked``.

    Parameters
    ----------
    path
        The SEG file.
    geometry
        Grid of the series ``referenced_series_instance_uid``.
    patient_id, series_instance_uid
        What the file must say it is.
    roi_names
        Segment Labels (0062,0005) to read; None reads all.
    limits
        What resampling may change.

    Raises
    ------
    MaskError
        CONTOURS_UNREADABLE, CONTOURS_MISPLACED, REFERENCED_SERIES_MISSING, ROI_UNKNOWN, ROI_EMPTY,
        SEG_TYPE_UNSUPPORTED, SEG_FRAME_DUPLICATE, SEG_OFF_GRID, SEG_GRID_IRREGULAR, ROI_WITHOUT_VOXELS,
        MASK_OUTSIDE_IMAGE, MASK_VOLUME_CHANGED.
    """
    refusal = Refusal(patient_id, series_instance_uid)
    with parsing.lenient_parsing():
        parsed, data = open_contours(path, None, refusal, stop_at=parsing.at_pixel_data)
        dataset = parsed.dataset
        with refusal.on_damage("The SEG is damaged"):
            _require_reference(dataset, referenced_series_instance_uid, refusal)
            kind = values.text(dataset, "SegmentationType") or ""
            names = segment_names(dataset)
            select_names(names.values(), roi_names, refusal)
            frames = _frames(dataset, _pixels(data), kind, refusal)
            row, column, spacing, step = _grid_facts(dataset)
        threshold = FRACTION * float(dataset.get("MaximumFractionalValue") or 255) if kind == "FRACTIONAL" else 1.0

    masks = []
    for number in sorted(names):
        name = names[number]
        if roi_names is not None and name not in roi_names:
            continue
        if kind == "LABELMAP":
            planes = [(frame.position_mm, frame.array == number) for frame in frames]
        else:
            planes = [(frame.position_mm, frame.array >= threshold) for frame in frames if frame.segment == number]
        planes = [(position, plane) for position, plane in planes if plane.any()]
        if not planes:
            raise refusal.error("ROI_EMPTY", "A segment has no voxels", keyword="SegmentLabel", found=name)
        rules: tuple[str, ...] = ("SEG_FRACTIONAL_BINARISED",) if kind == "FRACTIONAL" else ()
        mask = _on_grid(planes, row, column, spacing, geometry, name, refusal)
        if mask is None:
            own = _own_grid(planes, row, column, spacing, step, name, refusal)
            with refusal.naming():
                mask = resample_checked(own, geometry, limits or ResamplingLimits(), f"the segment {name}")
            rules += ("SEG_RESAMPLED",)
        masks.append(RoiMask(name, number, mask, "SEG", referenced_series_instance_uid, rules))
    return tuple(masks)


def segment_names(dataset: Dataset) -> dict[int, str]:
    """Segment Number (0062,0004) to Segment Label; 0 of a label map is its background (PS3.3, C.8.20.2), no region."""
    names = {int(item.SegmentNumber): str(item.SegmentLabel) for item in dataset.SegmentSequence}
    if values.text(dataset, "SegmentationType") == "LABELMAP":
        names.pop(0, None)
    return names


def _require_reference(dataset: Dataset, referenced: str, refusal: Refusal) -> None:
    series = values.referenced_series(dataset)
    if series and referenced not in series:
        raise refusal.error(
            "REFERENCED_SERIES_MISSING",
            "The segments were not drawn on this series",
            keyword="ReferencedSeriesSequence",
            found=", ".join(series),
            expected=referenced,
        )


def _pixels(data: bytes) -> NDArray[np.integer]:
    """Frames (n, rows, columns)."""
    whole = dcmread(BytesIO(data))
    pixels = np.asarray(whole.pixel_array)
    return pixels[np.newaxis] if pixels.ndim == 2 else pixels


def _frames(dataset: Dataset, pixels: NDArray[np.integer], kind: str, refusal: Refusal) -> list[_Frame]:
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise refusal.error(
            "SEG_TYPE_UNSUPPORTED", "The type of the segmentation is not known", keyword="SegmentationType", found=kind
        )
    shared = dataset.SharedFunctionalGroupsSequence[0]
    frames: list[_Frame] = []
    groups = dataset.PerFrameFunctionalGroupsSequence
    if len(groups) != len(pixels):
        found = f"{len(groups)} descriptions for {len(pixels)} frames"
        raise refusal.error("CONTOURS_UNREADABLE", "The frames of the SEG do not match their descriptions", found=found)
    for group, array in zip(groups, pixels, strict=True):
        segment = None
        if kind != "LABELMAP":
            source = group if "SegmentIdentificationSequence" in group else shared
            segment = int(source.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        x, y, z = (float(value) for value in group.PlanePositionSequence[0].ImagePositionPatient)
        frames.append(_Frame(segment, (x, y, z), array))
    places = [(frame.segment, *frame.position_mm) for frame in frames]
    if len(set(places)) < len(places):
        message = "Two frames of one segment lie at the same place"
        raise refusal.error("SEG_FRAME_DUPLICATE", message, keyword="ImagePositionPatient")
    return frames


def _grid_facts(
    dataset: Dataset,
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[float, float], float | None]:
    """Direction of rows and columns, spacing (x, y) and the distance of slices, where it is stated."""
    shared = dataset.SharedFunctionalGroupsSequence[0]
    first = dataset.PerFrameFunctionalGroupsSequence[0]
    plane = (shared if "PlaneOrientationSequence" in shared else first).PlaneOrientationSequence[0]
    measures = (shared if "PixelMeasuresSequence" in shared else first).PixelMeasuresSequence[0]
    orientation = np.array([float(value) for value in plane.ImageOrientationPatient])
    y, x = (float(value) for value in measures.PixelSpacing)
    step = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness")
    return orientation[:3], orientation[3:], (x, y), float(step) if step else None


def _on_grid(
    planes: Sequence[tuple[tuple[float, float, float], NDArray[np.bool_]]],
    row: NDArray[np.float64],
    column: NDArray[np.float64],
    spacing: tuple[float, float],
    geometry: Geometry,
    name: str,
    refusal: Refusal,
) -> Mask | None:
    """The mask when every frame lies on voxels of the image (or of a part of it); None when it must be resampled."""
    axes = np.asarray(geometry.direction).reshape(3, 3)
    turned = max(np.abs(axes[:, 0] - row).max(), np.abs(axes[:, 1] - column).max()) > _ALIGNED_DIRECTION
    height, width = planes[0][1].shape
    scaled = max(
        abs(spacing[0] / geometry.spacing_mm[0] - 1) * width, abs(spacing[1] / geometry.spacing_mm[1] - 1) * height
    )
    index = geometry.to_index(np.array([position for position, _ in planes]))
    corner = np.round(index)
    if turned or scaled > _ALIGNED_VOXELS or np.abs(index - corner).max() > _ALIGNED_VOXELS:
        return None
    array = np.zeros(geometry.shape, dtype=bool)
    for (x, y, z), (_, plane) in zip(corner.astype(int), planes, strict=True):
        rows, columns = np.nonzero(plane)
        rows, columns = rows + y, columns + x
        if (
            not 0 <= z < geometry.shape[0]
            or rows.min() < 0
            or columns.min() < 0
            or rows.max() >= geometry.shape[1]
            or columns.max() >= geometry.shape[2]
        ):
            raise refusal.error(
                "SEG_OFF_GRID",
                f"The segment {name} reaches beyond the image",
                keyword="ImagePositionPatient",
                found=f"slice {z}, rows {rows.min()} to {rows.max()}, columns {columns.min()} to {columns.max()}",
                expected=f"within {geometry.shape}",
            )
        array[z, rows, columns] = True
    return Mask(array, geometry)


def _own_grid(
    planes: Sequence[tuple[tuple[float, float, float], NDArray[np.bool_]]],
    row: NDArray[np.float64],
    column: NDArray[np.float64],
    spacing: tuple[float, float],
    step: float | None,
    name: str,
    refusal: Refusal,
) -> Mask:
    """The frames as a volume of their own; slices between them that have no frame are empty."""
    normal = np.cross(row, column)
    positions = np.array([position for position, _ in planes])
    distances = positions @ normal
    gaps = np.diff(np.unique(np.round(distances, 4)))
    step = step or (float(gaps.min()) if gaps.size else None)
    if step is None:
        message = f"The segment {name} has one frame and no slice spacing"
        raise refusal.error("SEG_GRID_IRREGULAR", message, keyword="SpacingBetweenSlices")
    first = positions[int(np.argmin(distances))]
    offset = (distances - distances.min()) / step
    in_plane = positions - first - np.outer(distances - distances.min(), normal)
    if np.abs(offset - np.round(offset)).max() > 0.1 or np.abs(in_plane).max() > 0.1:
        message = f"The frames of the segment {name} do not lie on one grid"
        raise refusal.error("SEG_GRID_IRREGULAR", message, keyword="ImagePositionPatient")
    slices = np.round(offset).astype(int)
    height, width = planes[0][1].shape
    array = np.zeros((int(slices.max()) + 1, height, width), dtype=bool)
    for z, (_, plane) in zip(slices, planes, strict=True):
        array[z] |= plane
    x, y, z = (float(value) for value in first)
    axes = np.stack([row, column, normal], axis=1)
    direction = tuple(float(value) for value in axes.ravel())
    return Mask(array, Geometry(array.shape, (spacing[0], spacing[1], step), (x, y, z), direction))
