"""Aggregation in an organ, the reasons why a patient has no value, and the attrition that follows from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.warehouse.study_rows import SETTINGS, row
from warehouse.errors import WarehouseError
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.attrition import Attrition, attrition
from warehouse.snapshots.feature_tables import OrganAggregation
from warehouse.snapshots.publish import publish
from warehouse.storage.lake import Lake

WHERE = {"scan_id": "S1", "protocol_id": "suv4"}
SET = ("pet-1", "pet", "PT")
FEATURES = ("original_a", "original_b")
LIVER = replace(
    SETTINGS,
    aggregations=("mean",),
    organ_aggregations=(OrganAggregation("liver", "mean"), OrganAggregation("liver", "largest")),
)

# Patient: its lesions, each with organ, volume and value (a text is the reason why there is none).
PATIENTS: dict[str, list[tuple[str, float, float | str]]] = {
    "both": [("liver", 4.0, 10.0), ("spine", 9.0, 30.0), ("liver", 1.0, 20.0)],
    "bone_only": [("spine", 2.0, 7.0)],
    "small": [("liver", 0.1, "ROI_TOO_SMALL"), ("liver", 0.2, "ROI_TOO_SMALL"), ("spine", 3.0, 1.0)],
    "unplaced": [("unknown", 5.0, 3.0)],
    "no_tumour": [],
}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path)
    lake.write("protocols", None, [row("protocols", protocol_id="suv4", name="SUV 4")])
    feature_set_id, name, modality = SET
    sets = [row("feature_sets", feature_set_id=feature_set_id, name=name, modality=modality)]
    lake.write("feature_sets", None, sets)
    for patient, lesions in PATIENTS.items():
        write_patient(lake, patient, lesions)
    for patient in ("no_scan", "unread"):
        lake.write("patients", patient, [row("patients", patient_id=patient)])
    lake.write("scans", "unread", [row("scans", patient_id="unread", scan_id="S1")])
    return lake


def write_patient(lake: Lake, patient: str, lesions: list[tuple[str, float, float | str]]) -> None:
    where = {"patient_id": patient, **WHERE}
    lake.write("patients", patient, [row("patients", patient_id=patient)])
    lake.write("scans", patient, [row("scans", patient_id=patient, scan_id="S1")])
    lake.write("delineations", patient, [row("delineations", **where, modality="PT", n_lesions=len(lesions))])
    numbered = [(f"L{number:02d}", *lesion) for number, lesion in enumerate(lesions, start=1)]
    lake.write(
        "lesions",
        patient,
        [
            row("lesions", **where, lesion_id=lesion_id, modality=modality, organ=organ, volume_ml=volume)
            for lesion_id, organ, volume, _ in numbered
            for modality in ("PT", "CT")
        ],
    )
    # The second feature is undefined everywhere: a value is lost, and the lesion is not.
    lake.write(
        "radiomic_features",
        patient,
        [
            row(
                "radiomic_features",
                **where,
                lesion_id=lesion_id,
                feature_set_id=SET[0],
                feature_name=feature,
                value=None if status != "COMPUTED" else value,
                status=status,
            )
            for lesion_id, _, _, value in numbered
            for feature, status in zip(
                FEATURES,
                (value, value) if isinstance(value, str) else ("COMPUTED", "VALUE_UNDEFINED"),
                strict=True,
            )
        ],
    )


def test_an_organ_has_its_own_tables_and_a_patient_without_lesion_there_no_row(lake: Lake) -> None:
    publish(lake, LIVER)
    with open_snapshot(lake.root) as snapshot:
        everywhere = snapshot.features("pet", "mean").set_index("patient_id")["original_a"].to_dict()
        in_liver = snapshot.features("pet", "mean", organ="liver").set_index("patient_id")["original_a"]
        largest = snapshot.features("pet", "largest", organ="liver").set_index("patient_id")["original_a"]
        values = snapshot.values(["pet__liver__mean:original_a"])
        columns = {column.name for column in snapshot.columns()}

    assert everywhere == {"bone_only": 7.0, "both": 20.0, "small": 1.0, "unplaced": 3.0}
    assert in_liver.to_dict() == {"both": 15.0, "small": pytest.approx(float("nan"), nan_ok=True)}
    # Of the liver: the largest lesion of the patient lies in the spine.
    assert largest["both"] == 10.0
    assert [
        p for p, v in zip(values.patient_ids, values.columns["pet__liver__mean:original_a"], strict=True) if v == v
    ] == ["both"]
    assert {"pet__mean:original_a", "pet__liver__mean:original_a", "pet__liver__largest:original_a"} <= columns


def test_every_patient_has_a_reason_in_every_region(lake: Lake) -> None:
    publish(lake, LIVER)
    with open_snapshot(lake.root) as snapshot:
        rows = snapshot.sql(
            "SELECT patient_id, region, status, n_lesions, n_lesions_lost FROM feature_availability"
        ).rows
    assert {(patient, region): (status, lesions, lost) for patient, region, status, lesions, lost in rows} == {
        ("both", "all"): ("COMPUTED", 3, 0),
        ("both", "liver"): ("COMPUTED", 2, 0),
        ("bone_only", "all"): ("COMPUTED", 1, 0),
        ("bone_only", "liver"): ("NO_LESION_IN_ORGAN", 0, 0),
        ("small", "all"): ("COMPUTED", 3, 2),
        ("small", "liver"): ("ROI_TOO_SMALL", 2, 2),
        ("unplaced", "all"): ("COMPUTED", 1, 0),
        ("unplaced", "liver"): ("ORGAN_UNKNOWN", 0, 0),
        ("no_tumour", "all"): ("NO_LESION", 0, 0),
        ("no_tumour", "liver"): ("NO_LESION_IN_ORGAN", 0, 0),
        ("no_scan", "all"): ("NO_SCAN", 0, 0),
        ("no_scan", "liver"): ("NO_SCAN", 0, 0),
        ("unread", "all"): ("LESIONS_UNKNOWN", 0, 0),
        ("unread", "liver"): ("LESIONS_UNKNOWN", 0, 0),
    }


ATTRITION = (
    ("all", "COMPUTED", 4, 6, 6),
    ("all", "LESIONS_UNKNOWN", 1, 0, 0),
    ("all", "NO_LESION", 1, 0, 0),
    ("all", "NO_SCAN", 1, 0, 0),
    ("all", "ROI_TOO_SMALL", 0, 2, 4),
    ("all", "VALUE_UNDEFINED", 0, 0, 6),
    ("liver", "COMPUTED", 1, 2, 2),
    ("liver", "LESIONS_UNKNOWN", 1, 0, 0),
    ("liver", "NO_LESION_IN_ORGAN", 2, 0, 0),
    ("liver", "NO_SCAN", 1, 0, 0),
    ("liver", "ORGAN_UNKNOWN", 1, 0, 0),
    ("liver", "ROI_TOO_SMALL", 1, 2, 4),
    ("liver", "VALUE_UNDEFINED", 0, 0, 2),
)


def test_attrition_is_the_same_in_the_snapshot_and_on_the_lake(lake: Lake) -> None:
    publish(lake, LIVER)
    with open_snapshot(lake.root) as snapshot:
        rows = snapshot.sql("SELECT region, status, n_patients, n_lesions, n_values FROM feature_attrition").rows
    assert tuple(rows) == ATTRITION
    found = attrition(lake, feature_sets=[SET], default_protocol_id="suv4", organs=["liver"])
    assert found == tuple(Attrition("pet", *counts) for counts in ATTRITION)


def test_a_feature_set_that_was_not_computed_yet_is_counted_as_that(lake: Lake) -> None:
    lake.remove("radiomic_features", "both")
    found = attrition(lake, feature_sets=[SET, ("ct-1", "ct", "CT")], default_protocol_id="suv4")
    counts = {(row.feature_set, row.status): (row.n_patients, row.n_lesions) for row in found}
    assert counts["pet", "NOT_COMPUTED"] == (1, 3)
    # The delineation on the CT of the patient without tumour is not there, and so neither is the certainty.
    assert counts["ct", "NOT_COMPUTED"] == (4, 8)
    assert counts["ct", "LESIONS_UNKNOWN"] == (2, 0)


@pytest.mark.parametrize(
    "of_organs",
    [
        (OrganAggregation("liver", "median"),),
        (OrganAggregation("liver", "mean"), OrganAggregation("liver", "mean")),
        # Both would be the table features__pet__lymph_node__mean.
        (OrganAggregation("lymph node", "mean"), OrganAggregation("lymph_node", "mean")),
    ],
)
def test_an_aggregation_that_does_not_exist_or_is_named_twice_is_refused(
    lake: Lake, of_organs: tuple[OrganAggregation, ...]
) -> None:
    with pytest.raises(WarehouseError, match="AGGREGATION_UNKNOWN"):
        publish(lake, replace(LIVER, organ_aggregations=of_organs))


@pytest.mark.parametrize("organ", ["all", "All", "–"])
def test_an_organ_that_is_called_as_all_lesions_are_is_refused(lake: Lake, organ: str) -> None:
    with pytest.raises(WarehouseError, match="AGGREGATION_ORGAN_RESERVED"):
        publish(lake, replace(LIVER, organ_aggregations=(OrganAggregation(organ, "mean"),)))


def test_organ_aggregations_are_part_of_the_snapshots_id(lake: Lake) -> None:
    assert publish(lake, LIVER).snapshot_id != publish(lake, replace(LIVER, organ_aggregations=())).snapshot_id
