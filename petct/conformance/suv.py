"""The SUV exam: every reference object in a folder, from its files to minimum, median and maximum inside its mask."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import numpy as np

from petct.conformance.exam import Exam, ExamLine, Verdict
from petct.conformance.suv_objects import EXPECTED_SUV, suv_object
from petct.dicom.index import index_folder
from petct.dicom.masks import read_contours
from petct.dicom.series import read_pet
from petct.errors import DicomError, MaskError, PetctError, SuvError
from petct.image.volume import Geometry, geometry_of
from petct.suv.compute import compute_suv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from petct.dicom.images import PetSeries
    from petct.dicom.records import DicomIndex

_QUANTITY = "SUV min/median/max"
_TOLERANCE = 0.005
_LIST = "DRO_list.csv"
_ERROR = "ERROR"
_ANY_REFUSAL = "a coded refusal"


def run(folder: Path) -> Exam:
    """Examine every object folder in ``folder``.

    An object folder holds a PET series and its mask as RTSTRUCT or NIfTI, at any depth, as the IBSI-SUV digital
    reference objects are published. Minimum, median and maximum must each lie within 0.005 of what is expected, or
    within one stored unit where that is coarser; where there are several masks, in each of them. What is expected is
    said by ``DRO_list.csv`` in the folder, else by petlake's own table of the 58 objects; an object that neither knows
    must give 0.20/1.00/4.00.
    """
    listed = _listed(folder / _LIST)
    objects = sorted(
        (each for each in folder.iterdir() if each.is_dir() and each.name[0] != "."),
        key=lambda each: _natural(each.name),
    )
    return Exam("SUV", tuple(_examine(each, listed.get(each.name)) for each in objects))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _listed(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        if not {"id", "expected"} <= set(rows.fieldnames or ()):
            raise PetctError(
                "EXAM_LIST_INVALID",
                "The list of the objects does not say what is expected",
                keyword="id, expected",
                found=f"{path.name} with the columns {', '.join(rows.fieldnames or ())}",
            )
        return {row["id"]: row["expected"] for row in rows}


def _examine(folder: Path, listed: str | None) -> ExamLine:
    known = suv_object(folder.name)
    refusal = None if known is None else known.refusal
    if listed is not None and listed != _ERROR:
        refusal = None
    elif listed == _ERROR:
        refusal = refusal or _ANY_REFUSAL
    try:
        found, tolerance = _measure(folder)
    except PetctError as error:
        right = error.code == refusal or (refusal == _ANY_REFUSAL and isinstance(error, SuvError))
        expected = refusal or _shown(EXPECTED_SUV)
        verdict = Verdict.PASS if right else Verdict.FAIL
        return ExamLine(folder.name, _QUANTITY, expected, error.code, None, verdict, "" if right else error.sentence())
    wanted = EXPECTED_SUV if listed in (None, _ERROR) else _numbers(folder, listed)
    close = all(abs(value - want) <= tolerance for one in found for value, want in zip(one, wanted, strict=True))
    worst = max(found, key=lambda one: max(abs(value - want) for value, want in zip(one, wanted, strict=True)))
    return ExamLine(
        folder.name,
        _QUANTITY,
        refusal or _shown(wanted),
        _shown(worst),
        f"{tolerance:.4g}",
        Verdict.PASS if close and refusal is None else Verdict.FAIL,
    )


def _shown(values: tuple[float, ...]) -> str:
    return "/".join(f"{value:.3f}" for value in values)


def _numbers(folder: Path, listed: str | None) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in (listed or "").split("/"))
    except ValueError:
        numbers = ()
    if len(numbers) != len(EXPECTED_SUV):
        raise PetctError(
            "EXAM_LIST_INVALID",
            f"The list of the objects does not say what is expected of {folder.name}",
            keyword="expected",
            found=listed,
            expected=f"{_ERROR}, or minimum/median/maximum",
        )
    return numbers


def _measure(folder: Path) -> tuple[list[tuple[float, float, float]], float]:
    """Minimum, median and maximum inside each mask, and the tolerance."""
    index = index_folder(folder)
    pet = _pet(folder, index)
    suv = np.asarray(compute_suv(pet, "").volume.array, dtype=np.float64)
    found = []
    for mask in _masks(folder, index, pet):
        inside = suv[mask]
        found.append((float(inside.min()), float(np.median(inside)), float(inside.max())))
    return found, max(_TOLERANCE, _stored_unit(pet, suv))


def _pet(folder: Path, index: DicomIndex) -> PetSeries:
    found = [series for series in index.series if series.role == "PET"]
    if len(found) != 1:
        raise DicomError(
            "PET_SERIES_MISSING" if not found else "PET_SERIES_SEVERAL",
            "The folder of an object holds one attenuation-corrected PET series",
            found=f"{len(found)} in {folder.name}",
        )
    uid = found[0].series_instance_uid
    paths = [folder / file.path for file in index.files if file.series_instance_uid == uid]
    return read_pet(paths, patient_id=found[0].patient_id, series_instance_uid=uid)


def _stored_unit(pet: PetSeries, suv: NDArray[np.float64]) -> float:
    """The SUV that one stored unit stands for, where it is coarsest."""
    units = [0.0]
    for one, values, converted in zip(pet.slices, pet.volume.array, suv, strict=True):
        if values.max() > 0:
            units.append(one.rescale_slope * float(converted.max() / values.max()))
    return max(units)


def _masks(folder: Path, index: DicomIndex, pet: PetSeries) -> list[NDArray[np.bool_]]:
    masks = [*_drawn(folder, index, pet), *_stored(folder, pet.volume.geometry)]
    if not masks:
        raise MaskError("MASK_MISSING", "The object has no mask", found=folder.name, expected="RTSTRUCT or NIfTI")
    return masks


def _drawn(folder: Path, index: DicomIndex, pet: PetSeries) -> Iterator[NDArray[np.bool_]]:
    paths = {file.series_instance_uid: folder / file.path for file in index.files}
    geometries = {pet.series_instance_uid: pet.volume.geometry}
    for series in index.series:
        if series.role in ("RTSTRUCT", "SEG"):
            for roi in read_contours(series, paths[series.series_instance_uid], geometries):
                yield roi.mask.array


def _stored(folder: Path, grid: Geometry) -> Iterator[NDArray[np.bool_]]:
    import SimpleITK as sitk

    for path in sorted([*folder.rglob("*.nii.gz"), *folder.rglob("*.nii")]):
        try:
            image = sitk.ReadImage(str(path))
        except RuntimeError as error:
            raise MaskError("MASK_UNREADABLE", "The mask cannot be read", found=path.name) from error
        array = sitk.GetArrayFromImage(image) > 0
        if not geometry_of(image).is_close(grid, tolerance_mm=0.01):
            raise MaskError("MASK_OFF_GRID", "The mask is not on the grid of the PET", found=path.name)
        if not array.any():
            raise MaskError("MASK_EMPTY", "The mask has no voxels", found=path.name)
        yield array
