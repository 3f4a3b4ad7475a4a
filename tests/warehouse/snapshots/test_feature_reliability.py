"""Volume confounding in SQL against scipy, and its place beside robustness and definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.some import some
from tests.warehouse.study_rows import SETTINGS, row
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.publish import publish
from warehouse.storage.lake import Lake

WHERE = {"scan_id": "S1", "protocol_id": "suv4"}
RELIABLE = replace(SETTINGS, aggregations=(), with_reliability=True)


def write(lake: Lake, lesions: Sequence[tuple[float, dict[str, float | None]]], lesions_a_patient: int = 3) -> None:
    """Lesions of one feature set on the CT, each with its volume there and its values by feature."""
    lake.write("feature_sets", None, [row("feature_sets", feature_set_id="ct-1", name="ct", modality="CT")])
    definition = row("feature_definitions", feature_name="original_a", ibsi_id="RNU0", ibsi_name="Volume", unit="mm3")
    lake.write("feature_definitions", None, [definition])
    for start in range(0, len(lesions), lesions_a_patient):
        patient = f"P{start:03d}"
        where = {"patient_id": patient, **WHERE}
        lake.write("patients", patient, [row("patients", patient_id=patient)])
        lake.write("scans", patient, [row("scans", patient_id=patient, scan_id="S1")])
        of_patient = [(f"L{n:02d}", *lesion) for n, lesion in enumerate(lesions[start : start + lesions_a_patient])]
        # The volume on the PET is another one, and is not what a CT feature is confounded with.
        lake.write(
            "lesions",
            patient,
            [
                row("lesions", **where, lesion_id=lesion_id, modality=modality, volume_ml=volume * factor)
                for lesion_id, volume, _ in of_patient
                for modality, factor in (("CT", 1.0), ("PT", -1.0))
            ],
        )
        lake.write(
            "radiomic_features",
            patient,
            [
                row(
                    "radiomic_features",
                    **where,
                    lesion_id=lesion_id,
                    feature_set_id="ct-1",
                    feature_name=feature,
                    value=value,
                    status="COMPUTED" if value is not None else "ROI_TOO_SMALL",
                )
                for lesion_id, _, values in of_patient
                for feature, value in values.items()
            ],
        )


def test_the_correlation_with_volume_is_scipys(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    # Few values, so that ties occur; more and more of them are lost, down to none and to constants.
    volumes = rng.choice([0.5, 1.0, 2.0, 3.5, 8.0], 20)
    values = {f"f{k:02d}": rng.choice([-1.0, 0.5, 0.5, 2.0, 7.0], 20) + (k % 4) * volumes for k in range(20)}
    kept = {name: rng.random(20) > k / 20 for k, name in enumerate(values)}
    values["flat"], kept["flat"] = np.ones(20), np.ones(20, dtype=bool)
    values["volume"], kept["volume"] = 3 * volumes, np.ones(20, dtype=bool)
    lesions = [
        (float(volumes[i]), {name: float(values[name][i]) if kept[name][i] else None for name in values})
        for i in range(20)
    ]
    write(lake := Lake(tmp_path), lesions)
    publish(lake, RELIABLE)
    with open_snapshot(lake.root) as snapshot:
        rows = snapshot.sql("SELECT feature_name, n_lesions, rho, rho_lower, rho_upper FROM volume_confounding").rows
    assert {name for name, *_ in rows} == {name for name in values if kept[name].any()}
    for name, n_lesions, rho, lower, upper in some(rows):
        of_volume, of_value = volumes[kept[name]], values[name][kept[name]]
        assert n_lesions == len(of_value)
        if np.ptp(of_volume) == 0 or np.ptp(of_value) == 0:
            assert rho is None
            continue
        expected = stats.spearmanr(of_volume, of_value).statistic
        assert rho == pytest.approx(expected, abs=1e-12)
        if n_lesions > 3 and abs(expected) < 1 - 1e-9:
            z, half = np.arctanh(expected), 1.959963984540054 * np.sqrt((1 + expected**2 / 2) / (n_lesions - 3))
            assert (lower, upper) == pytest.approx((np.tanh(z - half), np.tanh(z + half)))
    assert {name: rho for name, _, rho, *_ in rows}["volume"] == pytest.approx(1.0)


def robustness(source: str, **values: object) -> object:
    found = {"feature_set_id": "ct-1", "feature_name": "original_a", "source": source, "status": "COMPUTED"}
    return row("robustness", **found, **values)


def test_what_is_known_of_a_feature_stands_in_one_row_a_source(tmp_path: Path) -> None:
    write(
        lake := Lake(tmp_path), [(float(n), {"original_a": value}) for n, value in enumerate((2.0, 3.0, 1.0, 9.0, 8.0))]
    )
    icc = {"icc_1_1": 0.9, "icc_1_1_lower": 0.8, "icc_2_1": 0.5, "icc_2_1_lower": 0.4}
    rows = [
        robustness("perturbation", **icc, filter_icc="1,1", minimum_icc=0.75, is_robust=True),
        robustness("retest", **icc, filter_icc="2,1", minimum_icc=0.75, is_robust=False),
    ]
    lake.write("robustness", None, rows)
    publish(lake, RELIABLE)
    with open_snapshot(lake.root) as snapshot:
        found = snapshot.sql(
            "SELECT source, ibsi_id, unit, round(volume_rho, 3), icc, icc_lower, is_robust FROM feature_reliability"
        ).rows
        described = snapshot.sql(
            "SELECT count(*) FROM column_definitions WHERE table_name = 'feature_reliability'"
        ).rows
        columns = snapshot.frame("SELECT * FROM feature_reliability").columns
    assert list(found) == [
        ("perturbation", "RNU0", "mm3", 0.6, 0.9, 0.8, True),
        ("retest", "RNU0", "mm3", 0.6, 0.5, 0.4, False),
    ]
    assert list(described) == [(len(columns),)]


def test_a_study_that_does_not_ask_has_no_such_tables(tmp_path: Path) -> None:
    write(lake := Lake(tmp_path), [(1.0, {"original_a": 2.0})])
    publish(lake, replace(RELIABLE, with_reliability=False))
    with open_snapshot(tmp_path) as snapshot:
        names = {table.name for table in snapshot.tables()}
    assert {"volume_confounding", "feature_reliability"} & names == set()
    assert "robustness" in names
