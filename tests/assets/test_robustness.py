"""Robustness of a study that asks for it: from perturbed lesions to the snapshot, and away again."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from assets.publishing import publish_snapshot
from assets.robustness_rows import robustness_of, write_robustness
from assets.settings import RobustnessSettings
from assets.work import PatientJob, process_patient
from petct.radiomics.perturbation_sets import PerturbationSet, load_perturbation_set
from records.features import FeatureValue
from records.imaging import ScanRecord
from records.masks import LesionRecord
from records.robustness import PerturbedFeature, RobustnessRecord
from tests.assets.conftest import Study
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.storage.lake import Lake

FIRST, SECOND = "NET-001", "NET-002"
ASKED = "\nrobustness: {perturbations: [pet_chains], minimum_icc: 0.75}\n"


# The lesions of the small cohort have few voxels.
FEATURE_SET = """version: 1
description: As pet_original, of small lesions, too.
modality: PT
discretisation: {bin_width: 0.5}
minimum_roi_voxels: 4
"""


def ask(study: Study) -> None:
    (study.folder / "small.yaml").write_text(FEATURE_SET, encoding="utf-8")
    study.replace("feature_sets: [pet_original, ct_original]", "feature_sets: [small.yaml]")
    path = study.folder / "study.yaml"
    path.write_text(path.read_text(encoding="utf-8") + ASKED, encoding="utf-8")


@pytest.fixture(scope="module")
def once(materialized: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = type(materialized)(shutil.copytree(materialized.folder, tmp_path_factory.mktemp("robust") / "study"))
    ask(study)
    for patient in (FIRST, SECOND):
        outcome = process_patient(PatientJob(patient, ("radiomic_features", "perturbed_features"), study.settings))
        assert outcome.complete
    return study


@pytest.fixture
def asking(once: Study, tmp_path: Path) -> Study:
    """A study whose lesions were perturbed and measured, to be changed by a test."""
    return type(once)(shutil.copytree(once.folder, tmp_path / "study"))


def test_perturbed_lesions_become_icc_beside_the_definitions(asking: Study) -> None:
    lake = Lake(asking.settings.lake)
    chains = {"none", *(name for name, _ in load_perturbation_set("pet_chains").chains)}
    perturbed = lake.read("perturbed_features", FIRST, PerturbedFeature)
    assert {row.perturbation for row in perturbed} == chains

    # Without a change, a feature is the feature.
    plain = {
        (row.lesion_id, row.feature_name): row.value for row in lake.read("radiomic_features", FIRST, FeatureValue)
    }
    unchanged = {(row.lesion_id, row.feature_name): row.value for row in perturbed if row.perturbation == "none"}
    computed_values = {key: value for key, value in unchanged.items() if value is not None}
    assert computed_values
    assert computed_values == pytest.approx({key: plain[key] for key in computed_values}, rel=1e-9)

    publish_snapshot(asking.settings)
    with open_snapshot(lake.root) as snapshot:
        rows = snapshot.sql(
            "SELECT status, icc, icc_lower, is_robust, ibsi_id, volume_rho FROM feature_reliability"
            " WHERE feature_name = 'original_shape_VoxelVolume' AND source = 'perturbation'"
        ).rows
        (counts,) = snapshot.sql("SELECT count(*), count(DISTINCT feature_name) FROM robustness").rows
    ((status, icc, lower, is_robust, ibsi_id, rho),) = rows
    assert counts == (107, 107)
    assert ibsi_id == "YEKZ"
    # A volume is most of all its own volume, and lesions differ by more than 15 % of theirs.
    assert rho == pytest.approx(1.0)
    assert status == "COMPUTED"
    assert icc > 0.9
    assert is_robust == (lower >= 0.75)


def test_a_perturbation_follows_from_its_seed_and_name_and_from_nothing_else(asking: Study) -> None:
    lake = Lake(asking.settings.lake)
    (perturbations,) = asking.settings.robustness.perturbation_sets
    noise = replace(perturbations, chains=tuple(chain for chain in perturbations.chains if chain[0] == "noise"))

    def measured() -> dict[tuple[str, str], float | None]:
        rows = lake.read("perturbed_features", FIRST, PerturbedFeature)
        return {(row.lesion_id, row.feature_name): row.value for row in rows if row.perturbation == "noise"}

    def compute(only: PerturbationSet) -> None:
        settings = replace(asking.settings, robustness=RobustnessSettings((only,)))
        assert process_patient(PatientJob(FIRST, ("perturbed_features",), settings)).complete

    among_others = measured()
    compute(noise)
    assert measured() == among_others
    compute(replace(noise, seed=1))
    assert measured() != among_others


def test_a_study_that_no_longer_asks_keeps_nothing_of_it(computed: Study) -> None:
    lake = Lake(computed.settings.lake)
    asked = replace(computed.settings, robustness=RobustnessSettings(retest_within_days=1))
    # One scan a patient: a row for every feature says that there is no second one.
    assert write_robustness(asked) == 2 * 107
    assert {(row.status, row.n_targets) for row in lake.read("robustness", None, RobustnessRecord)} == {
        ("TOO_FEW_TARGETS", 0)
    }
    assert write_robustness(computed.settings) is None
    assert not lake.exists("robustness", None)


def repeated(lake: Lake, patient: str, days: int) -> None:
    """Give a patient a second scan, so many days after the first: the same lesions under other names."""
    (scan,) = lake.read("scans", patient, ScanRecord)
    assert scan.scan_date is not None
    later = replace(scan, scan_id="later", scan_date=scan.scan_date + dt.timedelta(days=days))
    lake.write("scans", patient, [scan, later])
    for table, row_type in (("lesions", LesionRecord), ("radiomic_features", FeatureValue)):
        rows = lake.read(table, patient, row_type)
        again = [replace(row, scan_id="later", lesion_id=f"R{row.lesion_id[1:]}") for row in rows]
        lake.write(table, patient, [*rows, *again])


def test_two_scans_within_the_window_are_test_and_retest_of_the_largest_lesion(asking: Study) -> None:
    lake = Lake(asking.settings.lake)
    repeated(lake, FIRST, 5)
    repeated(lake, SECOND, 50)
    settings = replace(asking.settings, robustness=RobustnessSettings(retest_within_days=14))
    rows = robustness_of(settings, lake)
    assert {row.source for row in rows} == {"retest"}
    # One patient is too few for a correlation, and the table says so.
    volumes = [row for row in rows if re.fullmatch(r"original_shape_VoxelVolume", row.feature_name)]
    assert {(row.status, row.n_targets, row.n_measurements) for row in volumes} == {("TOO_FEW_TARGETS", 1, 2)}
    wider = replace(settings, robustness=RobustnessSettings(retest_within_days=60))
    assert {row.n_targets for row in robustness_of(wider, lake) if row.feature_name == volumes[0].feature_name} == {2}


def test_protocols_are_readers(asking: Study) -> None:
    lake = Lake(asking.settings.lake)
    (protocol,) = asking.settings.protocols
    other = replace(protocol, name="second_reader")
    for patient in (FIRST, SECOND):
        for table, row_type in (("lesions", LesionRecord), ("radiomic_features", FeatureValue)):
            rows = lake.read(table, patient, row_type)
            lake.write(table, patient, [*rows, *(replace(row, protocol_id=other.protocol_id) for row in rows)])
    settings = replace(asking.settings, protocols=(protocol, other), robustness=RobustnessSettings(readers=True))
    rows = [row for row in robustness_of(settings, lake) if row.feature_name == "original_shape_VoxelVolume"]
    assert {(row.source, row.n_targets, row.n_measurements) for row in rows} == {("reader", 2, 2)}
    assert {row.qcd for row in rows} == {0.0}
