"""Contours that cannot be used: a code and a sentence each, the lesions set aside, the rest of the patient complete."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from assets.work import PatientJob, process_patient
from records.imaging import Finding, RefusalRecord
from records.masks import LesionMatchRecord, LesionRecord, ReaderAgreementRecord
from tests.assets.conftest import Study
from tests.some import some
from warehouse.storage.lake import Lake

FIRST = "NET-001"
TABLES = ("series", "scans", "suv", "lesions")
ALL_TABLES = (*TABLES, "pet_metrics", "radiomic_features", "clinical", "endpoints")


def _contour_file(study: Study) -> Path:
    return next((study.folder / "dicom" / FIRST / "RTSTRUCT").iterdir())


def _edit(path: Path, change: Callable[[Dataset], None]) -> None:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)


def two_points(study: Study) -> None:
    def change(dataset: Dataset) -> None:
        contour = dataset.ROIContourSequence[0].ContourSequence[0]
        contour.ContourData, contour.NumberOfContourPoints = contour.ContourData[:6], 2

    _edit(_contour_file(study), change)


def _moved(dataset: Dataset, shift_mm: tuple[float, float, float]) -> None:
    for region in dataset.ROIContourSequence:
        for contour in region.ContourSequence:
            points = np.add(np.array(contour.ContourData, dtype=float).reshape(-1, 3), shift_mm)
            contour.ContourData = [f"{value:.3f}" for value in points.ravel()]


def of_another_patient(study: Study) -> None:
    """Contours in the coordinates of another scanner, which say that they are this patient's."""
    _edit(_contour_file(study), lambda dataset: _moved(dataset, (0, 0, 5000)))


def under_the_id_of_another_patient(study: Study) -> None:
    """The contour file says that it is of the other patient of the study."""
    _edit(_contour_file(study), lambda dataset: setattr(dataset, "PatientID", "NET-002"))


def an_empty_region(study: Study) -> None:
    def change(dataset: Dataset) -> None:
        del dataset.ROIContourSequence[0].ContourSequence

    _edit(_contour_file(study), change)


def a_seg_of_absent_images(study: Study) -> None:
    """The tumour as a SEG whose images are not there."""
    shutil.rmtree(study.folder / "dicom" / FIRST / "RTSTRUCT")
    seg = next(path for path in (study.folder / "dicom" / FIRST).rglob("*") if path.is_file() and "SEG" in str(path))

    def change(dataset: Dataset) -> None:
        dataset.SeriesInstanceUID, dataset.SOPInstanceUID = "1.2.3.4", "1.2.3.4.5"
        dataset.ReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3.99"
        dataset.SegmentSequence[0].SegmentLabel = "lesion 1"

    copy = seg.with_name("absent.dcm")
    shutil.copyfile(seg, copy)
    _edit(copy, change)


def names_that_match_nothing(study: Study) -> None:
    study.replace('tumour: ["lesion*"]', 'tumour: ["lesoin*"]')


@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (two_points, "CONTOUR_TOO_SHORT", "fewer than three points"),
        (of_another_patient, "CONTOUR_OFF_GRID", "outside of the image"),
        (under_the_id_of_another_patient, "CONTOURS_MISSING", "no tumour contours"),
        (an_empty_region, "ROI_EMPTY", "no contours"),
        (a_seg_of_absent_images, "REFERENCED_SERIES_MISSING", "not there"),
        (names_that_match_nothing, "ROI_NAMES_UNMATCHED", "No region"),
    ],
)
def test_the_lesions_are_set_aside_with_a_reason_and_the_rest_is_complete(
    not_computed: Study, harm: Callable, code: str, words: str
) -> None:
    harm(not_computed)
    not_computed.ingest()
    settings = not_computed.settings
    outcome = process_patient(PatientJob(FIRST, ALL_TABLES, settings))
    needs_lesions = {"lesions", "pet_metrics", "radiomic_features"}
    assert {table.table: table.complete for table in outcome.tables} == {
        table: table not in needs_lesions for table in ALL_TABLES
    }
    refusals = Lake(settings.lake).read("refusals", FIRST, RefusalRecord)
    messages = {record.code: record.message for record in refusals if record.table_name == "lesions"}
    assert words in messages[code]
    assert {record.table_name for record in refusals} == needs_lesions


