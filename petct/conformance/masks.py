"""The exam of masks: the contours of the IBSI validation cohort, voxel by voxel against the published masks."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from petct.conformance.exam import Exam, ExamLine, Verdict
from petct.dicom.index import index_folder
from petct.dicom.masks import read_contours
from petct.dicom.series import read_ct, read_pet
from petct.errors import DicomError, PetctError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from petct.dicom.records import DicomIndex
    from petct.image.volume import Geometry
    from records.imaging import SeriesRecord

_QUANTITY = "voxels inside"
_DIFFERENT = "voxels that differ"
# NIfTI keeps places in single precision.
_PLACE_MM = 0.01


def run(folder: Path) -> Exam:
    """Compare every contour series in ``folder`` with the mask that was published for it.

    Parameters
    ----------
    folder
        ``dicom/<patient>`` with PET, CT and one RTSTRUCT for each, and ``nifti/<patient>/PET_mask.nii.gz`` and
        ``CT_mask.nii.gz``. Two lines a mask: the count of voxels inside, and of those that differ, which must be 0.
    """
    root = folder / "dicom"
    if not root.is_dir():
        return Exam("masks", ())
    index = index_folder(root)
    paths: dict[str, list[Path]] = defaultdict(list)
    for file in index.files:
        paths[file.series_instance_uid].append(root / file.path)
    lines = [
        line
        for contours in sorted(_contours(index), key=lambda series: (series.patient_id, series.series_instance_uid))
        for line in _examine(contours, index, paths, folder / "nifti")
    ]
    return Exam("masks", tuple(lines))


def _contours(index: DicomIndex) -> Iterator[SeriesRecord]:
    return (series for series in index.series if series.role == "RTSTRUCT")


def _examine(
    contours: SeriesRecord, index: DicomIndex, paths: Mapping[str, Sequence[Path]], published: Path
) -> Iterator[ExamLine]:
    target = next((s for s in index.series if s.series_instance_uid == contours.referenced_series_instance_uid), None)
    kind = target.role if target is not None else "no image"
    case = f"{contours.patient_id} {kind}"
    try:
        if target is None:
            raise DicomError("REFERENCED_SERIES_MISSING", "The series the contours were drawn on is not there")
        uid = target.series_instance_uid
        read = read_pet if kind == "PET" else read_ct
        geometry = read(paths[uid], patient_id=target.patient_id, series_instance_uid=uid).volume.geometry
        rois = read_contours(contours, paths[contours.series_instance_uid][0], {uid: geometry})
        found = np.any([roi.mask.array for roi in rois], axis=0)
        expected = _published(published / contours.patient_id / f"{kind}_mask.nii.gz", geometry)
    except PetctError as error:
        yield ExamLine(case, _QUANTITY, None, error.code, None, Verdict.FAIL, error.sentence())
        return
    for quantity, wanted, got in (
        (_QUANTITY, int(expected.sum()), int(found.sum())),
        (_DIFFERENT, 0, int((found != expected).sum())),
    ):
        yield ExamLine(case, quantity, str(wanted), str(got), None, Verdict.PASS if got == wanted else Verdict.FAIL)


def _published(path: Path, geometry: Geometry) -> NDArray[np.bool_]:
    """The published mask (z, y, x), which must lie where the series lies."""
    import SimpleITK as sitk

    if not path.is_file():
        raise DicomError("EXAM_DATA_MISSING", "The published mask is not there", found=path.name)
    image = sitk.ReadImage(str(path))
    array = np.asarray(sitk.GetArrayFromImage(image) > 0)
    places = np.abs(np.array([*image.GetOrigin(), *image.GetSpacing()]) - [*geometry.origin_mm, *geometry.spacing_mm])
    if array.shape != geometry.shape or places.max() > _PLACE_MM:
        raise DicomError(
            "EXAM_GRID_DIFFERS",
            "The published mask lies on another grid than the series",
            found=f"{array.shape} at {image.GetOrigin()}",
            expected=f"{geometry.shape} at {geometry.origin_mm}",
        )
    return array
