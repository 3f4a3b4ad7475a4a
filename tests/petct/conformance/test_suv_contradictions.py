"""Pixels, grid, identity and Enhanced PET changed one by one: the value that follows, or the code of the refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from petct.conformance.suv_objects import EXPECTED_SUV, suv_objects
from tests.petct.conformance.suv_mutations import PHANTOM, put, write
from tests.petct.conformance.suv_synthesis import enhanced_pet, pet_slices
from tests.petct.conformance.test_suv_mutations import outcome

Edit = Callable[[list[Dataset]], None]
F18 = 6586.2


def everywhere(**values: object) -> Edit:
    """Set elements of every slice; None removes."""

    def edit(slices: list[Dataset]) -> None:
        for one in slices:
            for keyword, value in values.items():
                if value is None:
                    delattr(one, keyword)
                else:
                    setattr(one, keyword, value)

    return edit


def in_one(keyword: str, value: str) -> Edit:
    """Set the text of an element of the second slice only."""
    return lambda slices: put(slices[1], keyword, value)


def moved(index: int, *position: float) -> Edit:
    """Put a slice elsewhere."""

    def edit(slices: list[Dataset]) -> None:
        slices[index].ImagePositionPatient = list(position)

    return edit


def twin(slices: list[Dataset]) -> None:
    """Give two slices the identity of one."""
    slices[2].SOPInstanceUID = slices[1].SOPInstanceUID


@pytest.mark.parametrize(
    ("edit", "refusal"),
    [
        (everywhere(Rows=3), "PIXELS_EXCESS"),
        (everywhere(Columns=7), "PIXELS_TRUNCATED"),
        (everywhere(BitsAllocated=8, BitsStored=8, HighBit=7), "PIXELS_EXCESS"),
        (everywhere(BitsAllocated=32, BitsStored=32, HighBit=31), "PIXELS_TRUNCATED"),
        (everywhere(HighBit=11), "PIXEL_FORMAT_UNSUPPORTED"),
        (everywhere(SamplesPerPixel=3), "SECONDARY_CAPTURE"),
        (everywhere(PixelData=None), "PIXELS_TRUNCATED"),
        (everywhere(Rows=None), "PIXEL_FORMAT_UNSUPPORTED"),
        (everywhere(Modality="NM"), "MODALITY_NOT_USED"),
        (everywhere(ImagePositionPatient=None), "HEADER_VALUE_MISSING"),
        (everywhere(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), "ORIENTATION_INVALID"),
        (everywhere(PixelSpacing=[0, 0]), "PIXEL_SPACING_MIXED"),
        (moved(1, 0, 0, 8), "SLICE_DUPLICATE"),
        (moved(3, 0, 0, 40), "SLICE_MISSING"),
        (moved(3, 1, 0, 12), "GANTRY_TILT"),
        (twin, "CONFLICTING_INSTANCES"),
        (in_one("PatientWeight", "75"), "HEADER_INCONSISTENT"),
        (in_one("RadionuclideTotalDose", "368.08"), "HEADER_INCONSISTENT"),
        (in_one("RadionuclideHalfLife", "4057.7"), "HEADER_INCONSISTENT"),
        (in_one("DecayCorrection", "ADMIN"), "HEADER_INCONSISTENT"),
        (in_one("Units", "GML"), "HEADER_INCONSISTENT"),
        (in_one("SeriesTime", "113000"), "HEADER_INCONSISTENT"),
        (in_one("RadiopharmaceuticalStartDateTime", "20250101090000"), "HEADER_INCONSISTENT"),
        # What the SUV does not depend on.
        (everywhere(PixelRepresentation=0), None),
        (everywhere(PixelSpacing=[8, 8]), None),
        (everywhere(SliceThickness="17"), None),
        (in_one("PatientWeight", "70.00"), None),
        (in_one("StudyDescription", "another"), None),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, edit: Edit, refusal: str | None) -> None:
    slices = pet_slices(suv_objects()["DRO_0_0"], PHANTOM)
    edit(slices)
    write(slices, tmp_path)
    found = outcome(tmp_path)
    assert found.refusal == refusal
    assert (found.suv is None) is (refusal is not None)
    if found.suv is not None:
        inside = found.suv[PHANTOM.mask]
        assert (inside.min(), np.median(inside), inside.max()) == pytest.approx(EXPECTED_SUV, rel=1e-5)


def frames(keyword: str, sequence: str, change: Callable[[object], object]) -> Edit:
    """Change an element in a functional group of the second frame, which is the third slice."""

    def edit(files: list[Dataset]) -> None:
        item = files[0].PerFrameFunctionalGroupsSequence[1][sequence][0]
        setattr(item, keyword, change(item[keyword].value))

    return edit


def dose(**values: object) -> Edit:
    """Set elements of the radiopharmaceutical."""
    return lambda files: everywhere(**values)(list(files[0].RadiopharmaceuticalInformationSequence))


@pytest.mark.parametrize(
    ("name", "edit", "factor"),
    [
        ("DRO_7_0_0", dose(RadionuclideTotalDose="368080000"), 1),
        ("DRO_7_0_0", dose(RadionuclideTotalDose="184.04"), 2),
        ("DRO_7_0_0", everywhere(PatientWeight="35"), 0.5),
        ("DRO_7_0_0", everywhere(DecayCorrectionDateTime="20250101113000"), 2 ** (1800 / F18)),
        ("DRO_7_0_0", everywhere(SeriesTime="235959", StudyDate=None, PatientSex=None), 1),
        ("DRO_7_0_0", dose(RadiopharmaceuticalStartDateTime="20250101103000"), 2 ** (-1800 / F18)),
        ("DRO_7_3_1", dose(RadiopharmaceuticalStartDateTime="20250101103000"), 2 ** (-1800 / F18)),
        ("DRO_7_2_0", everywhere(PatientWeight=None, DecayCorrectionDateTime=None), 1),
    ],
)
def test_enhanced_pet_follows_the_element_that_changed(tmp_path: Path, name: str, edit: Edit, factor: float) -> None:
    files = [enhanced_pet(suv_objects()[name], PHANTOM)]
    write(files, tmp_path / "before")
    edit(files)
    write(files, tmp_path / "after")
    before, after = outcome(tmp_path / "before"), outcome(tmp_path / "after")
    assert (before.refusal, after.refusal) == (None, None)
    assert np.allclose(after.suv, factor * before.suv, rtol=3e-6, atol=0)


@pytest.mark.parametrize(
    ("edit", "refusal"),
    [
        (everywhere(DecayCorrectionDateTime=None), "SUV_REFERENCE_TIME_UNKNOWN"),
        (everywhere(DecayCorrected=None), "SUV_NOT_DECAY_CORRECTED"),
        (everywhere(AttenuationCorrected="NO"), "NOT_ATTENUATION_CORRECTED"),
        (everywhere(NumberOfFrames=3), "PIXELS_EXCESS"),
        (everywhere(NumberOfFrames=5), "PIXELS_TRUNCATED"),
        (everywhere(PatientWeight=None), "SUV_WEIGHT_MISSING"),
        (dose(RadionuclideHalfLife="4057.7"), "SUV_HALF_LIFE_MISMATCH"),
        (frames("RealWorldValueIntercept", "RealWorldValueMappingSequence", lambda _: 1.0), "PET_INTERCEPT_NONZERO"),
        (
            frames("RealWorldValueLastValueMapped", "RealWorldValueMappingSequence", lambda _: 7),
            "REAL_WORLD_VALUE_RANGE",
        ),
        (frames("ImagePositionPatient", "PlanePositionSequence", lambda _: [0, 0, 0]), "SLICE_DUPLICATE"),
    ],
)
def test_enhanced_pet_that_contradicts_itself_is_refused(tmp_path: Path, edit: Edit, refusal: str) -> None:
    files = [enhanced_pet(suv_objects()["DRO_7_0_0"], PHANTOM)]
    edit(files)
    write(files, tmp_path)
    assert outcome(tmp_path).refusal == refusal


def test_a_frame_has_its_own_slope(tmp_path: Path) -> None:
    files = [enhanced_pet(suv_objects()["DRO_7_1_0"], PHANTOM)]
    write(files, tmp_path / "before")
    frames("RealWorldValueSlope", "RealWorldValueMappingSequence", lambda slope: 3 * float(str(slope)))(files)
    write(files, tmp_path / "after")
    before, after = outcome(tmp_path / "before").suv, outcome(tmp_path / "after").suv
    assert np.allclose(after, before * np.array([1, 1, 3, 1])[:, None, None], rtol=1e-6, atol=0)


def test_a_cut_enhanced_file_gives_no_value(tmp_path: Path) -> None:
    write([enhanced_pet(suv_objects()["DRO_7_0_0"], PHANTOM)], tmp_path)
    path = tmp_path / "0.dcm"
    whole = path.read_bytes()
    assert outcome(tmp_path).refusal is None
    for size in [*range(200, len(whole), 211), len(whole) - 1]:
        path.write_bytes(whole[:size])
        assert outcome(tmp_path).refusal is not None, size
