"""Segmentations as highdicom writes them, read back: exact, whatever their type and wherever they have no frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from highdicom.seg import (
    SegmentAlgorithmTypeValues,
    Segmentation,
    SegmentationFractionalTypeValues,
    SegmentationTypeValues,
    SegmentDescription,
)
from highdicom.sr.coding import CodedConcept
from pydicom.dataset import Dataset

from petct.dicom.index import index_folder
from petct.dicom.masks import contour_names, read_contours
from petct.dicom.series import read_grid
from petct.errors import MaskError
from petct.image.volume import Geometry
from tests.petct.conftest import DicomWriter

CATEGORY = CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure")
LESION = CodedConcept("52988006", "SCT", "Lesion")
NAMES = ("lesion 1", "lesion 2", "liver")
CT = "1.2.3.2"


@pytest.fixture
def sources(dicom: DicomWriter) -> list[Dataset]:
    """A CT of seven slices, in no order."""
    dicom.columns, dicom.rows = 12, 10
    images = []
    for path in dicom.ct(n=7):
        image = pydicom.dcmread(path)
        image.AccessionNumber = image.PatientBirthDate = image.PatientSex = image.StudyID = ""
        image.ReferringPhysicianName = image.PositionReferenceIndicator = ""
        image.StudyTime = "110000"
        images.append(image)
    return [images[index] for index in (3, 0, 6, 2, 5, 1, 4)]


def _write(
    dicom: DicomWriter, sources: list[Dataset], pixels: np.ndarray, kind: SegmentationTypeValues, **options: object
) -> Path:
    n = len(NAMES) if pixels.ndim == 3 else pixels.shape[3]
    segmentation = Segmentation(
        source_images=sources,
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=[
            SegmentDescription(number, name, CATEGORY, LESION, SegmentAlgorithmTypeValues.MANUAL)
            for number, name in enumerate(NAMES[:n], start=1)
        ],
        series_instance_uid="1.2.3.4",
        series_number=4,
        sop_instance_uid="1.2.3.4.1",
        instance_number=1,
        manufacturer="petlake",
        manufacturer_model_name="tests",
        software_versions="1",
        device_serial_number="0",
        **options,
    )
    path = dicom.root / "seg" / "SEG.dcm"
    path.parent.mkdir(exist_ok=True)
    segmentation.save_as(path)
    return path


def _read(dicom: DicomWriter, path: Path) -> tuple[dict[str, np.ndarray], set[str]]:
    """The masks by name, in the order of the slices along z, and the rules that were used."""
    record = next(series for series in index_folder(dicom.root).series if series.role == "SEG")
    geometry = read_grid(dicom.written[CT], patient_id="P1", series_instance_uid=CT)
    assert contour_names(record, path) == NAMES
    rois = read_contours(record, path, {CT: geometry})
    return {roi.name: roi.mask.array for roi in rois}, {rule for roi in rois for rule in roi.rules}


def _in_order(sources: list[Dataset], pixels: np.ndarray) -> np.ndarray:
    return pixels[np.argsort([float(image.ImagePositionPatient[2]) for image in sources])]


def _overlapping() -> np.ndarray:
    """Three segments (z, y, x, segment), sparse, overlapping, and with voxels on the border of the image."""
    pixels = np.random.default_rng(4).random((7, 10, 12, 3)) > 0.6
    pixels[[0, 3, 4], ..., 0] = False
    pixels[1:, ..., 1] = False
    return pixels


@pytest.mark.parametrize("sparse", [True, False])
def test_binary(dicom: DicomWriter, sources: list[Dataset], sparse: bool) -> None:
    pixels = _overlapping()
    path = _write(dicom, sources, pixels.astype(np.uint8), SegmentationTypeValues.BINARY, omit_empty_frames=sparse)
    assert len(pydicom.dcmread(path).PerFrameFunctionalGroupsSequence) == (4 + 1 + 7 if sparse else 21)
    found, rules = _read(dicom, path)
    assert rules == set()
    for number, name in enumerate(NAMES):
        assert np.array_equal(found[name], _in_order(sources, pixels)[..., number])


@pytest.mark.parametrize("largest", [255, 100])
def test_fractional_is_inside_from_one_half_of_its_largest_value(
    dicom: DicomWriter, sources: list[Dataset], largest: int
) -> None:
    random = np.random.default_rng(5)
    # Whole steps of the largest value: what highdicom stores is then what was given.
    stored = random.integers(0, largest + 1, (7, 10, 12, 3))
    stored[0, 0, :4, 0] = [largest // 2, (largest + 1) // 2, largest // 2 + 1, largest]
    path = _write(
        dicom,
        sources,
        stored / largest,
        SegmentationTypeValues.FRACTIONAL,
        max_fractional_value=largest,
        fractional_type=SegmentationFractionalTypeValues.PROBABILITY,
    )
    found, rules = _read(dicom, path)
    assert rules == {"SEG_FRACTIONAL_BINARISED"}
    for number, name in enumerate(NAMES):
        assert np.array_equal(found[name], _in_order(sources, stored)[..., number] >= largest / 2)


@pytest.mark.parametrize("sparse", [True, False])
def test_label_map(dicom: DicomWriter, sources: list[Dataset], sparse: bool) -> None:
    labels = np.random.default_rng(6).integers(0, 4, (7, 10, 12)).astype(np.uint8)
    labels[[1, 5]] = 0
    path = _write(dicom, sources, labels, SegmentationTypeValues.LABELMAP, omit_empty_frames=sparse)
    assert pydicom.dcmread(path).SOPClassUID == "1.2.840.10008.5.1.4.1.1.66.7"
    found, rules = _read(dicom, path)
    assert rules == set()
    for number, name in enumerate(NAMES, start=1):
        assert np.array_equal(found[name], _in_order(sources, labels) == number)


def test_segments_on_another_grid_are_resampled_within_limits_or_refused_with_the_numbers(
    dicom: DicomWriter, sources: list[Dataset]
) -> None:
    pixels = np.zeros((7, 10, 12, 3), dtype=np.uint8)
    # Slices 1 to 5 along z.
    pixels[[0, 3, 4, 5, 6], 2:8, 3:9] = 1
    path = _write(dicom, sources, pixels, SegmentationTypeValues.BINARY)
    record = next(series for series in index_folder(dicom.root).series if series.role == "SEG")
    coarse = Geometry((5, 8, 9), (3.0, 3.5, 4.0), (-11.0, 19.0, 4.0))
    roi = read_contours(record, path, {CT: coarse})[0]
    assert roi.rules == ("SEG_RESAMPLED",)
    assert roi.mask.volume_ml == pytest.approx(5 * 6 * 6 * 0.015, rel=0.25)
    away = Geometry((5, 8, 9), (3.0, 3.5, 4.0), (-2.0, 19.0, 4.0))
    with pytest.raises(MaskError, match=r"MASK_OUTSIDE_IMAGE.*16\.7 % of 2\.70 ml outside"):
        read_contours(record, path, {CT: away})
