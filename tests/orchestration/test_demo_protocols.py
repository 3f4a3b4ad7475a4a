"""The demo cohort under four protocols, voxel by voxel against its truth: lesions, the account, the sensitivity table.

`make protocols` runs the same on more patients, of which there are enough for ranks and hazard ratios.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from click.testing import CliRunner
from scipy import ndimage

from assets.ingest import ingest
from assets.publishing import publish_snapshot
from assets.settings import StudySettings
from assets.work import PatientJob, process_patient
from orchestration.commands.sensitivity import sensitivity
from orchestration.study import STUDY_FILE, load_study
from petct.lesions.protocol import Protocol
from petct.survival.cox_repeated.protocol_sensitivity import FEWEST_PATIENTS
from petct.synthetic.settings import CohortSettings
from records.features import PetMetrics
from records.imaging import SuvRecord
from records.masks import ExclusionRecord, LesionRecord, ReferenceRegionRecord
from tests.some import some
from tests.written_cohort import write_cohort
from warehouse.storage.lake import Lake

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = ("contours", "percent_41", "suv_4", "liver_percist")
TABLES = ("series", "scans", "suv", "lesions", "pet_metrics", "clinical", "endpoints")
# A voxel of 6 mm is below the least volume of a lesion, and below the margin of an organ.
N_PATIENTS, VOXEL_MM = int(os.environ.get("PETLAKE_PROTOCOL_PATIENTS", "2")), 6.0
PATIENTS = [f"NET-{number:03d}" for number in range(1, N_PATIENTS + 1)]


@dataclass(frozen=True)
class Demo:
    """The study, computed and published, and what is true of its patients."""

    settings: StudySettings

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake)

    @property
    def protocols(self) -> dict[str, Protocol]:
        return {protocol.name: protocol for protocol in self.settings.protocols}

    def rows(self, table: str, patient: str, row_type: type, protocol: str) -> list:
        protocol_id = self.protocols[protocol].protocol_id
        return [row for row in self.lake.read(table, patient, row_type) if row.protocol_id == protocol_id]

    def labels(self, patient: str, protocol: str) -> np.ndarray:
        rows = [row for row in self.rows("lesions", patient, LesionRecord, protocol) if row.modality == "PT"]
        if not rows:
            return np.zeros_like(self.truth(patient)["lesions"])
        return self.lake.read_volume(patient, rows[0].label_map_sha256)[0]

    def suv(self, patient: str) -> np.ndarray:
        (row,) = self.lake.read("suv", patient, SuvRecord)
        return self.lake.read_volume(patient, row.suv_image_sha256)[0].astype(np.float64)

    def truth(self, patient: str) -> dict[str, np.ndarray]:
        with np.load(self.settings.folder / "truth" / f"{patient}.npz") as stored:
            organs = {str(name): stored["organs"] == label for label, name in enumerate(stored["organ_names"], start=1)}
            return {"lesions": stored["lesions"], **organs}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("protocols") / "cohort"
    write_cohort(folder, CohortSettings(n_patients=N_PATIENTS, voxel_mm=VOXEL_MM))
    study = (REPOSITORY / "orchestration" / "study_demo.yaml").read_text(encoding="utf-8")
    study = study.replace("protocols: [contours]", f"protocols: [{', '.join(NAMES)}]")
    (folder / STUDY_FILE).write_text(study, encoding="utf-8")
    settings = load_study(folder)
    ingest(settings)
    for patient in PATIENTS:
        outcome = process_patient(PatientJob(patient, TABLES, settings))
        assert outcome.complete, [refusal for table in outcome.tables for refusal in table.refusals]
    publish_snapshot(settings)
    return Demo(settings)


@pytest.mark.parametrize("patient", PATIENTS)
def test_under_contours_every_lesion_has_the_voxels_of_the_truth(cohort: Demo, patient: str) -> None:
    planted, found = cohort.truth(patient)["lesions"], cohort.labels(patient, "contours")
    together = np.bincount(planted.ravel().astype(np.int64) * 256 + found.ravel())
    pairs = {divmod(int(pair), 256) for pair in np.flatnonzero(together)}
    # One label for each lesion, and the background for the background.
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) == planted.max() + 1
    assert (0, 0) in pairs
    rows = [row for row in cohort.rows("lesions", patient, LesionRecord, "contours") if row.modality == "PT"]
    planted_of = {b: a for a, b in pairs}
    for row in some(rows):
        assert row.n_voxels == np.count_nonzero(planted == planted_of[row.label])
        assert row.volume_ml == pytest.approx(row.n_voxels * VOXEL_MM**3 / 1000)


@pytest.mark.parametrize("patient", PATIENTS)
def test_a_share_of_the_maximum_is_taken_lesion_by_lesion(cohort: Demo, patient: str) -> None:
    planted, suv = cohort.truth(patient)["lesions"], cohort.suv(patient)
    expected = np.zeros(planted.shape, dtype=bool)
    for label in range(1, planted.max() + 1):
        expected |= (planted == label) & (suv >= 0.41 * suv[planted == label].max())
    assert np.array_equal(cohort.labels(patient, "percent_41") > 0, expected)
    lines = cohort.rows("exclusions", patient, ExclusionRecord, "percent_41")
    assert {line.reason: line.n_voxels for line in lines if line.n_voxels} == (
        {"KEPT": np.count_nonzero(expected)} if expected.any() else {}
    )


@pytest.mark.parametrize("name", ["suv_4", "liver_percist"])
@pytest.mark.parametrize("patient", PATIENTS)
def test_the_account_is_right_voxel_by_voxel_and_organ_by_organ(cohort: Demo, patient: str, name: str) -> None:
    """Every voxel above the threshold is in one line: that of the nearest excluded organ, too small, or a lesion."""
    protocol, truth, suv = cohort.protocols[name], cohort.truth(patient), cohort.suv(patient)
    (liver,) = (r for r in cohort.lake.read("reference_regions", patient, ReferenceRegionRecord) if r.region == "liver")
    above = suv >= 1.5 * liver.suv_mean + 2 * liver.suv_sd
    if name == "suv_4":
        above = np.where(truth["liver"], above, suv >= 4.0)
    organs = sorted(organ for organ in truth if organ != "lesions" and protocol.excludes(organ))
    assert organs == ["bladder", "kidneys", "pituitary", "spleen"]
    distances = np.stack([ndimage.distance_transform_edt(~truth[organ], sampling=VOXEL_MM) for organ in organs])
    owner = np.where(distances.min(axis=0) <= protocol.exclusion_margin_mm, distances.argmin(axis=0), -1)
    if name == "suv_4":
        # The liver has a threshold of its own, so that no margin reaches into it.
        owner[truth["liver"] & (distances.min(axis=0) > 0)] = -1
    left, n = ndimage.label(above & (owner < 0), np.ones((3, 3, 3)))
    sizes = np.bincount(left.ravel(), minlength=n + 1) * VOXEL_MM**3 / 1000
    kept = (left > 0) & (sizes[left] >= protocol.minimum_volume_ml)

    assert np.array_equal(cohort.labels(patient, name) > 0, kept)
    lines = {
        (line.reason, line.organ): line.n_voxels for line in cohort.rows("exclusions", patient, ExclusionRecord, name)
    }
    expected = {("PHYSIOLOGICAL", organ): np.count_nonzero(above & (owner == i)) for i, organ in enumerate(organs)}
    expected |= {("KEPT", ""): np.count_nonzero(kept), ("TOO_SMALL", ""): np.count_nonzero((left > 0) & ~kept)}
    assert {line: count for line, count in lines.items() if count} == {
        k: count for k, count in expected.items() if count
    }
    assert sum(lines.values()) == np.count_nonzero(above)
    (total,) = (r for r in cohort.rows("pet_metrics", patient, PetMetrics, name) if r.grain == "patient")
    assert total.n_voxels == np.count_nonzero(kept)


def test_the_sensitivity_table_is_that_of_the_label_maps(cohort: Demo) -> None:
    done = CliRunner().invoke(sensitivity, ["--study", str(cohort.settings.folder), "--json"], catch_exceptions=False)
    found = json.loads(done.stdout)
    volumes = {
        name: np.array([np.count_nonzero(cohort.labels(patient, name)) for patient in PATIENTS]) * VOXEL_MM**3 / 1000
        for name in NAMES
    }
    of_id = {protocol.protocol_id: name for name, protocol in cohort.protocols.items()}
    assert [of_id[row["protocol"]] for row in found["protocols"]] == [NAMES[0], *sorted(NAMES[1:])]
    for row in some(found["protocols"]):
        assert (row["n"], row["n_unknown"]) == (N_PATIENTS, 0)
        assert row["median_ml"] == pytest.approx(np.median(volumes[of_id[row["protocol"]]]))
    assert len(found["pairs"]) == 6
    for pair in some(found["pairs"]):
        first, second = (volumes[of_id[pair[side]]] for side in ("first", "second"))
        if N_PATIENTS < FEWEST_PATIENTS:
            assert (pair["volume"], [reason["code"] for reason in pair["reasons"]]) == (None, ["PATIENTS_TOO_FEW"])
        else:
            assert pair["volume"]["bias"] == pytest.approx((second - first).mean())
            assert pair["spearman"] == pytest.approx(_ranks_correlation(first, second))
    for row in some(found["hazards"]["rows"]):
        # Each protocol has a ratio, or a sentence that says why there is none.
        assert (row["hazard_ratio"] is None) == (row["refused"] is not None)
        assert row["n"] == N_PATIENTS
    assert any(row["hazard_ratio"] for row in found["hazards"]["rows"]) == (N_PATIENTS >= FEWEST_PATIENTS)


def _ranks_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    def ranks(values: Sequence[float]) -> np.ndarray:
        _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
        return (np.cumsum(counts) - (counts - 1) / 2)[where]

    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


def test_every_label_map_lies_on_the_pet_for_a_viewer(cohort: Demo) -> None:
    patient = PATIENTS[0]
    (suv,) = cohort.lake.read("suv", patient, SuvRecord)
    pet = sitk.ReadImage(str(cohort.lake.volume_path(patient, suv.suv_image_sha256)))
    rows = cohort.lake.read("lesions", patient, LesionRecord)
    label_maps = {row.label_map_sha256 for row in rows if row.modality == "PT"}
    assert len(label_maps) == len(NAMES)
    for sha256 in some(label_maps):
        labels = sitk.ReadImage(str(cohort.lake.volume_path(patient, sha256)))
        for quantity in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
            assert getattr(labels, quantity)() == getattr(pet, quantity)()
