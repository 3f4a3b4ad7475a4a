"""Masks as NIfTI, NRRD or MetaImage: nothing in such a file says whose it is or what it shows, so a study declares it.

One file a region, named like its file, as TotalSegmentator writes organs; or one file of labels with a table of names.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from petct.dicom.declared import declared_patient, uid_of, volume_record
from petct.dicom.regions import Refusal, RoiMask
from petct.image.mask_resampling import resample_checked
from petct.image.volume import Geometry, Mask, geometry_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from petct.dicom.declarations import DeclaredMasks
    from petct.dicom.instances import Instance
    from petct.image.mask_resampling import ResamplingLimits
    from records.imaging import FileRecord

SOURCE = "LABELMAP"
# NIfTI keeps its places in single precision.
_SAME_GRID_MM = 0.05
_LARGEST_LABEL = 65535


def mask_instance(path: Path, relative: str, known: FileRecord | None, declared: DeclaredMasks) -> Instance:
    """A declared file of masks as if it were an instance of a series.

    All files of one folder, patient and date are one series; the same mask twice (as two empty organs are) is two
    instances of it.

    Raises
    ------
    DicomError
        PATIENT_ID_INVALID, SCAN_DATE_INVALID.
    """
    patient_id, scan_date = declared_patient(declared.match(relative), "masks.files in study.yaml")
    one = volume_record(path, relative, known, patient_id, scan_date)
    folder = relative.rpartition("/")[0] if declared.labels is None else relative
    series_uid = uid_of(f"{patient_id}|{scan_date}|{folder}")
    file_uid = uid_of(f"{series_uid}|{path.name}|{one.record.sha256}")
    return replace(
        one,
        record=replace(one.record, series_instance_uid=series_uid, sop_instance_uid=file_uid),
        study_instance_uid=uid_of(f"{patient_id}|{scan_date}|masks"),
        modality="SEG",
        image_type=(),
        corrected_image=None,
        series_description="Masks, declared in study.yaml",
    )


@dataclass(frozen=True, eq=False)
class LabelMap:
    """What one declared file shows.

    Attributes
    ----------
    on
        Key of the image on whose grid the regions are.
    rois
        The regions that were asked for and are there. An organ that was looked for and not found is a mask without
        voxels.
    """

    on: str
    rois: tuple[RoiMask, ...]


def read_label_map(
    path: Path,
    declared: DeclaredMasks,
    grids: Mapping[str, Geometry],
    *,
    patient_id: str,
    series_instance_uid: str,
    wanted: Collection[str],
    limits: ResamplingLimits,
) -> LabelMap:
    """Read the regions called ``wanted`` on the grid of one of the images.

    The axes of the file may run in any order and direction. A file on the grid of an image is taken voxel by voxel; one
    that lies within an image is resampled within ``limits``.

    Parameters
    ----------
    grids
        The images of the scan, in the order in which they are preferred.

    Raises
    ------
    MaskError
        LABEL_MAP_UNREADABLE, LABEL_MAP_INVALID (not one image of whole numbers, or not binary), LABEL_UNKNOWN (a value
        without a name), MASK_GRID_FOREIGN (the file reaches beyond every image of the scan), MASK_OUTSIDE_IMAGE,
        MASK_VOLUME_CHANGED, ROI_WITHOUT_VOXELS.
    """
    refusal = Refusal(patient_id, series_instance_uid)
    values, geometry = _read(path, refusal)
    labels = _labels(values, declared, path.name, refusal)
    on, values, geometry = _placed(values, geometry, grids, path.name, refusal)
    present = _present(values)
    rois = []
    for value, name in labels:
        if name not in wanted or (declared.labels is not None and value not in present):
            continue
        mask = Mask(values == value, geometry)
        rules: tuple[str, ...] = ()
        if geometry is not grids[on]:
            with refusal.naming():
                mask, rules = resample_checked(mask, grids[on], limits, name), ("LABEL_MAP_RESAMPLED",)
        rois.append(RoiMask(name, value, mask, SOURCE, series_instance_uid, rules))
    return LabelMap(on, tuple(rois))


def _read(path: Path, refusal: Refusal) -> tuple[NDArray[np.uint16], Geometry]:
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        found = f"{path.name}: {' '.join(str(error).split())[-100:]}"
        raise refusal.error("LABEL_MAP_UNREADABLE", "A file of masks cannot be read", found=found) from error
    array = sitk.GetArrayFromImage(image)
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        message = "A file of masks is not one image of three dimensions"
        raise refusal.error("LABEL_MAP_INVALID", message, found=f"{path.name}: {image.GetSize()}")
    low, high = float(array.min()), float(array.max())
    # A NaN fails every comparison.
    whole = np.issubdtype(array.dtype, np.integer) or bool((array == np.round(array)).all())
    if not (whole and low >= 0 and high <= _LARGEST_LABEL):
        raise refusal.error(
            "LABEL_MAP_INVALID",
            "A file of masks holds values that are no labels",
            found=f"{path.name}: {low:g} to {high:g}",
            expected=f"whole numbers from 0 to {_LARGEST_LABEL}",
        )
    geometry = geometry_of(image)
    if geometry.is_sheared:
        raise refusal.error("LABEL_MAP_INVALID", "The axes of a file of masks are not perpendicular", found=path.name)
    return array.astype(np.uint16), geometry


def _labels(
    values: NDArray[np.uint16], declared: DeclaredMasks, filename: str, refusal: Refusal
) -> Sequence[tuple[int, str]]:
    present = sorted(_present(values))
    if declared.labels is None:
        if len(present) > 1:
            raise refusal.error(
                "LABEL_MAP_INVALID",
                "A file that is declared as one region holds several labels",
                keyword="masks.files in study.yaml",
                found=f"{filename}: {', '.join(map(str, present[:8]))}",
                expected="one value beside 0, or `labels` that name the values",
            )
        return [(present[0] if present else 1, declared.names(filename)[0])]
    unknown = sorted(set(present) - {value for value, _ in declared.labels})
    if unknown:
        raise refusal.error(
            "LABEL_UNKNOWN",
            "A file of masks holds a label without a name",
            keyword="masks.files in study.yaml",
            found=f"{filename}: {', '.join(map(str, unknown[:8]))}",
            expected="the labels that are declared",
            hint="Add it to `labels`.",
        )
    return declared.labels


def _present(values: NDArray[np.uint16]) -> set[int]:
    """The labels that occur; slice by slice, since sorting a whole-body CT takes seconds and a gigabyte."""
    return {int(label) for plane in values for label in np.flatnonzero(np.bincount(plane.ravel()))} - {0}


def _placed(
    values: NDArray[np.uint16], geometry: Geometry, grids: Mapping[str, Geometry], filename: str, refusal: Refusal
) -> tuple[str, NDArray[np.uint16], Geometry]:
    """The image the file belongs to; the very grid of that image where the file is on it."""
    for name, grid in grids.items():
        turned, of_turned = _along_axes(values, geometry, grid)
        if of_turned.is_close(grid, _SAME_GRID_MM):
            return name, turned, grid
    for name, grid in grids.items():
        if _reaches_beyond_mm(geometry, grid) <= max(*geometry.spacing_mm, *grid.spacing_mm):
            return name, values, geometry
    least = min(_reaches_beyond_mm(geometry, grid) for grid in grids.values())
    raise refusal.error(
        "MASK_GRID_FOREIGN",
        "A file of masks lies on the grid of no image of the scan, and within none",
        keyword="masks.files in study.yaml",
        found=f"{filename} reaches {least:.1f} mm beyond the nearest one",
        expected=f"the grid of {' or '.join(grids)}, or a part of it",
        hint="Is it of this patient and of this scan?",
    )


def _along_axes(values: NDArray[np.uint16], geometry: Geometry, like: Geometry) -> tuple[NDArray[np.uint16], Geometry]:
    """The same voxels with axes in the order and direction of ``like``, where a permutation and flips do that."""
    axes = np.asarray(geometry.direction).reshape(3, 3)
    turn = np.asarray(like.direction).reshape(3, 3).T @ axes
    order = np.abs(turn).argmax(axis=1)
    if sorted(order.tolist()) != [0, 1, 2]:
        return values, geometry
    signs = np.sign(turn[np.arange(3), order])
    last = np.array(geometry.shape[::-1]) - 1
    first = np.zeros(3)
    first[order] = np.where(signs < 0, last[order], 0)
    x, y, z = (float(value) for value in geometry.to_physical(first[np.newaxis])[0])
    array = values.transpose(2, 1, 0).transpose(order)[tuple(slice(None, None, int(sign)) for sign in signs)]
    array = np.ascontiguousarray(array.transpose(2, 1, 0))
    sx, sy, sz = (float(value) for value in np.asarray(geometry.spacing_mm)[order])
    direction = tuple(float(value) for value in (axes[:, order] * signs).ravel())
    return array, Geometry((array.shape[0], array.shape[1], array.shape[2]), (sx, sy, sz), (x, y, z), direction)


def _reaches_beyond_mm(geometry: Geometry, image: Geometry) -> float:
    """How far the corners of a grid lie outside of an image at most, with the outermost voxels whole."""
    corners = np.array(list(itertools.product(*((-0.5, size - 0.5) for size in geometry.shape[::-1]))))
    index = image.to_index(geometry.to_physical(corners))
    beyond = np.maximum(-0.5 - index, index - (np.array(image.shape[::-1]) - 0.5))
    return float((np.maximum(beyond, 0) * image.spacing_mm).max())
