"""The table of the 58 reference objects, the files made from it, and the exam that is run on them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import Dataset, dcmread

from petct.conformance.exam import Verdict
from petct.conformance.suv import run
from petct.conformance.suv_objects import EXPECTED_SUV, suv_object, suv_objects
from petct.dicom.index import index_folder
from petct.dicom.series import read_pet
from petct.image.volume import Geometry
from petct.suv.compute import compute_suv
from tests.petct.conformance.suv_synthesis import SuvPhantom, pet_slices, small_phantom, write_object
from tests.some import some

OBJECTS = suv_objects()
SHIPPED = ("DRO_0_0", "DRO_1_0", "DRO_2_0", "DRO_2_3", "DRO_3_0", "DRO_3_2", "DRO_4_0", "DRO_4_2")
# Names and numbers of the published objects that say nothing of the SUV.
IDENTITY = {
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "InstitutionName",
    "ReferringPhysicianName",
    "StudyDescription",
    "SeriesDescription",
    "AnatomicRegionSequence",
    "PatientBirthDate",
    "BodyPartExamined",
    "PatientPosition",
    "StudyID",
    "PatientOrientation",
    "PositionReferenceIndicator",
    "SliceLocation",
    "NumberOfFrames",
    "RescaleType",
    "Radiopharmaceutical",
    "RadionuclidePositronFraction",
    "CountsSource",
    "RandomsCorrectionMethod",
    "ReconstructionMethod",
}


def test_the_table_is_the_list(petlake_data: Path) -> None:
    with (petlake_data / "suv_dro" / "DRO_list.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == list(OBJECTS)
    assert [row["description"] for row in rows] == [one.description for one in OBJECTS.values()]
    assert [row["expected"] == "ERROR" for row in rows] == [one.refusal is not None for one in OBJECTS.values()]
    values = "/".join(f"{value:.2f}" for value in EXPECTED_SUV)
    assert {row["expected"] for row in rows} == {values, "ERROR"}
    assert sum(one.refusal is None for one in OBJECTS.values()) == 43
    assert sum(one.enhanced for one in OBJECTS.values()) == 5


def test_the_oracle_is_the_definition_of_the_suv() -> None:
    # 2 to the power of (time / half-life) is another way than the exponential function of the code.
    dose_per_gram = 368.08e6 / 70000
    by_id = {name: one.one_suv[0] for name, one in OBJECTS.items()}
    assert by_id["DRO_0_0"] == pytest.approx(dose_per_gram * 2 ** (-3600 / 6586.2), rel=2e-6)
    assert by_id["DRO_3_1"] == pytest.approx(dose_per_gram, rel=1e-6)
    assert by_id["DRO_4_5"] == pytest.approx(dose_per_gram * 2 ** (-49 / 78.4), rel=1e-6)
    assert by_id["DRO_5_0"] == pytest.approx(dose_per_gram * 2 ** (-3600 / 4057.7), rel=1e-6)
    # The mean over a frame, summed up second by second.
    for half, begin in enumerate((3600, 3900)):
        mean = np.mean(dose_per_gram * 2 ** (-(begin + np.arange(300) + 0.5) / 6586.2))
        assert OBJECTS["DRO_3_4_0"].one_suv[half] == pytest.approx(mean, rel=1e-6)


def _flat(dataset: Dataset) -> dict[str, str]:
    """Keyword -> value, that of the items of a sequence included."""
    found = {}
    for element in dataset.iterall():
        if element.VR != "SQ" and element.keyword != "PixelData":
            found[element.keyword] = str(element.value)
    return found


@pytest.mark.parametrize("name", SHIPPED)
def test_a_published_object_is_rebuilt_from_its_row(petlake_data: Path, tmp_path: Path, name: str) -> None:
    root = petlake_data / "suv_dro" / name
    published = [dcmread(path) for path in sorted((root / "PT").iterdir())]
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(root / "mask" / "DRO_mask.nii.gz"))) > 0
    stored = np.stack([one.pixel_array for one in published])
    # Three values and nothing: which is which is told by their order.
    suv = np.zeros(stored.shape)
    for z, pixels in enumerate(stored):
        for value, meaning in zip(np.unique(pixels[pixels > 0]), _suvs(pixels), strict=True):
            suv[z][pixels == value] = meaning
    phantom = SuvPhantom(suv, mask, Geometry(stored.shape, (4.0, 4.0, 4.0), (0.0, 0.0, 0.0)))
    one = suv_object(name)
    assert one is not None
    rebuilt = pet_slices(one, phantom)
    for ours, theirs in some(zip(rebuilt, published, strict=True)):
        assert ours.PixelData == theirs.PixelData
        expected, found = _flat(theirs), _flat(ours)
        assert set(expected) - set(found) <= IDENTITY
        assert set(found) - set(expected) <= IDENTITY
        different = {keyword for keyword in set(found) & set(expected) if found[keyword] != expected[keyword]}
        assert different <= IDENTITY
    write_object(one, phantom, tmp_path)
    assert np.array_equal(_suv(tmp_path), _suv(root))


def _suvs(pixels: np.ndarray) -> tuple[float, ...]:
    n_values = len(np.unique(pixels[pixels > 0]))
    return {0: (), 1: (1.0,), 3: EXPECTED_SUV}[n_values]


def _suv(root: Path) -> np.ndarray:
    index = index_folder(root)
    (pet,) = [series for series in index.series if series.role == "PET"]
    paths = [root / file.path for file in index.files if file.series_instance_uid == pet.series_instance_uid]
    series = read_pet(paths, patient_id=pet.patient_id, series_instance_uid=pet.series_instance_uid)
    return compute_suv(series, "scan").volume.array


def test_the_published_objects_pass(petlake_data: Path) -> None:
    exam = run(petlake_data / "suv_dro")
    assert exam.score == "8 of 8 pass"
    assert [line.case for line in exam.lines] == list(SHIPPED)
    assert {line.tolerance for line in exam.lines} == {"0.005", "0.1", "0.03788"}


@pytest.fixture(scope="module")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all 58 objects, small."""
    root = tmp_path_factory.mktemp("objects")
    for name, one in OBJECTS.items():
        write_object(one, small_phantom(), root / name)
    return root


def test_all_58_objects_pass(synthesised: Path) -> None:
    exam = run(synthesised)
    assert [line for line in some(exam.lines) if line.verdict is not Verdict.PASS] == []
    assert exam.score == "58 of 58 pass"
    refused = {line.case: line.found for line in exam.lines if line.case.startswith("DRO_error")}
    assert len(refused) == 15
    assert refused == {name: one.refusal for name, one in OBJECTS.items() if one.refusal}
    # All others are stored in units so fine that they leave no room beside the tolerance.
    coarse = {line.case for line in exam.lines if line.tolerance not in (None, "0.005")}
    assert coarse == {"DRO_2_0", "DRO_2_3", "DRO_7_2_0"}
