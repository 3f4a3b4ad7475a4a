"""The account of a protocol over chosen patients, held against the lesions it left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.warehouse.study_rows import SETTINGS, row
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.queries.protocol_queries import AccountLine, exclusion_accounts, lesion_organs, protocols
from warehouse.snapshots.publish import publish
from warehouse.storage.lake import Lake

FATES = (("KEPT", "", 30, 3.0), ("PHYSIOLOGICAL", "spleen", 50, 5.0), ("TOO_SMALL", "", 2, 0.2), ("HOLE", "", 1, 0.1))


def write(lake: Lake, patient: str, lesions_ml: float = 3.1) -> None:
    where = {"patient_id": patient, "protocol_id": "suv4"}
    lake.write("patients", patient, [row("patients", patient_id=patient)])
    # The later scan is not the baseline: nothing of it is in an account.
    scans = [row("scans", patient_id=patient, scan_id=scan) for scan in ("S1", "S2")]
    lake.write("scans", patient, scans)
    lake.write(
        "exclusions",
        patient,
        [
            row("exclusions", **where, scan_id=scan, reason=reason, organ=organ, n_voxels=n, volume_ml=ml)
            for scan in ("S1", "S2")
            for reason, organ, n, ml in FATES
        ],
    )
    # The same lesion on the CT must not count twice.
    lake.write(
        "lesions",
        patient,
        [
            row("lesions", **where, scan_id="S1", lesion_id="L1", modality=modality, volume_ml=lesions_ml)
            for modality in ("PT", "CT")
        ],
    )
    metrics = [
        row("pet_metrics", **where, scan_id="S1", grain=grain, region=region)
        for grain, region in (("patient", "all"), ("organ", "liver"))
    ]
    lake.write("pet_metrics", patient, metrics)


def test_kept_and_removed_are_all_and_kept_and_holes_are_the_lesions(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    names = {"suv4": "SUV 4", "contours": "contours"}
    lake.write("protocols", None, [row("protocols", protocol_id=i, name=name) for i, name in names.items()])
    for patient in ("P1", "P2", "P3"):
        write(lake, patient)
    write(lake, "wrong", lesions_ml=9.0)
    publish(lake, SETTINGS)
    with open_snapshot(lake.root) as snapshot:
        assert {each.protocol_id for each in protocols(snapshot)} == set(names)
        assert lesion_organs(snapshot) == ("liver",)
        found = {each.protocol_id: each for each in exclusion_accounts(snapshot, ["P1", "P3"])}
        wrong = {each.protocol_id: each for each in exclusion_accounts(snapshot, ["wrong"])}["suv4"]
        nobody = {each.protocol_id: each for each in exclusion_accounts(snapshot, [])}["suv4"]
    account = found["suv4"]
    assert account.n_patients == 2
    assert AccountLine("PHYSIOLOGICAL", "spleen", 2, 100, 10.0) in account.lines
    assert account.n_voxels("KEPT", "PHYSIOLOGICAL", "TOO_SMALL") == 164
    assert account.volume_ml("KEPT", "HOLE") == pytest.approx(account.lesions_ml) == pytest.approx(6.2)
    assert account.adds_up
    assert not wrong.adds_up
    assert (nobody.n_patients, nobody.lines) == (0, ())
    assert found["contours"].lines == ()
