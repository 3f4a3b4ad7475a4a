"""Masks as NIfTI and NRRD, and bad ones: from study.yaml to lesions, refusals and findings of a small patient."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from assets.ingest import ingest
from assets.work import PatientJob, process_patient
from orchestration.study import load_study
from records.imaging import Finding, RefusalRecord
from records.masks import LesionRecord
from warehouse.storage.lake import Lake

STUDY = """
study: {name: masks}
dicom: {volumes: [{files: "{patient_id}/suv.nii.gz", units: SUVbw}]}
masks:
  tumour: ["lesion*"]
  organs: {liver: [liver], kidneys: ["kidney_*"]}
  elsewhere: lymph_node
  files:
    - {files: "{patient_id}/organs/*.nii.gz"}
    - {files: "{patient_id}/total.nii.gz", labels: totalsegmentator}
    - {files: "{patient_id}/lesions.nrrd", labels: {1: lesion a, 2: lesion b}}
protocols: [contours]
feature_sets: [pet_original]
"""
SHAPE = (12, 16, 20)
TABLES = ("series", "scans", "suv", "lesions")


def _write(path: Path, array: np.ndarray, origin: tuple[float, float, float] = (-30.0, 12.0, 5.0)) -> None:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((4.0, 4.0, 5.0))
    image.SetOrigin(origin)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


def _box(*part: slice, value: int = 1) -> np.ndarray:
    array = np.zeros(SHAPE, dtype=np.uint8)
    array[part] = value
    return array


LIVER = _box(slice(2, 8), slice(2, 12), slice(1, 9))
IN_LIVER = (slice(4, 6), slice(5, 8), slice(3, 5))
OUTSIDE = (slice(9, 11), slice(12, 15), slice(14, 18))
LESIONS = _box(*IN_LIVER) + _box(*OUTSIDE, value=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    patient = tmp_path / "dicom" / "P1"
    _write(patient / "suv.nii.gz", np.random.default_rng(0).random(SHAPE).astype(np.float32))
    _write(patient / "lesions.nrrd", LESIONS)
    # TotalSegmentator writes a file also for what it did not find.
    for organ, mask in {"liver": LIVER, "kidney_left": 0 * LIVER, "kidney_right": 0 * LIVER, "heart": LIVER}.items():
        _write(patient / "organs" / f"{organ}.nii.gz", mask)
    return tmp_path


def _lesions(folder: Path) -> tuple[dict[str, tuple[str, int]], dict[str, str], list[str]]:
    """Organ and voxels of the lesions by region, code and sentence of the refusals, codes of the findings."""
    settings = load_study(folder)
    assert ingest(settings).set_aside == ()
    process_patient(PatientJob("P1", TABLES, settings))
    lake = Lake(settings.lake)
    rows = lake.read("lesions", "P1", LesionRecord) if lake.exists("lesions", "P1") else ()
    # There is no CT, and no feature of it is asked for.
    refusals = lake.read("refusals", "P1", RefusalRecord)
    # The small liver has no room for a reference sphere.
    found = {f.code for f in lake.read("qc_events", "P1", Finding) if f.table_name == "lesions"}
    findings = sorted(found - {"REFERENCE_REGION_NOT_PLACED"})
    assert {r.table_name for r in refusals} <= {"lesions"}
    assert lake.exists("suv", "P1")
    return (
        {row.roi_name: (row.organ, row.n_voxels) for row in rows},
        {r.code: f"{r.message}; {r.found}; {r.expected}; {r.hint}" for r in refusals},
        findings,
    )


def test_files_of_one_organ_each_and_a_file_of_labels(folder: Path) -> None:
    lesions, refusals, findings = _lesions(folder)
    assert lesions == {"lesion a": ("liver", 12), "lesion b": ("lymph_node", 24)}
    assert (refusals, findings) == ({}, [])


def test_axes_may_run_in_any_order_and_direction(folder: Path) -> None:
    for path in (folder / "dicom" / "P1").rglob("*.n*"):
        if path.name != "suv.nii.gz":
            turned = sitk.DICOMOrient(sitk.ReadImage(str(path)), "RSA")
            sitk.WriteImage(turned, str(path))
    assert _lesions(folder)[0] == {"lesion a": ("liver", 12), "lesion b": ("lymph_node", 24)}


def test_a_multilabel_file_of_totalsegmentator(folder: Path) -> None:
    patient = folder / "dicom" / "P1"
    for path in (patient / "organs").iterdir():
        path.unlink()
    # 5 is the liver, 2 and 3 the kidneys, 51 the heart.
    total = 5 * LIVER + _box(*OUTSIDE, value=2) + _box(slice(0, 1), value=51)
    _write(patient / "total.nii.gz", total)
    assert _lesions(folder)[0] == {"lesion a": ("liver", 12), "lesion b": ("kidneys", 24)}
    total[0, 0, 0] = 118
    _write(patient / "total.nii.gz", total)
    lesions, refusals, findings = _lesions(folder)
    assert {organ for organ, _ in lesions.values()} == {"unknown"}
    assert (refusals, findings) == ({}, ["LABEL_UNKNOWN", "ORGAN_MASK_MISSING"])


def test_a_mask_that_changes_makes_the_lesions_stale_and_only_the_tables_after_them(folder: Path) -> None:
    from assets.status import table_states

    _lesions(folder)
    settings = load_study(folder)
    states = {s.table: s.state.value for s in table_states(settings)}
    assert states["lesions"] != "stale"
    _write(folder / "dicom" / "P1" / "lesions.nrrd", _box(*IN_LIVER))
    ingest(settings)
    assert {s.table: s.state.value for s in table_states(settings)}["lesions"] == "stale"


def _other_patient(folder: Path) -> None:
    _write(folder / "dicom" / "P1" / "lesions.nrrd", LESIONS, origin=(70.0, 12.0, 5.0))


def _empty(folder: Path) -> None:
    _write(folder / "dicom" / "P1" / "lesions.nrrd", 0 * LESIONS)


def _no_label_map(folder: Path) -> None:
    _write(folder / "dicom" / "P1" / "lesions.nrrd", np.full(SHAPE, 0.5, dtype=np.float32))


def _damaged(folder: Path) -> None:
    path = folder / "dicom" / "P1" / "lesions.nrrd"
    path.write_bytes(path.read_bytes()[:300])


def _names(folder: Path) -> None:
    path = folder / "study.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('tumour: ["lesion*"]', 'tumour: ["GTV*"]'), encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (_other_patient, "MASK_GRID_FOREIGN", "100.0 mm beyond"),
        (_empty, "ROI_EMPTY", "lesions.nrrd"),
        (_no_label_map, "LABEL_MAP_INVALID", "0.5"),
        (_damaged, "LABEL_MAP_UNREADABLE", "lesions.nrrd"),
        (_names, "CONTOURS_MISSING", "no tumour"),
    ],
)
def test_bad_masks_are_a_code_and_a_sentence_and_the_rest_is_complete(
    folder: Path, harm: Callable[[Path], None], code: str, words: str
) -> None:
    harm(folder)
    lesions, refusals, _ = _lesions(folder)
    assert lesions == {}
    assert words in refusals[code]


def test_an_organ_that_overlaps_another_is_left_out_with_the_numbers(folder: Path) -> None:
    _write(folder / "dicom" / "P1" / "organs" / "kidney_left.nii.gz", LIVER)
    lesions, refusals, findings = _lesions(folder)
    assert {organ for organ, _ in lesions.values()} == {"unknown"}
    assert (refusals, findings) == ({}, ["MASK_LABELS_OVERLAP", "ORGAN_MASK_MISSING"])
