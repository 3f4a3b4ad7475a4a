"""Volume confounding in SQL against scipy, and its place beside robustness and definitions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.warehouse.study_rows import SETTINGS, row
from warehouse.lake import Lake
from warehouse.queries import open_snapshot
from warehouse.snapshot import publish

WHERE = {"scan_id": "S1", "protocol_id": "suv4"}
RELIABLE = replace(SETTINGS, aggregations=(), with_reliability=True)
# Few values, so that ties occur.
NUMBERS = st.sampled_from([0.5, 1.0, 2.0, 2.0, 3.5, 8.0])


def write(lake: Lake, lesions: list[tuple[float, float | None]], lesions_a_patient: int = 3) -> None:
    """Lesions of one feature set on the CT, each with its volume there and its value."""
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
                    feature_name="original_a",
                    value=value,
                    status="COMPUTED" if value is not None else "ROI_TOO_SMALL",
                )
                for lesion_id, _, value in of_patient
            ],
        )


@settings(max_examples=15)
@given(st.lists(st.tuples(NUMBERS, st.none() | NUMBERS), min_size=1, max_size=14))
def test_the_correlation_with_volume_is_scipys(
    tmp_path_factory: pytest.TempPathFactory, lesions: list[tuple[float, float | None]]
) -> None:
    write(lake := Lake(tmp_path_factory.mktemp("lake")), lesions)
    publish(lake, RELIABLE)
    with open_snapshot(lake.root) as snapshot:
        rows = snapshot.sql("SELECT n_lesions, rho, rho_lower, rho_upper FROM volume_confounding").rows
    measured = [(volume, value) for volume, value in lesions if value is not None]
    if not measured:
        assert list(rows) == []
        return
    ((n_lesions, rho, lower, upper),) = rows
    assert n_lesions == len(measured)
    volumes, values = np.array(measured).T
    if np.ptp(volumes) == 0 or np.ptp(values) == 0:
        assert rho is None
        return
    expected = stats.spearmanr(volumes, values).statistic
    assert rho == pytest.approx(expected, abs=1e-12)
    if len(measured) > 3 and abs(expected) < 1 - 1e-9:
        z, half = np.arctanh(expected), 1.959963984540054 * np.sqrt((1 + expected**2 / 2) / (len(measured) - 3))
        assert (lower, upper) == pytest.approx((np.tanh(z - half), np.tanh(z + half)))


def robustness(source: str, **values: object) -> object:
    found = {"feature_set_id": "ct-1", "feature_name": "original_a", "source": source, "status": "COMPUTED"}
    return row("robustness", **found, **values)


def test_what_is_known_of_a_feature_stands_in_one_row_a_source(tmp_path: Path) -> None:
    write(lake := Lake(tmp_path), [(1.0, 2.0), (2.0, 3.0), (3.0, 1.0), (4.0, 9.0), (5.0, 8.0)])
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
    assert described == [(len(columns),)]


def test_a_study_that_does_not_ask_has_no_such_tables(tmp_path: Path) -> None:
    write(lake := Lake(tmp_path), [(1.0, 2.0)])
    publish(lake, replace(RELIABLE, with_reliability=False))
    with open_snapshot(tmp_path) as snapshot:
        names = {table.name for table in snapshot.tables()}
    assert {"volume_confounding", "feature_reliability"} & names == set()
    assert "robustness" in names
