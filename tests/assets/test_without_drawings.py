"""Scans on which nobody drew: whole-image protocols with organ masks and without any mask, two time points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from assets.ingest import ingest
from assets.publishing import publish_snapshot
from assets.settings import StudySettings
from assets.work import PatientJob, process_patient
from orchestration.study import load_study
from records.features import PetMetrics
from records.imaging import Finding, RefusalRecord
from records.masks import ExclusionRecord, LesionMatchRecord, LesionRecord
from tests.some import some
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.storage.lake import Lake

STUDY = """
study: {name: nobody drew}
dicom: {volumes: [{files: "{patient_id}/{scan_date}/suv.nii.gz", units: SUVbw}]}
masks:
  tumour: ["lesion*"]
  organs: {liver: [liver], spleen: [spleen]}
  elsewhere: elsewhere
  files: [{files: "{patient_id}/{scan_date}/organs/*.nii.gz"}]
protocols: [suv_4, everything.yaml]
feature_sets: [pet_original]
"""
EVERYTHING = """
version: 1
description: SUV of at least 4 anywhere, nothing excluded.
search: image
threshold: {fixed: {suv: 4}}
connectivity: 26
minimum_volume_ml: 0
"""
TABLES = ("series", "scans", "suv", "lesions", "pictures", "pet_metrics", "radiomic_features")
SHAPE, VOXEL_ML = (26, 26, 30), 0.125


def _ball(centre: tuple[int, int, int], radius: float) -> np.ndarray:
    return np.linalg.norm(np.argwhere(np.ones(SHAPE, dtype=bool)) - centre, axis=1).reshape(SHAPE) <= radius


LIVER, SPLEEN = _ball((13, 12, 9), 8.5), _ball((13, 12, 24), 3.5)
METASTASIS, NODE = _ball((13, 16, 5), 2.5), _ball((3, 22, 22), 2.2)


def _image() -> np.ndarray:
    suv = np.ones(SHAPE, dtype=np.float32)
    # Uptake of the spleen is blurred into its surroundings.
    for where, value in (
        (_ball((13, 12, 24), 4.5), 6.0),
        (LIVER, 5.0),
        (SPLEEN, 20.0),
        (METASTASIS, 12.0),
        (NODE, 9.0),
    ):
        suv[where] = value
    return suv


def _write(path: Path, array: np.ndarray) -> None:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((5.0, 5.0, 5.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> StudySettings:
    """ORGANS was scanned twice and has organ masks; NOTHING is a PET and no more. Neither has a mask of tumour."""
    folder = tmp_path_factory.mktemp("nobody-drew")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "everything.yaml").write_text(EVERYTHING, encoding="utf-8")
    for scan in ("ORGANS/20250101", "ORGANS/20250301", "NOTHING/20250101"):
        suv = _image()
        # The same image on another date would be one file twice.
        suv[0, 0, 0] = int(scan[-4:]) / 1000
        _write(folder / "dicom" / scan / "suv.nii.gz", suv)
    for scan in ("20250101", "20250301"):
        for organ, mask in (("liver", LIVER), ("spleen", SPLEEN)):
            _write(folder / "dicom" / "ORGANS" / scan / "organs" / f"{organ}.nii.gz", mask.astype(np.uint8))
    settings = load_study(folder)
    assert ingest(settings).set_aside == ()
    complete = [process_patient(PatientJob(patient, TABLES, settings)).complete for patient in ("ORGANS", "NOTHING")]
    # The CT is not missed where no feature of it is asked for.
    assert complete == [True, False]
    return settings


def test_with_organ_masks_alone_the_lesions_are_found_and_the_organs_are_not(settings: StudySettings) -> None:
    lake, suv_4 = Lake(settings.lake), settings.protocols[0].protocol_id
    first = min(row.scan_id for row in lake.read("lesions", "ORGANS", LesionRecord))
    rows = [r for r in lake.read("lesions", "ORGANS", LesionRecord) if (r.scan_id, r.protocol_id) == (first, suv_4)]
    assert [(row.organ, row.n_voxels, row.mask_source) for row in rows] == [
        ("liver", np.count_nonzero(METASTASIS), "THRESHOLD"),
        ("elsewhere", np.count_nonzero(NODE), "THRESHOLD"),
    ]
    lines = {
        (line.reason, line.organ): line.n_voxels
        for line in lake.read("exclusions", "ORGANS", ExclusionRecord)
        if (line.scan_id, line.protocol_id) == (first, suv_4) and line.n_voxels
    }
    blurred = np.count_nonzero(_ball((13, 12, 24), 4.5) & ~LIVER)
    assert lines == {("PHYSIOLOGICAL", "spleen"): blurred, ("KEPT", ""): sum(row.n_voxels for row in rows)}
    # Such a file says neither height nor sex.
    (total,) = (
        row
        for row in lake.read("pet_metrics", "ORGANS", PetMetrics)
        if (row.scan_id, row.protocol_id, row.grain) == (first, suv_4, "patient")
    )
    assert (total.suv_max, total.suv_max_to_liver) == (12.0, pytest.approx(12 / 5))
    assert (total.sul_max, total.total_lesion_expression_sul_ml) == (None, None)
    assert total.sul_status == "SUV_WEIGHT_MISSING"


def test_without_any_mask_organs_are_never_taken_for_tumour_unless_the_protocol_says_so(
    settings: StudySettings,
) -> None:
    lake, everything = Lake(settings.lake), settings.protocols[1].protocol_id
    refusals = {(r.table_name, r.code): r for r in lake.read("refusals", "NOTHING", RefusalRecord)}
    refused = refusals["lesions", "EXCLUSION_MASKS_MISSING"]
    assert "cannot be searched without the masks of organs" in refused.message
    assert "excludes nothing" in (refused.hint or "")
    assert ("pet_metrics", "LESIONS_UNKNOWN") in refusals
    (total,) = (row for row in lake.read("pet_metrics", "NOTHING", PetMetrics) if row.grain == "patient")
    assert (total.protocol_id, total.n_voxels) == (everything, np.count_nonzero(_image() >= 4))


def test_the_snapshot_holds_both(settings: StudySettings) -> None:
    publish_snapshot(settings)
    with open_snapshot(settings.lake) as snapshot:
        rows = snapshot.sql("SELECT patient_id, tumour_volume_ml, sul_max FROM cohort ORDER BY patient_id").rows
    assert [tuple(row) for row in rows] == [
        ("NOTHING", None, None),
        ("ORGANS", pytest.approx(np.count_nonzero(METASTASIS | NODE) * VOXEL_ML), None),
    ]


def test_time_points_without_a_common_frame_of_reference_are_a_row_that_says_so(settings: StudySettings) -> None:
    lake = Lake(settings.lake)
    rows = [row for row in lake.read("lesion_matches", "ORGANS", LesionMatchRecord) if row.comparison == "TIME_POINT"]
    assert {row.first_protocol_id for row in rows} == {protocol.protocol_id for protocol in settings.protocols}
    for row in some(rows):
        assert (row.kind, row.match_group, row.first_lesion_id, row.second_lesion_id) == (
            "NOT_COMPARABLE",
            0,
            None,
            None,
        )
        assert (row.overlap_ml, row.dice) == (None, None)
        assert row.first_volume_ml == row.second_volume_ml > 0
    (said,) = (f for f in lake.read("qc_events", "ORGANS", Finding) if f.code == "TIME_POINTS_NOT_ALIGNED")
    assert "do not share a Frame of Reference UID" in said.message
