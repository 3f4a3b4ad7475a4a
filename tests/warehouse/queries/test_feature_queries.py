"""Families of features by their parts, and what is known of each feature, worst case first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.warehouse.study_rows import SETTINGS, row
from warehouse.queries.analysis_columns import FeatureFamily
from warehouse.queries.feature_queries import feature_families, feature_reliability
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.feature_tables import OrganAggregation
from warehouse.snapshots.publish import publish
from warehouse.storage.lake import Lake

WHERE = {"patient_id": "P1", "scan_id": "S1", "protocol_id": "suv4"}
ICC = {"original_a": {"perturbation": 0.9, "retest": 0.6}, "original_b": {"perturbation": None}}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path)
    lake.write("protocols", None, [row("protocols", protocol_id="suv4", name="SUV 4")])
    # The name of one set begins like that of another.
    sets = {"pet-1": "pet", "pet-2": "pet__fine"}
    rows = [row("feature_sets", feature_set_id=i, name=name, modality="PT") for i, name in sets.items()]
    lake.write("feature_sets", None, rows)
    lake.write("patients", "P1", [row("patients", patient_id="P1")])
    lake.write("scans", "P1", [row("scans", patient_id="P1", scan_id="S1")])
    lesion = {**WHERE, "lesion_id": "L1"}
    lake.write("lesions", "P1", [row("lesions", **lesion, modality="PT", organ="lymph node", volume_ml=3.0)])
    values = [
        row("radiomic_features", **lesion, feature_set_id=i, feature_name=name, value=1.0, status="COMPUTED")
        for i in sets
        for name in ICC
    ]
    lake.write("radiomic_features", "P1", values)
    definition = row("feature_definitions", feature_name="original_a", ibsi_id="RNU0", ibsi_name="Volume", unit="1")
    lake.write("feature_definitions", None, [definition])
    return lake


def test_families_are_named_as_the_command_line_names_them(lake: Lake) -> None:
    organ = (OrganAggregation("lymph node", "volume_weighted_mean"),)
    publish(lake, replace(SETTINGS, aggregations=("largest",), organ_aggregations=organ))
    with open_snapshot(lake.root) as snapshot:
        families = feature_families(snapshot)
        reliability = feature_reliability(snapshot, "pet-1")
        units = {column.unit for column in snapshot.analysis_columns() if column.column == "original_a"}
    rule = "volume_weighted_mean"
    assert set(families) == {
        FeatureFamily("pet__largest", "pet", "pet-1", None, "largest"),
        FeatureFamily(f"pet__lymph_node__{rule}", "pet", "pet-1", "lymph node", rule),
        FeatureFamily("pet__fine__largest", "pet__fine", "pet-2", None, "largest"),
        FeatureFamily(f"pet__fine__lymph_node__{rule}", "pet__fine", "pet-2", "lymph node", rule),
    }
    assert reliability == {}
    # Nobody writes a unit of 1 behind a number.
    assert units == {None}


def test_a_feature_is_as_reliable_as_its_least_reliable_repetition(lake: Lake) -> None:
    rows = [
        row(
            "robustness",
            feature_set_id="pet-1",
            feature_name=name,
            source=source,
            filter_icc="1,1",
            icc_1_1=lower and lower + 0.05,
            icc_1_1_lower=lower,
            n_targets=12,
        )
        for name, sources in ICC.items()
        for source, lower in sources.items()
    ]
    lake.write("robustness", None, rows)
    publish(lake, replace(SETTINGS, aggregations=("largest",), with_reliability=True))
    with open_snapshot(lake.root) as snapshot:
        found = feature_reliability(snapshot, "pet-1")
    worst = found["original_a"]
    assert (worst.icc_lower, worst.source, worst.n_targets, worst.ibsi_id) == (0.6, "retest", 12, "RNU0")
    assert (found["original_b"].icc_lower, found["original_b"].source) == (None, None)
    assert found["original_a"].lesion_volume_n == 1
