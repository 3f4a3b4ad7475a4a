"""``petlake sensitivity`` on a published snapshot: protocols side by side, every hazard ratio in the ledger."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from lifelines import CoxPHFitter
from scipy.stats import spearmanr

from orchestration.commands.sensitivity import sensitivity
from petct.errors import MaskError
from tests.some import some
from tests.warehouse.study_rows import row
from warehouse.errors import WarehouseError
from warehouse.people.journal import ledger_of
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.publish import SnapshotSettings, publish
from warehouse.storage.lake import Lake

N = 30
PROTOCOLS = ("contours-1", "suv_4-1")


def published(folder: Path, protocols: tuple[str, ...]) -> str:
    """A study of 30 patients: the first without tumour, the last unknown under the second protocol."""
    (folder / "study.yaml").touch()
    lake, rng = Lake(folder / "lake"), np.random.default_rng(2)
    lake.write("protocols", None, [row("protocols", protocol_id=p, name=p[:-2]) for p in protocols])
    for number in range(N):
        patient = f"P{number:02d}"
        lake.write("patients", patient, [row("patients", patient_id=patient)])
        lake.write("scans", patient, [row("scans", patient_id=patient, scan_id="S")])
        volume = float(rng.lognormal(3, 1)) if number else 0.0
        days = int(rng.integers(50, 2000))
        lake.write(
            "endpoints",
            patient,
            [row("endpoints", patient_id=patient, endpoint="OS", duration_days=days, event=int(days < 1500))],
        )
        known = protocols[: 1 if number == N - 1 else None]
        rows = [
            row(
                "pet_metrics",
                **{"patient_id": patient, "scan_id": "S", "protocol_id": protocol, "grain": grain, "region": region},
                n_lesions=int(volume > 0),
                volume_ml=volume * factor * share,
            )
            for protocol, factor in zip(known, (1.0, 2.0), strict=False)
            for grain, region, share in (("patient", "all", 1.0), ("organ", "liver", 0.5))
            if grain == "patient" or (volume > 0 and number % 2)
        ]
        lake.write("pet_metrics", patient, rows)
    settings = '{"primary_hypotheses": [["OS", "tumour_volume_ml"]]}'
    return publish(lake, SnapshotSettings(settings, {}, (), protocols[0])).snapshot_id


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sensitivity")
    published(folder, PROTOCOLS)
    return folder


def told(study: Path, *arguments: str) -> dict:
    done = CliRunner().invoke(sensitivity, ["--study", str(study), "--json", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return json.loads(done.stdout)


def test_volumes_ranks_and_hazard_ratios_stand_side_by_side(study: Path) -> None:
    found = told(study)
    assert [(p["protocol"], p["n"], p["n_unknown"], p["n_without_tumour"]) for p in found["protocols"]] == [
        ("contours-1", N, 0, 1),
        ("suv_4-1", N - 1, 1, 1),
    ]
    (pair,) = found["pairs"]
    assert (pair["n"], pair["log_volume"]["n"], pair["spearman"]) == (N - 1, N - 2, pytest.approx(1.0))
    assert pair["log_volume"]["bias"] == pytest.approx(2.0)
    first, second = found["hazards"]["rows"]
    assert (found["hazards"]["n"], found["hazards"]["n_left_out"]) == (N - 1, 1)
    # A volume twice as large in everyone is the same ratio per doubling.
    assert first["hazard_ratio"] == pytest.approx(second["hazard_ratio"])


def test_four_protocols_of_twelve_patients_are_what_the_volumes_say(tmp_path: Path) -> None:
    """The smallest cohort with ranks, limits and hazard ratios; everything again from the volumes that were written."""
    rng = np.random.default_rng(7)
    volumes = rng.lognormal(3, 1, 12) * np.stack([np.ones(12), *rng.lognormal(0, 0.4, (3, 12))])
    days, event = np.arange(12) * 97 % 1100 + 40, np.array([1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1])
    names = [f"p{number}-1" for number in range(4)]
    (tmp_path / "study.yaml").touch()
    lake = Lake(tmp_path / "lake")
    lake.write("protocols", None, [row("protocols", protocol_id=name, name=name[:-2]) for name in names])
    for number in range(12):
        where = {"patient_id": f"P{number:02d}", "scan_id": "S"}
        outcome = {"endpoint": "OS", "duration_days": int(days[number]), "event": int(event[number])}
        metrics = [
            row("pet_metrics", **where, protocol_id=name, grain="patient", region="all", volume_ml=float(volume))
            for name, volume in zip(names, volumes[:, number], strict=True)
        ]
        for table, rows in (
            ("patients", [row("patients", patient_id=where["patient_id"])]),
            ("scans", [row("scans", **where)]),
            ("endpoints", [row("endpoints", patient_id=where["patient_id"], **outcome)]),
            ("pet_metrics", metrics),
        ):
            lake.write(table, where["patient_id"], rows)
    publish(lake, SnapshotSettings('{"primary_hypotheses": []}', {}, (), names[0]))
    found = told(tmp_path)
    assert [p["median_ml"] for p in found["protocols"]] == pytest.approx(np.median(volumes, axis=1))
    assert len(found["pairs"]) == 6
    for pair, (first, second) in some(zip(found["pairs"], combinations(volumes, 2), strict=True)):
        assert pair["spearman"] == pytest.approx(spearmanr(first, second).statistic)
        assert pair["volume"]["bias"] == pytest.approx((second - first).mean())
        assert pair["log_volume"]["bias"] == pytest.approx(np.exp(np.log(second / first).mean()))
    for hazard, volume in some(zip(found["hazards"]["rows"], volumes, strict=True)):
        assert (hazard["n"], hazard["n_events"]) == (12, 8)
        fitted = CoxPHFitter().fit(
            pd.DataFrame({"t": days, "e": event, "v": np.log2(volume)}), "t", "e", fit_options={"precision": 1e-10}
        )
        assert hazard["hazard_ratio"] == pytest.approx(np.exp(fitted.params_["v"]), rel=1e-4)


def test_each_protocol_is_one_exploratory_test_however_often_it_is_run(study: Path) -> None:
    told(study)
    found = told(study)
    with open_snapshot(study / "lake") as snapshot:
        entries = [e.run for e in ledger_of(study / "lake", snapshot.id).entries if "liver" not in e.run.subject]
    assert [(run.n_tests, run.primary, run.p) for run in entries] == [
        (1, False, row["p"]) for row in found["hazards"]["rows"]
    ]
    assert all(protocol in run.subject for protocol, run in some(zip(PROTOCOLS, entries, strict=True)))


def test_an_organ_without_lesions_counts_as_zero(study: Path) -> None:
    first, second = told(study, "--organ", "liver")["protocols"]
    assert (first["n"], first["n_without_tumour"]) == (N, N // 2)
    assert (second["n"], second["n_without_tumour"]) == (N - 1, N // 2)
    with pytest.raises(WarehouseError, match="ORGAN_UNKNOWN"):
        told(study, "--organ", "heart")


def test_people_read_a_table_and_what_it_rests_on(study: Path) -> None:
    said = CliRunner().invoke(sensitivity, ["--study", str(study)], catch_exceptions=False).stdout
    for words in ("Bland-Altman", "Hazard ratio of tumour volume", "half the smallest", "exploratory", "is a search"):
        assert words in said


def test_one_protocol_is_refused(tmp_path: Path) -> None:
    published(tmp_path, PROTOCOLS[:1])
    with pytest.raises(MaskError, match="PROTOCOLS_TOO_FEW"):
        told(tmp_path)
