"""Outliers of the cohort: robust z against numpy, findings among the others, and silence in a small cohort."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.warehouse.study_rows import SETTINGS, row
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.publish import publish
from warehouse.storage.lake import Lake


def _cohort(lake: Lake, uptakes: list[float | None], nuclide: str = "68Ga", weight: float = 70.0) -> None:
    for number, uptake in enumerate(uptakes):
        patient = f"{nuclide}-{number:02d}"
        lake.write("patients", patient, [row("patients", patient_id=patient)])
        suv = row(
            "suv",
            patient_id=patient,
            scan_id="s",
            radionuclide=nuclide,
            uptake_duration_s=uptake,
            injected_dose_bq=1.4e8,
            patient_weight_kg=weight,
            suv_max=20.0,
        )
        lake.write("suv", patient, [suv])
        events = [row("qc_events", patient_id=patient, code="MASK_RESAMPLED", table_name="lesions")]
        lake.write("qc_events", patient, events if patient == "68Ga-00" else [])


def _z(root: Path, quantity: str) -> list[tuple[str, float | None]]:
    with open_snapshot(root) as opened:
        rows = opened.sql(
            f"SELECT patient_id, robust_z FROM scan_outliers WHERE quantity = '{quantity}' ORDER BY patient_id"
        ).rows
    return [(str(patient), None if z is None else float(str(z))) for patient, z in rows]


def test_robust_z_is_that_of_numpy_and_the_large_ones_are_findings(tmp_path: Path) -> None:
    uptakes = [3600.0, 3540.0, 3720.0, 3660.0, 3480.0, 3900.0, 3300.0, 3600.0, 3630.0, 3570.0, 7200.0]
    lake = Lake(tmp_path)
    _cohort(lake, uptakes)
    # Another nuclide is another cohort.
    _cohort(lake, [7200.0], nuclide="64Cu")
    published = publish(lake, SETTINGS)
    array = np.array(uptakes)
    centre = np.median(array)
    expected = 0.6745 * (array - centre) / np.median(np.abs(array - centre))
    found = _z(tmp_path, "uptake_duration_s")
    assert [z for patient, z in found if patient.startswith("68Ga")] == pytest.approx(expected.tolist())
    assert [z for patient, z in found if patient.startswith("64Cu")] == [None]
    with open_snapshot(tmp_path) as opened:
        events = opened.sql("SELECT patient_id, scan_id, code, severity, message FROM qc_events ORDER BY code").rows
    assert [event[:4] for event in events] == [
        ("68Ga-00", None, "MASK_RESAMPLED", "x"),
        ("68Ga-10", "s", "QC_COHORT_OUTLIER", "warning"),
    ]
    message = next(str(event[4]) for event in events if event[2] == "QC_COHORT_OUTLIER")
    assert "uptake_duration_s is 7200" in message
    assert "11 68Ga scans" in message
    assert published.tables["qc_events"] == 2
    assert published.tables["scan_outliers"] == 12 * 3
    # A snapshot is the same when it is published again.
    assert not publish(lake, SETTINGS).created


def test_where_most_values_are_equal_the_mean_deviation_takes_over(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    _cohort(lake, [3600.0] * 11 + [7200.0])
    publish(lake, SETTINGS)
    found = _z(tmp_path, "uptake_duration_s")
    assert found[-1][1] == pytest.approx(3600 / (1.253314 * 300))
    # All equal: nothing to compare with.
    assert {z for _, z in _z(tmp_path, "injected_dose_bq_per_kg")} == {None}


def test_a_small_cohort_has_no_outliers(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    _cohort(lake, [3600.0, 3500.0, 3700.0, 3650.0, 3550.0, 3580.0, 3620.0, None, 36000.0, 3610.0])
    publish(lake, SETTINGS)
    found = _z(tmp_path, "uptake_duration_s")
    assert len(found) == 9
    assert {z for _, z in found} == {None}
