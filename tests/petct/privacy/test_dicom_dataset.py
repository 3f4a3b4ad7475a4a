"""De-identification: the SUV and the masks stay as they are, and nothing that identifies is left in any byte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from petct.dicom.index import index_folder
from petct.dicom.masks import read_contours
from petct.dicom.parsing import lenient_parsing
from petct.dicom.records import DicomIndex
from petct.dicom.series import read_ct, read_pet
from petct.errors import DicomError
from petct.privacy.dicom_folder import DeidentificationReport, deidentify_folder, new_folder
from petct.privacy.pseudonyms import Pseudonyms
from petct.suv.compute import compute_suv
from petct.suv.result import SuvResult
from tests.petct.conftest import DicomWriter
from tests.some import some

KEY = bytes(range(32))
ROOT_UID = "1.2.826.0.1.3680043.8.498.77"
#: What the planted files say about the patient; none of it may be in any byte of what is written.
SECRETS = (
    *("Zuckmayer", "Annegret", "Quillfeather", "MRN-4711-0815", "ACC90210", "Sankt-Irgendwo", "STATION7X"),
    *("20250101", "2025-01-01", "01.01.2025", "19370508", "20241231", ROOT_UID),
)


def _plant(dataset: Dataset, index: int) -> None:
    """Say who the patient is in every way that comes to mind, at the top, in sequences and in private elements."""
    dataset.PatientName = "Zuckmayer^Annegret"
    dataset.PatientID = "MRN-4711-0815"
    dataset.OtherPatientIDs = "MRN-4711-0815b"
    dataset.PatientBirthDate = "19370508"
    dataset.PatientAge = "087Y"
    dataset.PatientComments = "Mrs Zuckmayer came on 01.01.2025"
    dataset.AccessionNumber = "ACC90210"
    dataset.StudyID = "ACC90210"
    dataset.InstitutionName = "Sankt-Irgendwo"
    dataset.StationName = "STATION7X"
    dataset.ReferringPhysicianName = "Quillfeather^Q"
    dataset.StudyDescription = "PET for Dr Quillfeather"
    dataset.SeriesDescription = "PET WB Zuckmayer 2025-01-01"
    dataset.ProtocolName = "Zuckmayer AC"
    dataset.BodyPartExamined = "ZUCKMAYER"
    dataset.ContentDate = "20241231"
    dataset.InstanceCreationDate = "20250101"
    if "PixelData" in dataset:
        dataset.ImageComments = "Annegret Zuckmayer"
    referenced = Dataset()
    referenced.ReferencedSOPClassUID = dataset.SOPClassUID
    referenced.ReferencedSOPInstanceUID = f"{ROOT_UID}.9.{index}"
    dataset.SourceImageSequence = Sequence([referenced])
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "X1", "99LOCAL", "asked by Quillfeather"
    dataset.AnatomicRegionSequence = Sequence([code])
    request = Dataset()
    request.RequestedProcedureDescription = "Zuckmayer"
    request.PatientName = "Zuckmayer^Annegret"
    dataset.RequestAttributesSequence = Sequence([request])
    block = dataset.private_block(0x0029, "ACME 1.0", create=True)
    block.add_new(0x10, "LO", "Zuckmayer^Annegret")
    block.add_new(0x11, "DA", "20250101")
    inner = Dataset()
    inner.PatientName = "Zuckmayer^Annegret"
    block.add_new(0x12, "SQ", [inner])


def _siemens(dataset: Dataset, _index: int) -> None:
    block = dataset.private_block(0x0071, "SIEMENS MED PT", create=True)
    block.add_new(0x22, "DT", "20250101104500.000000")
    block.add_new(0x23, "LO", "Zuckmayer")
    dataset.SeriesTime = "104000"


def _ge(dataset: Dataset, _index: int) -> None:
    dataset.Manufacturer = "GE MEDICAL SYSTEMS"
    dataset.add(DataElement(0x00090010, "LO", "GEMS_PETD_01"))
    dataset.add(DataElement(0x0009100D, "DT", "20250101104200.00"))
    dataset.add(DataElement(0x00091001, "LO", "Zuckmayer"))


def _philips(dataset: Dataset, **factors: str) -> None:
    dataset.Manufacturer = "Philips Medical Systems"
    dataset.Units = "CNTS"
    dataset.add(DataElement(0x70530011, "LO", "Philips PET Private Group"))
    for offset, value in (("1100", factors.get("suv")), ("1109", factors.get("activity"))):
        if value is not None:
            dataset.add(DataElement(0x70530000 | int(offset, 16), "DS", value))
    dataset.add(DataElement(0x70531103, "LO", "Zuckmayer"))


def _uncorrected(dataset: Dataset, _index: int) -> None:
    dataset.DecayCorrection = "NONE"
    dataset.CorrectedImage = ["ATTN"]


def _past_midnight(dataset: Dataset, _index: int) -> None:
    dataset.SeriesDate = dataset.AcquisitionDate = "20250101"
    dataset.SeriesTime = dataset.AcquisitionTime = "003000"
    dose = dataset.RadiopharmaceuticalInformationSequence[0]
    dose.RadiopharmaceuticalStartTime = "233000"
    dose.RadiopharmaceuticalStartDateTime = "20241231233000"


def _only_times(dataset: Dataset, index: int) -> None:
    _past_midnight(dataset, index)
    del dataset.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartDateTime


PATHS: dict[str, Callable[[Dataset, int], None]] = {
    "series time": lambda _dataset, _index: None,
    "Siemens scan start": _siemens,
    "GE scan start": _ge,
    "Philips activity factor": lambda dataset, _index: _philips(dataset, activity="2.5", suv="0.001"),
    "Philips SUV factor": lambda dataset, _index: _philips(dataset, suv="0.00125"),
    "ADMIN": lambda dataset, _index: setattr(dataset, "DecayCorrection", "ADMIN"),
    "NONE": _uncorrected,
    "past midnight": _past_midnight,
    "time of day only": _only_times,
}


def _deidentify(source: Path, target: Path) -> tuple[DeidentificationReport, Pseudonyms]:
    pseudonyms = Pseudonyms(KEY)
    with new_folder(target) as folder:
        return deidentify_folder(source, folder, pseudonyms), pseudonyms


def _paths(root: Path, index: DicomIndex, series: str) -> list[Path]:
    return [root / file.path for file in index.files if file.series_instance_uid == series]


def _suv(root: Path) -> SuvResult:
    """The SUV of the one PET below ``root``."""
    index = index_folder(root)
    (pet,) = [item for item in index.series if item.role == "PET"]
    uid = pet.series_instance_uid
    return compute_suv(read_pet(_paths(root, index, uid), patient_id=pet.patient_id, series_instance_uid=uid), "scan")


def _masks(root: Path) -> dict[str, np.ndarray]:
    """The masks of all contours below ``root``, by the role of the contours and the name of the region."""
    index = index_folder(root)
    geometries = {
        item.series_instance_uid: (read_pet if item.role == "PET" else read_ct)(
            _paths(root, index, item.series_instance_uid),
            patient_id=item.patient_id,
            series_instance_uid=item.series_instance_uid,
        ).volume.geometry
        for item in index.series
        if item.role in ("PET", "CT")
    }
    masks = {}
    for item in index.series:
        if item.role in ("RTSTRUCT", "SEG"):
            for path in _paths(root, index, item.series_instance_uid):
                for roi in read_contours(item, path, geometries):
                    masks[f"{item.role} {roi.name}"] = roi.mask.array
    return masks


def _leaks(root: Path, secrets: tuple[str, ...] = SECRETS) -> list[str]:
    """Which secrets are in the name or in the bytes of any file, in either case and also as UTF-16."""
    found = []
    for path in root.rglob("*"):
        content = str(path.relative_to(root)).encode() + (path.read_bytes() if path.is_file() else b"")
        content = content.lower()
        for secret in secrets:
            if secret.lower().encode() in content or secret.lower().encode("utf-16-le") in content:
                found.append(f"{path.name}: {secret}")
    return found


@pytest.mark.parametrize("implicit", [False, True], ids=["explicit VR", "implicit VR"])
@pytest.mark.parametrize("name", PATHS)
def test_the_suv_is_the_same_and_no_secret_is_left(dicom: DicomWriter, name: str, implicit: bool) -> None:
    def edit(dataset: Dataset, index: int) -> None:
        PATHS[name](dataset, index)
        _plant(dataset, index)

    dicom.implicit = implicit
    dicom.study, dicom.frame = f"{ROOT_UID}.1", f"{ROOT_UID}.2"
    dicom.pet(series=f"{ROOT_UID}.3", edit=edit)
    assert _leaks(dicom.root), "the test plants nothing"
    target = dicom.root.parent / "out"
    report, pseudonyms = _deidentify(dicom.root, target)

    assert report.dropped == ()
    before, after = _suv(dicom.root), _suv(target)
    assert np.array_equal(before.volume.array, after.volume.array)
    assert before.facts.uptake_duration_s == after.facts.uptake_duration_s
    assert [a.code for a in before.adaptations] == [a.code for a in after.adaptations]
    (patient,) = pseudonyms.patients
    assert after.patient_id == patient.pseudonym
    if before.facts.reference_datetime is not None:
        assert after.facts.reference_datetime - before.facts.reference_datetime == timedelta(days=patient.shift_days)
    assert _leaks(target) == []


def test_masks_are_the_same_and_references_lead_to_the_new_uids(dicom: DicomWriter) -> None:
    dicom.study, dicom.frame = f"{ROOT_UID}.1", f"{ROOT_UID}.2"
    dicom.pet(series=f"{ROOT_UID}.3", edit=_plant)
    square = np.array([[-8, 22, 5], [-2, 22, 5], [-2, 30, 5], [-8, 30, 5]])
    regions = {"liver": [square], "GTV Dr Quillfeather": [square + np.array([0, 0, 3])]}
    dicom.rtstruct(regions, referenced=f"{ROOT_UID}.3", series=f"{ROOT_UID}.4", edit=_plant)
    segment = np.zeros((4, 6, 7), dtype=np.uint8)
    segment[1:3, 2:4, 1:5] = 1
    dicom.seg({"lesion 1": segment}, referenced=f"{ROOT_UID}.3", series=f"{ROOT_UID}.5", edit=_plant)
    target = dicom.root.parent / "out"
    report, pseudonyms = _deidentify(dicom.root, target)

    before, after = _masks(dicom.root), _masks(target)
    before["RTSTRUCT REGION 2"] = before.pop("RTSTRUCT GTV Dr Quillfeather")
    assert set(after) == set(before)
    assert all(np.array_equal(before[name], after[name]) for name in some(before))
    assert report.labels == ("lesion 1", "liver")
    assert ("DEID_LABEL_REPLACED", "ROIName") in {(note.code, note.attribute) for note in report.notes}
    assert _leaks(target) == []
    for path in some(target.rglob("*.dcm")):
        dataset = pydicom.dcmread(path)
        assert str(dataset.FrameOfReferenceUID) == pseudonyms.uid(f"{ROOT_UID}.2")
        assert dataset.PatientIdentityRemoved == "YES"
        codes = {code.CodeValue for code in dataset.DeidentificationMethodCodeSequence}
        assert codes == {"113100", "113105", "113107", "113108", "113111"}
        assert dataset.LongitudinalTemporalInformationModified == "MODIFIED"


def test_what_the_suv_and_the_scan_need_is_kept_and_the_rest_has_its_rule(dicom: DicomWriter) -> None:
    def edit(dataset: Dataset, index: int) -> None:
        _plant(dataset, index)
        dataset.ContrastBolusAgent = "Ultravist, asked by Quillfeather"
        dataset.DeviceSerialNumber = "SN123456"
        dataset.add(DataElement(0x60003000, "OW", b"\x01\x02"))
        dataset.ReconstructionMethod = "PSF+TOF 2i21s"

    dicom.pet(n=1, edit=edit)
    target = dicom.root.parent / "out"
    _deidentify(dicom.root, target)
    (path,) = target.rglob("*.dcm")
    dataset = pydicom.dcmread(path)
    assert (dataset.PatientWeight, dataset.PatientSize, dataset.PatientSex) == (70, 1.75, "F")
    assert dataset.ReconstructionMethod == "PSF+TOF 2i21s"
    assert dataset.SeriesDescription == "PET WB"
    assert dataset.ContrastBolusAgent == "CONTRAST"
    assert (dataset.PatientBirthDate, dataset.DeviceSerialNumber, dataset.ReferringPhysicianName) == ("", "", "")
    assert 0x60003000 not in dataset
    assert "PatientComments" not in dataset
    assert not [element for element in some(dataset) if element.tag.is_private]


@pytest.mark.parametrize(
    ("age", "kept"), [("089Y", "089Y"), ("090Y", "090Y"), ("103Y", "090Y"), ("999M", "999M"), ("", "")]
)
def test_ages_above_89_are_one_group(dicom: DicomWriter, age: str, kept: str) -> None:
    dicom.pet(n=1, edit=lambda dataset, _index: setattr(dataset, "PatientAge", age))
    target = dicom.root.parent / "out"
    _deidentify(dicom.root, target)
    (path,) = target.rglob("*.dcm")
    assert pydicom.dcmread(path).PatientAge == kept


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda d, _i: setattr(d, "BurnedInAnnotation", "YES"), "DEID_BURNED_IN"),
        (lambda d, _i: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.7"), "DEID_SCREEN_CAPTURE"),
        (lambda d, _i: setattr(d, "ImageType", ["DERIVED", "SECONDARY", "SCREEN SAVE"]), "DEID_SCREEN_CAPTURE"),
        (lambda d, _i: setattr(d, "SamplesPerPixel", 3), "DEID_SCREEN_CAPTURE"),
        (lambda d, _i: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.88.67"), "DEID_REPORT"),
        (lambda d, _i: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.104.1"), "DEID_ENCAPSULATED_DOCUMENT"),
        (lambda d, _i: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.11.1"), "DEID_PRESENTATION_STATE"),
        (lambda d, _i: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.4"), "DEID_OBJECT_NOT_KEPT"),
        (lambda d, _i: d.pop("PatientID"), "PATIENT_ID_MISSING"),
        (lambda d, _i: setattr(d, "ContentDate", "00010101"), "DEID_DATE_OUT_OF_RANGE"),
    ],
)
def test_what_cannot_be_cleaned_is_dropped_with_its_reason(
    dicom: DicomWriter, edit: Callable[[Dataset, int], None], code: str
) -> None:
    dicom.pet(n=1)
    dicom.ct(n=1, folder="other", edit=edit)
    (dicom.root / "notes.txt").write_text("Jane Doe", encoding="utf-8")
    whole = dicom.ct(series="1.2.3.8", n=1, folder="cut")[0].read_bytes()
    (dicom.root / "cut" / "000.dcm").write_bytes(whole[:-20])
    target = dicom.root.parent / "out"
    report, _ = _deidentify(dicom.root, target)
    reasons = {dropped.path: dropped.code for dropped in report.dropped}
    expected = {"other/000.dcm": code, "notes.txt": "DICOM_PREFIX_MISSING", "cut/000.dcm": "DICOM_UNREADABLE"}
    assert reasons == expected
    assert [path.parent.name[:2] for path in target.rglob("*.dcm")] == ["PT"]


def test_nothing_is_overwritten_and_half_a_folder_never_appears(dicom: DicomWriter, tmp_path: Path) -> None:
    dicom.pet(n=1)
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine").write_text("mine", encoding="utf-8")
    with pytest.raises(DicomError, match="DEID_DESTINATION_EXISTS"):
        _deidentify(dicom.root, target)
    assert [path.name for path in target.iterdir()] == ["mine"]
    with pytest.raises(DicomError, match="DEID_NOTHING_TO_DO"):
        _deidentify(target, tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dicom", "out"]


def test_a_date_that_cannot_be_read_is_emptied_and_said(dicom: DicomWriter) -> None:
    def edit(dataset: Dataset, _index: int) -> None:
        dataset.ContentDate = "1.1.2025"
        dataset.add(DataElement(0x00080022, "DA", "2025.01.01"))

    with lenient_parsing():
        dicom.pet(n=1, edit=edit)
    target = dicom.root.parent / "out"
    report, pseudonyms = _deidentify(dicom.root, target)
    (path,) = target.rglob("*.dcm")
    dataset = pydicom.dcmread(path)
    assert dataset.ContentDate == ""
    shifted = pseudonyms.patient("P1").shifted(date(2025, 1, 1))
    assert dataset.AcquisitionDate == f"{shifted:%Y%m%d}"
    assert [(note.code, note.attribute) for note in report.notes] == [("DEID_DATE_UNREADABLE", "ContentDate")]


def test_a_real_patient(petlake_data: Path, tmp_path: Path) -> None:
    """STS_001: PET in SUV, CT, and contours on both; the same SUV, the same masks, nothing of the old identity."""
    source, target = petlake_data / "sts" / "dicom" / "STS_001", tmp_path / "out"
    report, _ = _deidentify(source, target)
    assert report.dropped == ()
    assert {(item.modality, item.n_files) for item in report.files} == {("PT", 59), ("CT", 59), ("RTSTRUCT", 2)}
    assert np.array_equal(_suv(source).volume.array, _suv(target).volume.array)
    before, after = _masks(source), _masks(target)
    assert set(before) == set(after)
    assert all(np.array_equal(before[name], after[name]) for name in some(before))
    assert _leaks(target, ("STS_001", "1.3.6.1.4.1.14519", "20000907", "20190820", "1764353264683505")) == []


def test_damaged_files_are_cleaned_or_dropped_and_never_leak(dicom: DicomWriter, tmp_path: Path) -> None:
    """150 files with a few flipped bytes each: nothing stops the run, and what is written holds no secret."""
    dicom.study, dicom.frame = f"{ROOT_UID}.1", f"{ROOT_UID}.2"
    (path,) = dicom.pet(series=f"{ROOT_UID}.3", n=1, edit=_plant)
    whole = path.read_bytes()
    random = np.random.default_rng(20261124)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for number in range(150):
        content = bytearray(whole)
        # Behind the preamble, and not in the secrets themselves: half a name is not what is looked for.
        for position in random.integers(132, len(content), 4):
            if not any(s.encode() in content[max(0, position - 16) : position + 16] for s in SECRETS):
                content[position] ^= 1 << int(random.integers(8))
        (damaged / f"{number:03d}").write_bytes(content)
    report, _ = _deidentify(damaged, tmp_path / "out")
    assert sum(item.n_files for item in report.files) + len(report.dropped) == 150
    assert sum(item.n_files for item in report.files) > 50
    assert report.dropped
    assert _leaks(tmp_path / "out") == []


@pytest.mark.parametrize(("charset", "codec"), [("ISO_IR 100", "latin-1"), ("ISO_IR 192", "utf-8")])
def test_names_beyond_ascii_are_found_in_their_character_set(dicom: DicomWriter, charset: str, codec: str) -> None:
    def edit(dataset: Dataset, _index: int) -> None:
        dataset.SpecificCharacterSet = charset
        dataset.PatientName = "Müßiggänger^Jürgen"
        dataset.ReconstructionMethod = "OSEM for Müßiggänger"
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "X1", "99LOCAL", "Jürgen"
        dataset.AnatomicRegionSequence = Sequence([code])

    (path,) = dicom.pet(n=1, edit=edit)
    words = [word.encode(codec) for word in ("Müßiggänger", "Jürgen")]
    assert all(word in path.read_bytes() for word in words), "the test plants nothing"
    target = dicom.root.parent / "out"
    report, _ = _deidentify(dicom.root, target)
    (written,) = target.rglob("*.dcm")
    assert not any(word in written.read_bytes() for word in words)
    assert {note.attribute for note in report.notes} == {"ReconstructionMethod", "CodeMeaning"}
