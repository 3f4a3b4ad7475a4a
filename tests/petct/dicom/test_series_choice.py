"""Which series of a scan is used, the order of scans in time, and the beds of a whole-body series."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import numpy as np
import pytest
from pydicom.dataset import Dataset

from petct.dicom.index import index_files, index_folder
from petct.dicom.records import DicomIndex
from petct.dicom.roles import SeriesChoice
from petct.dicom.scans import scans_of
from tests.petct.conftest import DicomWriter

SQUARE = np.array([[-8.0, 22, 5], [-2, 22, 5], [-2, 30, 5], [-8, 30, 5]])


def _roles(index: DicomIndex) -> dict[str, tuple[str, str | None]]:
    return {s.series_instance_uid: (s.role, s.set_aside_code) for s in index.series}


def _codes(index: DicomIndex) -> list[str]:
    return [finding.code for finding in index.findings]


def _with(**values: object) -> Callable[[Dataset, int], None]:
    def edit(dataset: Dataset, _index: int) -> None:
        for keyword, value in values.items():
            setattr(dataset, keyword, value)

    return edit


def test_one_pet_is_chosen_among_several(dicom: DicomWriter) -> None:
    dicom.pet("1.2.3.1", n=4, folder="a")
    dicom.pet("1.2.3.5", n=5, folder="b")
    dicom.pet("1.2.3.6", n=5, folder="c", edit=_with(SeriesTime="120000"))
    index = index_folder(dicom.root)
    assert {uid for uid, (role, _) in _roles(index).items() if role == "PET"} == {"1.2.3.6"}
    assert _roles(index)["1.2.3.1"] == ("NONE", "PET_NOT_CHOSEN")
    assert _codes(index) == ["INDEX_SEVERAL_PET_SERIES"]
    dicom.rtstruct({"GTV": [SQUARE]}, referenced="1.2.3.1")
    drawn_on = index_folder(dicom.root)
    assert {uid for uid, (role, _) in _roles(drawn_on).items() if role == "PET"} == {"1.2.3.1"}


def test_a_study_may_prefer_a_series_by_name_or_by_uid(dicom: DicomWriter) -> None:
    dicom.pet("1.2.3.1", n=4, folder="a", edit=_with(SeriesDescription="PET PSF+TOF"))
    dicom.pet("1.2.3.5", n=5, folder="b", edit=_with(SeriesDescription="PET OSEM"))
    dicom.rtstruct({"GTV": [SQUARE]}, referenced="1.2.3.5")

    def chosen(*patterns: str) -> set[str]:
        index = index_folder(dicom.root, choice=SeriesChoice(pet=patterns))
        assert index_files(dicom.root, index.files, SeriesChoice(pet=patterns)).series == index.series
        return {uid for uid, (role, _) in _roles(index).items() if role == "PET"}

    assert chosen() == {"1.2.3.5"}
    assert chosen("*psf*") == {"1.2.3.1"}
    assert chosen("1.2.3.1") == {"1.2.3.1"}
    assert chosen("*gated*", "*osem*", "*psf*") == {"1.2.3.5"}
    assert chosen("*nothing*") == {"1.2.3.5"}


def test_a_pet_that_is_called_uncorrected_is_the_last_to_be_chosen(dicom: DicomWriter) -> None:
    dicom.pet("1.2.3.1", n=4, folder="a")
    dicom.pet("1.2.3.5", n=5, folder="b", edit=_with(SeriesDescription="WB NAC"))
    index = index_folder(dicom.root)
    assert _roles(index)["1.2.3.1"] == ("PET", None)
    shutil.rmtree(dicom.root / "a")
    assert _codes(index_folder(dicom.root)) == ["INDEX_ATTENUATION_CONTRADICTORY"]


def test_time_points_count_the_dated_scans(dicom: DicomWriter) -> None:
    for study, values in {
        "1.2.4": {"SeriesDate": "20250301", "AcquisitionDate": "20250301"},
        "1.2.3": {"SeriesTime": "150000"},
        "1.2.5": {"SeriesTime": "090000"},
        "1.2.6": {"StudyDate": "", "SeriesDate": "", "AcquisitionDate": ""},
    }.items():
        dicom.study, dicom.frame = study, f"{study}.9"
        dicom.pet(f"{study}.1", n=2, folder=study, edit=_with(**values))
    scans = {scan.require_pet().study_instance_uid: scan for scan in scans_of(index_folder(dicom.root).series)}
    points = {study: scan.time_point for study, scan in scans.items()}
    assert points == {"1.2.5": 1, "1.2.3": 2, "1.2.4": 3, "1.2.6": None}


def _beds(gap_mm: float, minutes: float) -> Callable[[Dataset, int], None]:
    """Two beds of four slices, the second begun later and shifted."""

    def edit(dataset: Dataset, index: int) -> None:
        if index >= 4:
            x, y, z = dataset.ImagePositionPatient
            dataset.ImagePositionPatient = [x, y, z + gap_mm]
            dataset.AcquisitionTime = f"11{int(minutes):02d}00"

    return edit


@pytest.mark.parametrize(
    ("gap_mm", "minutes", "expected"),
    [
        (0, 3, []),
        (30, 3, ["INDEX_BED_GAP", "INDEX_SLICE_MISSING"]),
        (0, 45, ["INDEX_BED_PAUSE"]),
        # Slices that two beds share are one image.
        (-3, 3, ["INDEX_SLICE_DUPLICATE"]),
    ],
)
def test_gaps_between_bed_positions(dicom: DicomWriter, gap_mm: float, minutes: float, expected: list[str]) -> None:
    dicom.pet(n=8, edit=_beds(gap_mm, minutes))
    assert _codes(index_folder(dicom.root)) == expected
