"""The DICOM images, read back by textbook formulas, show what the truth says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map
from scipy import ndimage

from petct.synthetic.anatomy import ORGANS
from petct.synthetic.images import blur
from tests.petct.synthetic.written import WRITTEN, WrittenPatient
from tests.some import some


@pytest.mark.parametrize("number", WRITTEN)
def test_suv_of_large_organs_is_that_of_the_noise_free_image(written: dict[int, WrittenPatient], number: int) -> None:
    patient = written[number]
    suv, voxels = patient.suv(), patient.voxels
    away_from_lesions = ndimage.binary_dilation(voxels["lesions"] > 0, iterations=3)
    for name in ("liver", "spleen", "kidneys", "bladder"):
        organ = ndimage.binary_erosion(voxels["organs"] == ORGANS.index(name) + 1, iterations=2)
        organ &= ~away_from_lesions
        assert suv[organ].mean() == pytest.approx(voxels["suv"][organ].mean(dtype=np.float64), rel=0.02), name


@pytest.mark.parametrize("number", WRITTEN)
def test_image_is_the_truth_through_the_point_spread_function_plus_noise(
    written: dict[int, WrittenPatient], number: int
) -> None:
    patient = written[number]
    expected = blur(patient.voxels["suv"], 4.0)  # type: ignore[arg-type]
    body = expected > 0.4
    relative = (patient.suv()[body] - expected[body]) / np.sqrt(expected[body])
    assert relative.mean() == pytest.approx(0.0, abs=0.01)
    assert relative.std() == pytest.approx(0.22, abs=0.02)


def test_ct_shows_the_same_person_on_a_finer_grid(written: dict[int, WrittenPatient]) -> None:
    patient = written[1]
    pet, ct = patient.pet, patient.ct
    assert {s.FrameOfReferenceUID for s in pet} == {s.FrameOfReferenceUID for s in ct}
    assert [s.ImagePositionPatient[2] for s in pet] == [s.ImagePositionPatient[2] for s in ct]
    assert [float(v) for v in ct[0].PixelSpacing] == [3.0, 3.0]
    for axis, size in ((0, "Columns"), (1, "Rows")):
        edges = [
            (float(s.ImagePositionPatient[axis]), float(s.PixelSpacing[0]), int(s[size].value)) for s in (pet[0], ct[0])
        ]
        low = [start - step / 2 for start, step, _ in edges]
        high = [start + (n - 0.5) * step for start, step, n in edges]
        assert low[0] == pytest.approx(low[1], abs=2.0)
        assert high[0] == pytest.approx(high[1], abs=2.0)
    hounsfield = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in ct])
    on_pet = ndimage.zoom(hounsfield, np.array(patient.voxels["suv"].shape) / hounsfield.shape, order=1)
    organs = patient.voxels["organs"]
    assert on_pet[0, 0, 0] == pytest.approx(-1000, abs=60)
    liver = ndimage.binary_erosion(organs == ORGANS.index("liver") + 1, iterations=3)
    liver &= ~ndimage.binary_dilation(patient.voxels["lesions"] > 0, iterations=3)
    assert on_pet[liver].mean() == pytest.approx(60.0, abs=3.0)
    spine = ndimage.binary_erosion(organs == ORGANS.index("spine") + 1, iterations=2)
    assert on_pet[spine].mean() > 180.0


def test_one_reference_time_explains_all_bed_positions(written: dict[int, WrittenPatient]) -> None:
    """domain.md 1.4: t_ref = earliest AcquisitionTime = SeriesTime, and rule (iii) gives the same in every slice."""
    slices = written[1].pet
    half_life = float(slices[0].RadiopharmaceuticalInformationSequence[0].RadionuclideHalfLife)
    decay = math.log(2) / half_life
    start = pydicom_time(slices[0].SeriesDate, slices[0].SeriesTime)
    acquired = [pydicom_time(s.AcquisitionDate, s.AcquisitionTime) for s in slices]
    assert half_life == 4057.7
    assert min(acquired) == start
    assert len(set(acquired)) == 5
    assert acquired == sorted(acquired), "the beds go from the thighs upwards"
    for one, moment in some(zip(slices, acquired, strict=True)):
        exponent = decay * float(one.ActualFrameDuration) / 1000.0
        during = exponent / (1.0 - math.exp(-exponent))
        offset = (moment - start).total_seconds()
        average = math.log(during) / decay
        assert offset + average - float(one.FrameReferenceTime) / 1000.0 == pytest.approx(0.0, abs=1e-6)
        assert float(one.DecayFactor) == pytest.approx(math.exp(decay * offset) * during, rel=1e-9)
    assert len({float(s.RescaleSlope) for s in slices}) > 200
    assert {float(s.RescaleIntercept) for s in slices} == {0.0}


def pydicom_time(date: str, time: str) -> object:
    from pydicom.valuerep import DT

    return DT(date + time)


def test_header_says_what_the_tracer_was(written: dict[int, WrittenPatient]) -> None:
    header = written[1].pet[0]
    tracer = header.RadiopharmaceuticalInformationSequence[0]
    assert (header.Units, header.DecayCorrection, header.Modality) == ("BQML", "START", "PT")
    assert {"DECY", "ATTN"} <= set(header.CorrectedImage)
    assert tracer.RadionuclideCodeSequence[0].CodeValue == "35337001"
    assert tracer.Radiopharmaceutical == "68Ga-DOTATOC"
    assert 80e6 <= float(tracer.RadionuclideTotalDose) <= 240e6
    assert tracer.RadiopharmaceuticalStartDateTime[8:] == tracer.RadiopharmaceuticalStartTime
    assert header.PatientSex in "MF"
    assert 1.4 < float(header.PatientSize) < 2.0


@pytest.mark.parametrize(
    ("series", "iod"),
    [("PT", "positron-emission-tomography-image"), ("CT", "ct-image"), ("RTSTRUCT", "rt-structure-set")],
)
def test_every_required_attribute_of_the_mandatory_modules_is_there(
    written: dict[int, WrittenPatient], series: str, iod: str
) -> None:
    """Type 1: present with a value; type 2: present (PS3.3, tables that come with highdicom)."""
    import pydicom

    attributes = get_module_attribute_map()
    mandatory = [module for module in get_iod_module_map()[iod] if module["usage"] == "M"]
    of_image = [one for module in mandatory for one in attributes[module["key"]] if not one["path"]]
    with_a_value = some(one["keyword"] for one in of_image if one["type"] == "1")
    present = some(one["keyword"] for one in of_image if one["type"] == "2")
    files = sorted((written[1].folder / series).glob("*.dcm"))
    for path in (files[0], files[-1]):
        dataset = pydicom.dcmread(path)
        assert not [keyword for keyword in present if keyword not in dataset]
        assert not [keyword for keyword in with_a_value if keyword not in dataset or dataset[keyword].is_empty]


def test_uids_are_unique_and_valid(written: dict[int, WrittenPatient]) -> None:
    import pydicom

    seen: set[str] = set()
    for patient in some(written.values()):
        studies, frames = set(), set()
        for path in some(patient.folder.rglob("*.dcm")):
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            assert dataset.SOPInstanceUID not in seen
            assert dataset.SOPInstanceUID.startswith("2.25.")
            assert pydicom.uid.UID(dataset.SOPInstanceUID).is_valid
            assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
            assert dataset.PatientID == patient.record.patient_id
            seen.add(dataset.SOPInstanceUID)
            studies.add(dataset.StudyInstanceUID)
            frames.add(dataset.FrameOfReferenceUID)
        assert len(studies) == len(frames) == 1
