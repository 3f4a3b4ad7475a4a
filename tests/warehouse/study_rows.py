"""Rows for the tables of the registry, and a small study made of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import make_dataclass
from typing import Any

from hypothesis import strategies as st

from records.columns import Column, Kind
from warehouse.registry.tables import TABLES
from warehouse.snapshots.publish import SnapshotSettings
from warehouse.storage.lake import Lake

ROW_TYPES: dict[str, Any] = {
    name: make_dataclass(f"{name}_row", [column.name for column in table.columns], frozen=True)
    for name, table in TABLES.items()
}
_PLAIN = {
    Kind.TEXT: "x",
    Kind.INTEGER: 1,
    Kind.NUMBER: 1.5,
    Kind.BOOLEAN: True,
    Kind.DATE: dt.date(2020, 1, 2),
    Kind.DATETIME: dt.datetime(2020, 1, 2, 3, 4, 5, 6),
}
_TEXT = st.text(max_size=6)
_VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: _TEXT,
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: st.dates(),
    # A naive time has no second hour of the clock's change, which its repr would show.
    Kind.DATETIME: st.datetimes(min_value=dt.datetime(1700, 1, 1)).map(lambda moment: moment.replace(fold=0)),
}
SETTINGS = SnapshotSettings(
    settings_json='{"tracer": "68Ga-DOTATOC", "threshold": {"suv": 4.0}}',
    code_versions={"lesions": "1", "radiomic_features": "1"},
    aggregations=("largest", "volume_weighted_mean", "mean", "max", "min", "sd", "sum"),
    default_protocol_id="suv4",
)


def row(table: str, **values: object) -> Any:
    """A row of ``table`` with the given values; the others are None where they may be, and plain where they may not."""
    filled = {c.name: None if c.nullable else _PLAIN[c.kind] for c in TABLES[table].columns}
    return ROW_TYPES[table](**(filled | values))


def values_of(column: Column) -> st.SearchStrategy[Any]:
    """Values that a column can hold."""
    return st.none() | _VALUES[column.kind] if column.nullable else _VALUES[column.kind]


@st.composite
def rows_of(draw: st.DrawFn, table: str, *, min_size: int = 0) -> list[Any]:
    """Rows of one patient, with keys that differ."""
    entry = TABLES[table]
    columns = {c.name: st.just("001") if c.name == "patient_id" else values_of(c) for c in entry.columns}
    built = st.builds(ROW_TYPES[table], **columns)
    return draw(
        st.lists(
            built, min_size=min_size, max_size=5, unique_by=lambda r: tuple(getattr(r, name) for name in entry.key)
        )
    )


def write_study(lake: Lake, patients: tuple[str, ...] = ("001", "002", "A7", "101")) -> None:
    """Write a study whose last patient has a scan without tumour; the others have two lesions each."""
    lake.write("protocols", None, [row("protocols", protocol_id="suv4", name="SUV 4")])
    sets = [("pet-1", "pet", "PT"), ("ct-1", "ct", "CT")]
    lake.write("feature_sets", None, [row("feature_sets", feature_set_id=i, name=n, modality=m) for i, n, m in sets])
    definitions = [row("feature_definitions", feature_name=name) for name in ("original_a", "original_b")]
    lake.write("feature_definitions", None, definitions)
    for number, patient in enumerate(patients, start=1):
        write_patient(lake, patient, number, has_tumour=patient != patients[-1])


def write_patient(lake: Lake, patient: str, number: int, *, has_tumour: bool = True) -> None:
    """Write every table of one patient that has rows."""
    where = {"patient_id": patient, "scan_id": "2020-01-02_ab", "protocol_id": "suv4"}
    lake.write("patients", patient, [row("patients", patient_id=patient)])
    scan = row("scans", patient_id=patient, scan_id=where["scan_id"], scan_date=dt.date(2020, 1, 2), manufacturer="GE")
    lake.write("scans", patient, [scan])
    lesions = [("L01", 2.0 * number), ("L02", 1.0)] if has_tumour else []
    lake.write(
        "lesions",
        patient,
        [
            row("lesions", **where, lesion_id=lesion, modality=modality, organ="liver", volume_ml=volume)
            for lesion, volume in lesions
            for modality in ("PT", "CT")
        ],
    )
    total = sum(volume for _, volume in lesions)
    uptake = {"suv_max": 9.0, "suv_mean": 5.0} if has_tumour else {}
    regions = [("patient", "all"), ("organ", "liver")] if has_tumour else [("patient", "all")]
    metrics = [
        row(
            "pet_metrics",
            **where,
            grain=grain,
            region=region,
            n_lesions=len(lesions),
            volume_ml=total,
            total_lesion_expression_ml=total * 5.0,
            **uptake,
        )
        for grain, region in regions
    ]
    lake.write("pet_metrics", patient, metrics)
    features = [
        row(
            "radiomic_features",
            **where,
            lesion_id=lesion,
            feature_set_id=i,
            feature_name=f,
            value=volume,
            status="COMPUTED",
        )
        for lesion, volume in lesions
        for i in ("pet-1", "ct-1")
        for f in ("original_a", "original_b")
    ]
    lake.write("radiomic_features", patient, features)
    clinical = [
        row("clinical", patient_id=patient, variable="age_years", kind="number", value_number=60.0 + number, unit="a"),
        row("clinical", patient_id=patient, variable="sex", kind="category", value_text="FM"[number % 2]),
        row("clinical", patient_id=patient, variable="first_cycle", kind="date", value_date=dt.date(2020, 2, number)),
    ]
    lake.write("clinical", patient, clinical)
    outcome = row("endpoints", patient_id=patient, endpoint="OS", duration_days=100 * number, event=number % 2)
    lake.write("endpoints", patient, [outcome])