def _drawn_on_an_mr(study: Study, frame_of_reference_uid: str | None = None) -> None:
    """The series that the contours refer to once more as an MR, and the contours as drawn on that."""
    path = _contour_file(study)
    frame = pydicom.dcmread(path).ReferencedFrameOfReferenceSequence[0]
    referenced = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0].SeriesInstanceUID
    folders = [folder for folder in (study.folder / "dicom" / FIRST).iterdir() if folder.name in ("PT", "PET", "CT")]
    (folder,) = [f for f in folders if pydicom.dcmread(next(f.iterdir())).SeriesInstanceUID == referenced]
    for file in sorted(folder.iterdir()):

        def as_mr(dataset: Dataset) -> None:
            dataset.Modality, dataset.SOPClassUID = "MR", "1.2.840.10008.5.1.4.1.1.4"
            dataset.SeriesInstanceUID = "1.2.3.7"
            dataset.SOPInstanceUID = f"1.2.3.7.{dataset.InstanceNumber}"
            dataset.FrameOfReferenceUID = frame_of_reference_uid or dataset.FrameOfReferenceUID

        copy = study.folder / "dicom" / FIRST / "MR" / file.name
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, copy)
        _edit(copy, as_mr)

    def change(dataset: Dataset) -> None:
        studies = dataset.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence
        studies[0].RTReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3.7"

    _edit(path, change)
    study.ingest()


def test_contours_on_another_series_of_the_frame_of_reference_are_made_there(not_computed: Study) -> None:
    settings = not_computed.settings
    process_patient(PatientJob(FIRST, TABLES, settings))
    lake = Lake(settings.lake)
    before = [(x.lesion_id, x.n_voxels) for x in lake.read("lesions", FIRST, LesionRecord) if x.modality == "PT"]
    _drawn_on_an_mr(not_computed)
    assert process_patient(PatientJob(FIRST, TABLES, settings)).complete
    after = [(x.lesion_id, x.n_voxels) for x in lake.read("lesions", FIRST, LesionRecord) if x.modality == "PT"]
    assert after == before
    findings = {f.code: f.message for f in lake.read("qc_events", FIRST, Finding)}
    assert "another series of the same frame of reference" in findings["MASK_OF_OTHER_SERIES"]


def test_contours_on_a_series_of_another_frame_of_reference_are_refused(not_computed: Study) -> None:
    _drawn_on_an_mr(not_computed, "1.2.3.99")
    process_patient(PatientJob(FIRST, TABLES, not_computed.settings))
    refusals = Lake(not_computed.settings.lake).read("refusals", FIRST, RefusalRecord)
    assert {"CONTOURS_FRAME_DIFFERS", "CONTOURS_UNREADABLE"} <= {record.code for record in refusals}


def _second_reader(study: Study, shift_mm: float) -> None:
    """The same contours, moved, without the last lesion, in a file of its own: what another reader drew."""
    path = _contour_file(study)
    copy = path.with_name("second.dcm")
    shutil.copyfile(path, copy)

    def change(dataset: Dataset) -> None:
        dataset.SeriesInstanceUID, dataset.SOPInstanceUID = "1.2.3.5", "1.2.3.5.1"
        dataset.SeriesDescription = "Second read"
        _moved(dataset, (shift_mm, 0, 0))

    _edit(path, lambda dataset: setattr(dataset, "SeriesDescription", "First read"))
    _edit(copy, change)
    study.replace(
        "masks:\n",
        'masks:\n  readers:\n    - {name: first, series: ["first*"]}\n    - {name: second, series: ["second*"]}\n',
    )


