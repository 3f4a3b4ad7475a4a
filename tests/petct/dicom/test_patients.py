"""Whose files these are: changed ids, wrong folders, contradictions, and what a DICOMDIR lists."""

from __future__ import annotations

import shutil

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from petct.dicom.index import index_folder
from petct.dicom.records import DicomIndex
from tests.petct.conftest import DicomWriter


def _found(index: DicomIndex) -> set[tuple[str, str]]:
    return {(finding.patient_id, finding.code) for finding in index.findings}


def _of_another(dicom: DicomWriter, patient_id: str, study: str) -> None:
    dicom.patient_id, dicom.study, dicom.frame = patient_id, study, f"{study}.9"


def test_patients_in_folders_of_their_own_or_in_one_heap_are_fine(dicom: DicomWriter) -> None:
    dicom.pet("1.2.3.1", folder="P1/pet")
    _of_another(dicom, "P2", "1.2.4")
    dicom.pet("1.2.4.1", folder="P2/pet")
    assert index_folder(dicom.root).findings == ()
    for number, path in enumerate(sorted(dicom.root.rglob("*/pet/*"))):
        shutil.move(path, dicom.root / f"{number}")
    index = index_folder(dicom.root)
    assert index.findings == ()
    assert len(index.series) == 2


@pytest.mark.parametrize("whole_series", [True, False])
def test_a_changed_patient_id_stands_with_both_patients(dicom: DicomWriter, whole_series: bool) -> None:
    """A PET that was pseudonymised, and a CT of the same study (or the half of a series) that was not."""
    dicom.pet("1.2.3.1")
    dicom.ct("1.2.3.2", edit=lambda ds, i: setattr(ds, "PatientID", "P9" if whole_series or i % 2 else "P1"))
    index = index_folder(dicom.root)
    assert {("P1", "INDEX_PATIENT_ID_CHANGED"), ("P9", "INDEX_PATIENT_ID_CHANGED")} <= _found(index)
    series = {f.series_instance_uid for f in index.findings if f.code == "INDEX_PATIENT_ID_CHANGED"}
    assert series == ({None} if whole_series else {"1.2.3.2"})


def test_files_in_the_folder_of_another_patient(dicom: DicomWriter) -> None:
    dicom.pet("1.2.3.1", folder="P1/pet")
    _of_another(dicom, "P2", "1.2.4")
    dicom.pet("1.2.4.1", folder="P2/pet")
    dicom.ct("1.2.4.2", folder="P1/ct", n=2)
    (finding,) = index_folder(dicom.root).findings
    assert (finding.patient_id, finding.code) == ("P2", "INDEX_WRONG_PATIENT_FOLDER")
    assert "2 files" in finding.message
    assert "P1" in finding.message


def test_a_few_files_of_another_patient_in_a_folder(dicom: DicomWriter) -> None:
    dicom.pet("1.2.3.1", n=20, folder="somewhere")
    _of_another(dicom, "P2", "1.2.4")
    dicom.ct("1.2.4.1", n=2, folder="somewhere")
    assert _found(index_folder(dicom.root)) == {("P2", "INDEX_WRONG_PATIENT_FOLDER")}
    # Half and half is how some archives export, and no finding.
    dicom.ct("1.2.4.2", n=10, folder="somewhere")
    assert _found(index_folder(dicom.root)) == set()


def test_one_id_for_two_people(dicom: DicomWriter) -> None:
    dicom.pet(edit=lambda ds, _: setattr(ds, "PatientBirthDate", "19500101"))
    dicom.ct(edit=lambda ds, _: setattr(ds, "PatientBirthDate", "19610203"))
    (finding,) = index_folder(dicom.root).findings
    assert (finding.patient_id, finding.code) == ("P1", "INDEX_PATIENT_CONTRADICTORY")
    assert "PatientBirthDate" in finding.message
    # What identifies a person is compared, and not shown.
    assert "1950" not in finding.message


def _directory(dicom: DicomWriter, names: list[list[str]]) -> None:
    records = []
    for kind, content in [("PATIENT", "P1"), *(("IMAGE", name) for name in names)]:
        record = Dataset()
        record.DirectoryRecordType = kind
        if kind == "PATIENT":
            record.PatientID = content
        else:
            record.ReferencedFileID = content
        records.append(record)
    directory = Dataset()
    directory.DirectoryRecordSequence = Items(records)
    directory.SOPClassUID = "1.2.840.10008.1.3.10"
    directory.SOPInstanceUID, directory.SeriesInstanceUID = "1.9", "1.9.1"
    dicom.save(directory, "disk/DICOMDIR")


def test_what_a_dicomdir_lists_and_is_not_there_is_said(dicom: DicomWriter) -> None:
    dicom.pet(folder="disk/pet", n=3)
    _directory(dicom, [["PET", "001"], ["PET", "002"], ["PET", "003"]])
    assert index_folder(dicom.root).findings == ()
    _directory(dicom, [["PET", "001"], ["PET", "004"], ["PET", "005"]])
    index = index_folder(dicom.root)
    assert _found(index) == {("P1", "INDEX_LISTED_FILE_MISSING")}
    assert "2 files" in index.findings[0].message
    assert [s.code for s in index.set_aside] == ["DICOMDIR"]
    assert index.series[0].role == "PET"
