"""Selecting patients: as pandas would, on every kind of column, and under every protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.study_rows import SETTINGS, row
from warehouse.errors import WarehouseError
from warehouse.queries import protocol_views
from warehouse.queries.conditions import Condition, Operator
from warehouse.queries.open_snapshot import Snapshot, open_snapshot
from warehouse.snapshots.derived import CohortMetric
from warehouse.snapshots.feature_tables import OrganAggregation
from warehouse.snapshots.publish import publish
from warehouse.storage.lake import Lake

N = 30
PROTOCOLS = ("suv4", "percent_41-b2")
NUMBERS = (
    "age_years",
    "tumour_volume_ml",
    "n_lesions",
    "liver_tumour_volume_ml",
    "pet__largest:original_a",
    "n_findings",
)
CATEGORIES = ("sex", "scan_manufacturer")


def write_patient(lake: Lake, number: int, rng: np.random.Generator) -> None:
    key = {"patient_id": f"P{number:02}"}
    scan = {**key, "scan_id": "S1"}
    lake.write("patients", key["patient_id"], [row("patients", **key)])
    manufacturer = None if number % 7 == 0 else ("GE", "SIEMENS")[number % 2]
    lake.write("scans", key["patient_id"], [row("scans", **scan, manufacturer=manufacturer)])
    clinical = [row("clinical", **key, variable="sex", kind="category", value_text="FM"[number % 2])]
    if number % 5:
        age = float(rng.integers(50, 80))
        clinical.append(row("clinical", **key, variable="age_years", kind="number", value_number=age, unit="year"))
    lake.write("clinical", key["patient_id"], clinical)
    codes = ["DECAY_FACTOR_MISFIT", "UPTAKE_SHORT"][: number % 3]
    lake.write("qc_events", key["patient_id"], [row("qc_events", **key, table_name="suv", code=c) for c in codes])
    refused = [row("refusals", **key, table_name="suv", code="SUV_WEIGHT_MISSING")] if number % 6 == 0 else []
    lake.write("refusals", key["patient_id"], refused)
    lake.write("endpoints", key["patient_id"], [row("endpoints", **key, endpoint="OS", duration_days=100 + number)])
    lesions, metrics, features = [], [], []
    for protocol in PROTOCOLS:
        where = {**scan, "protocol_id": protocol}
        volumes = rng.lognormal(2, 1, size=int(rng.integers(0, 4)))
        organs = ["liver" if rng.random() < 0.5 else "bone" for _ in volumes]
        for i, (volume, organ) in enumerate(zip(volumes, organs, strict=True)):
            lesion = {**where, "lesion_id": f"L{i}"}
            lesions += [
                row("lesions", **lesion, modality=m, organ=organ, volume_ml=float(volume)) for m in ("PT", "CT")
            ]
            features += [
                row("radiomic_features", **lesion, feature_set_id=s, feature_name=f, value=v, status="COMPUTED")
                for s, factor in (("pet-1", 1.0), ("ct-1", 2.0))
                for f, v in (("original_a", float(rng.normal())), ("original_b", factor * float(volume)))
            ]
        regions = [("patient", "all", np.ones(len(volumes), dtype=bool))]
        regions += [("organ", organ, np.array(organs) == organ) for organ in sorted(set(organs))]
        metrics += [
            row(
                "pet_metrics",
                **where,
                grain=grain,
                region=region,
                n_lesions=int(inside.sum()),
                volume_ml=float(volumes[inside].sum()),
                suv_max=float(rng.uniform(5, 30)) if inside.any() else None,
                total_lesion_expression_ml=1.0,
            )
            for grain, region, inside in regions
        ]
    lake.write("lesions", key["patient_id"], lesions)
    lake.write("pet_metrics", key["patient_id"], metrics)
    lake.write("radiomic_features", key["patient_id"], features)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("selected") / "lake")
    names = {"suv4": "suv_4", "percent_41-b2": "percent_41"}
    lake.write("protocols", None, [row("protocols", protocol_id=i, name=n) for i, n in names.items()])
    sets = [("pet-1", "pet", "PT"), ("ct-1", "ct", "CT")]
    lake.write("feature_sets", None, [row("feature_sets", feature_set_id=i, name=n, modality=m) for i, n, m in sets])
    definitions = [row("feature_definitions", feature_name=name) for name in ("original_a", "original_b")]
    lake.write("feature_definitions", None, definitions)
    rng = np.random.default_rng(7)
    for number in range(1, N + 1):
        write_patient(lake, number, rng)
    return lake


def published(lake: Lake, protocol: str) -> Snapshot:
    chosen = replace(SETTINGS, default_protocol_id=protocol, organ_aggregations=(OrganAggregation("liver", "largest"),))
    return open_snapshot(lake.root, publish(lake, chosen).snapshot_id)


@pytest.fixture(scope="module")
def snapshot(lake: Lake) -> Iterator[Snapshot]:
    with published(lake, PROTOCOLS[0]) as opened:
        yield opened


@pytest.fixture(scope="module")
def table(snapshot: Snapshot) -> pd.DataFrame:
    """Return the columns of the conditions as pandas has them."""
    frame = snapshot.values([name for name in (*NUMBERS, *CATEGORIES) if name != "n_findings"]).to_frame()
    counted = snapshot.frame("SELECT patient_id, count(*) AS n FROM qc_events GROUP BY patient_id")
    frame["n_findings"] = counted.set_index("patient_id")["n"].reindex(frame.index).fillna(0)
    return frame


def met(condition: Condition, column: pd.Series) -> pd.Series:
    """Which values meet a condition, as pandas says."""
    if condition.operator is Operator.KNOWN:
        return column.notna()
    operands = [float(v) if column.dtype.kind == "f" else v for v in condition.operands]
    found = {
        Operator.AT_LEAST: lambda: column >= operands[0],
        Operator.AT_MOST: lambda: column <= operands[0],
        Operator.MORE_THAN: lambda: column > operands[0],
        Operator.LESS_THAN: lambda: column < operands[0],
        Operator.ONE_OF: lambda: column.isin(operands),
        Operator.NONE_OF: lambda: ~column.isin(operands),
    }[condition.operator]()
    return found & column.notna()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_selection_is_that_of_pandas(snapshot: Snapshot, table: pd.DataFrame, data: st.DataObject) -> None:
    conditions = []
    for name in data.draw(st.lists(st.sampled_from([*NUMBERS, *CATEGORIES]), max_size=3)):
        operators = [o for o in Operator if name in NUMBERS or not o.is_comparison]
        operator = data.draw(st.sampled_from(operators))
        values = st.sampled_from(sorted(table[name].dropna().unique()))
        n = 0 if operator is Operator.KNOWN else 1 if operator.is_comparison else data.draw(st.integers(1, 3))
        conditions.append(Condition.of(name, operator, *(data.draw(values) for _ in range(n))))
    expected = pd.Series(True, index=table.index)
    for condition in conditions:
        expected &= met(condition, table[condition.column])

    found = snapshot.selection([condition.text for condition in conditions])
    assert list(found.patient_ids) == list(table.index[expected])
    assert found.n_cohort == N
    assert snapshot.select(found.texts) == found.patient_ids
    assert snapshot.selection(found.texts).texts == found.texts


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("finding_code=UPTAKE_SHORT", lambda number: number % 3 == 2),
        ("finding_code!=UPTAKE_SHORT", lambda number: number % 3 != 2),
        ("finding_code!=NEVER_SEEN", lambda _: True),
        ("finding_code?", lambda number: number % 3 > 0),
        ("refusal_code=SUV_WEIGHT_MISSING", lambda number: number % 6 == 0),
        ("n_refusals=0", lambda number: number % 6 != 0),
    ],
)
def test_quality_selects_patients(snapshot: Snapshot, text: str, picked: Any) -> None:
    assert snapshot.select([text]) == tuple(f"P{number:02}" for number in range(1, N + 1) if picked(number))


def test_the_selection_in_words(snapshot: Snapshot) -> None:
    found = snapshot.selection(["sex = M", "age_years>=60.0", "sex=M"])
    assert found.texts == ("age_years>=60", "sex=M")
    assert found.sentence == f"{len(found.patient_ids)} of {N} patients: age_years >= 60 years, sex M"
    assert found.named == "where age_years>=60 and sex=M"
    assert not found.is_everyone


def test_conditions_that_leave_nobody_out_make_no_other_test(snapshot: Snapshot) -> None:
    assert snapshot.selection([]).sentence == ""
    everyone = snapshot.selection(["sex=F|M", "protocol_id=suv_4"])
    assert everyone.texts == ("sex=F|M",)
    assert everyone.is_everyone
    assert everyone.named == ""
    assert snapshot.selection(["protocol_id=percent_41"]).named == "where protocol_id=percent_41"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("age_year>=60", "COLUMN_UNKNOWN", "Nearest: age_years."),
        ("sex=Female", "CONDITION_VALUE_UNKNOWN", "expected F, M"),
        ("sex>=1", "CONDITION_KIND", "sex="),
        ("age_years=old", "CONDITION_NUMBER_INVALID", "in age_years"),
        ("OS_event=1", "CONDITION_ON_OUTCOME", "landmark"),
        ("protocol_id=percent_40", "PROTOCOL_UNKNOWN", "Nearest: percent_41."),
        ("protocol_id=suv_4|percent_41", "CONDITION_PROTOCOL", "protocol_id=NAME"),
        ("patient_id=P01", "COLUMN_UNKNOWN", "expected"),
        ("age_years; DROP TABLE cohort>=1", "COLUMN_UNKNOWN", "expected"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(snapshot: Snapshot, text: str, code: str, said: str) -> None:
    with pytest.raises(WarehouseError) as refused:
        snapshot.select([text])
    assert refused.value.code == code
    assert said in refused.value.sentence()


def test_values_are_bound_and_never_become_sql(snapshot: Snapshot) -> None:
    condition = Condition.of("finding_code", Operator.NONE_OF, "x') OR TRUE --")
    assert len(snapshot.select([condition])) == N


def test_another_protocol_gives_what_it_gives_where_it_is_the_default(lake: Lake, snapshot: Snapshot) -> None:
    other = PROTOCOLS[1]
    with published(lake, other) as expected:
        names = [column.name for column in snapshot.analysis_columns()]
        assert {column.name for column in expected.analysis_columns()} == set(names)
        pd.testing.assert_frame_equal(
            snapshot.values(names, other).to_frame(), expected.values(names).to_frame(), rtol=1e-12
        )
        pd.testing.assert_frame_equal(snapshot.cohort(other), expected.cohort())
        for table in (("pet", "largest"), ("ct", "volume_weighted_mean"), ("pet", "largest", "liver")):
            pd.testing.assert_frame_equal(
                snapshot.features(*table, protocol_id=other), expected.features(*table), rtol=1e-12
            )
        condition = "tumour_volume_ml>=10"
        assert snapshot.select([condition, "protocol_id=percent_41"]) == expected.select([condition])
        assert snapshot.select([condition, "protocol_id=percent_41"]) != snapshot.select([condition])
        assert expected.selection(["protocol_id=percent_41"]).protocol_id is None


def test_snapshots_of_other_versions_are_measured_by_what_they_have_or_not_at_all(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = protocol_views.cohort_metrics
    names = ("tumour_volume_ml", "suv_max")
    expected = snapshot.values(names, PROTOCOLS[1]).to_frame()
    monkeypatch.setattr(
        protocol_views,
        "cohort_metrics",
        lambda organs: (*known(organs), CohortMetric("new_metric", "max(not_there_yet)", None)),
    )
    pd.testing.assert_frame_equal(snapshot.values(names, PROTOCOLS[1]).to_frame(), expected)
    monkeypatch.setattr(
        protocol_views, "cohort_metrics", lambda organs: tuple(m for m in known(organs) if m.name != "suv_max")
    )
    with pytest.raises(WarehouseError) as refused:
        snapshot.values(["tumour_volume_ml"], PROTOCOLS[1])
    assert (refused.value.code, refused.value.found) == ("SNAPSHOT_METRIC_UNKNOWN", "suv_max")


def test_a_snapshot_without_tumours_or_features_has_its_protocols(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    names = [row("protocols", protocol_id=i, name=i) for i in PROTOCOLS]
    lake.write("protocols", None, names)
    lake.write("patients", "P1", [row("patients", patient_id="P1")])
    settings_json = json.dumps({})
    with open_snapshot(lake.root, publish(lake, replace(SETTINGS, settings_json=settings_json)).snapshot_id) as opened:
        found = opened.selection([f"protocol_id={PROTOCOLS[1]}", "tumour_volume_ml?"])
        assert found.patient_ids == ()
        assert found.sentence == f"0 of 1 patients: lesions by protocol {PROTOCOLS[1]}, tumour_volume_ml known"