def test_a_second_reader_is_compared_and_changes_no_lesion(not_computed: Study) -> None:
    not_computed.replace("protocols: [contours]", "protocols: [contours, percent_41, suv_4]")
    process_patient(PatientJob(FIRST, TABLES, not_computed.settings))
    lake = Lake(not_computed.settings.lake)
    alone = lake.read("lesions", FIRST, LesionRecord)
    assert lake.read("reader_agreement", FIRST, ReaderAgreementRecord) == ()

    _second_reader(not_computed, 8.0)
    not_computed.ingest()
    assert process_patient(PatientJob(FIRST, TABLES, not_computed.settings)).complete
    assert [(x.lesion_id, x.n_voxels) for x in lake.read("lesions", FIRST, LesionRecord)] == [
        (x.lesion_id, x.n_voxels) for x in alone
    ]
    contours, percent_41, _ = (protocol.protocol_id for protocol in not_computed.settings.protocols)
    agreements = lake.read("reader_agreement", FIRST, ReaderAgreementRecord)
    # Each reader's contours are searched; under suv_4 nobody's are, and that is said.
    assert {row.protocol_id for row in agreements} == {contours, percent_41}
    assert 0 < next(row.dice for row in agreements if row.protocol_id == percent_41) < 1
    (said,) = (f for f in lake.read("qc_events", FIRST, Finding) if f.code == "READERS_NOT_COMPARED")
    assert "suv_4: it searches the whole image" in said.message
    whole, *groups = (row for row in agreements if row.protocol_id == contours)
    assert (whole.match_group, whole.primary_reader, whole.reader) == (0, "first", "second")
    # Voxels are 8 mm: every contour moves by one, and no surface voxel is farther than that from where it was.
    assert 0 < whole.dice < 1
    assert 0 < whole.mean_surface_distance_mm <= whole.surface_distance_95_mm <= 8.0 + 1e-9
    assert whole.volume_difference_ml == pytest.approx(0.0, abs=1e-9)
    matches = [m for m in lake.read("lesion_matches", FIRST, LesionMatchRecord) if m.first_reader]
    assert {(m.comparison, m.first_reader, m.second_reader) for m in matches} == {("READER", "first", "second")}
    matches = [m for m in matches if m.first_protocol_id == contours]
    pairs = {m.match_group for m in matches if m.first_lesion_id and m.second_lesion_id}
    assert {group.match_group for group in groups} == pairs


def test_a_region_of_no_reader_is_refused_where_readers_are_named(not_computed: Study) -> None:
    _second_reader(not_computed, 8.0)
    not_computed.replace('["second*"]', '["third*"]')
    not_computed.ingest()
    process_patient(PatientJob(FIRST, TABLES, not_computed.settings))
    refusals = Lake(not_computed.settings.lake).read("refusals", FIRST, RefusalRecord)
    assert {"READER_UNKNOWN", "CONTOURS_UNREADABLE"} <= {record.code for record in refusals}


def test_protocols_are_matched_and_what_was_resampled_is_said(not_computed: Study) -> None:
    not_computed.replace("protocols: [contours]", "protocols: [contours, suv_3_in_contours]")
    process_patient(PatientJob(FIRST, TABLES, not_computed.settings))
    lake = Lake(not_computed.settings.lake)
    matches = lake.read("lesion_matches", FIRST, LesionMatchRecord)
    assert {m.comparison for m in matches} == {"PROTOCOL"}
    drawn = {x.lesion_id for x in lake.read("lesions", FIRST, LesionRecord) if x.protocol_id.startswith("contours")}
    assert {m.first_lesion_id for m in matches if m.first_lesion_id} == drawn
    # What exceeds a threshold inside the contours lies inside them.
    same = some(m for m in matches if m.kind == "SAME")
    assert all(m.overlap_ml == pytest.approx(m.second_volume_ml) for m in same)
    assert all(f.severity in ("info", "warning") for f in some(lake.read("qc_events", FIRST, Finding)))
