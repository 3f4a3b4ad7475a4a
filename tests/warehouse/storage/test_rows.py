"""Rows: what is refused, what comes back, and what the digest depends on."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import make_dataclass, replace
from enum import StrEnum
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.columns import About
from records.table import Table
from tests.warehouse.study_rows import ROW_TYPES, row, rows_of, values_of
from warehouse.errors import WarehouseError
from warehouse.registry.tables import TABLES
from warehouse.storage.rows import arrow_schema, digest, from_arrow, to_arrow

NAMES = st.sampled_from(sorted(TABLES))


def digest_of(table: str, rows: list[Any]) -> str:
    return digest(TABLES[table], to_arrow(TABLES[table], rows))


@given(st.data(), NAMES)
def test_rows_come_back_as_they_were_written_ordered_by_key(data: st.DataObject, name: str) -> None:
    rows = data.draw(rows_of(name))
    table = TABLES[name]

    found = from_arrow(table, to_arrow(table, rows), ROW_TYPES[name])

    assert sorted(map(repr, found)) == sorted(repr(with_positive_zero(r)) for r in rows)
    keys = [tuple((getattr(r, k) is None, getattr(r, k)) for k in table.key) for r in found]
    assert keys == sorted(keys)


def with_positive_zero(some_row: Any) -> Any:
    zeros = {name: 0.0 for name, value in vars(some_row).items() if isinstance(value, float) and value == 0}
    return replace(some_row, **zeros)


@given(st.data(), NAMES, st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_the_order_of_rows(data: st.DataObject, name: str, rng: random.Random) -> None:
    rows = data.draw(rows_of(name))
    shuffled = rng.sample(rows, len(rows))

    assert digest_of(name, rows) == digest_of(name, shuffled)


@given(st.data(), NAMES)
def test_the_digest_depends_on_every_identity_value_and_on_no_other(data: st.DataObject, name: str) -> None:
    table = TABLES[name]
    rows = data.draw(rows_of(name, min_size=1))
    position = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from(table.columns))
    old = getattr(rows[position], column.name)
    new = data.draw(values_of(column).filter(lambda value: value != old))
    changed = [*rows[:position], replace(rows[position], **{column.name: new}), *rows[position + 1 :]]
    keys = {tuple(getattr(r, k) for k in table.key) for r in changed}
    if len(keys) < len(changed):
        return

    assert (digest_of(name, rows) != digest_of(name, changed)) is column.identity


@given(st.data(), NAMES)
def test_the_digest_does_not_depend_on_how_arrow_holds_the_rows(data: st.DataObject, name: str) -> None:
    table = TABLES[name]
    arrow = to_arrow(table, data.draw(rows_of(name)))
    pieces = pa.concat_tables([arrow.slice(i, 1) for i in range(arrow.num_rows)] or [arrow])
    padded = pa.concat_tables([arrow, arrow]).combine_chunks().slice(arrow.num_rows)

    assert digest(table, arrow) == digest(table, pieces) == digest(table, padded)


def test_values_cannot_move_between_neighbouring_texts_unseen() -> None:
    one = row("protocols", protocol_id="p", name="ab", description="c")
    other = row("protocols", protocol_id="p", name="a", description="bc")

    assert digest_of("protocols", [one]) != digest_of("protocols", [other])


def test_no_value_is_not_an_empty_text_nor_a_zero() -> None:
    none, empty = (row("series", series_description=value) for value in (None, ""))
    assert digest_of("series", [none]) != digest_of("series", [empty])
    none, zero = (row("suv", half_life_s=value) for value in (None, 0.0))
    assert digest_of("suv", [none]) != digest_of("suv", [zero])


def test_a_table_without_rows_has_a_digest_of_its_own() -> None:
    assert len({digest_of(name, []) for name in TABLES}) == len(TABLES)


def test_the_digest_is_the_same_in_every_release() -> None:
    # Every snapshot id depends on it: when this changes, the CHANGELOG says so.
    types = {"key": str, "n": int, "x": float, "b": bool, "d": dt.date, "t": dt.datetime}
    row_type: Any = make_dataclass(
        "row_type", [(name, Annotated[of | None, About("")]) for name, of in types.items()], frozen=True
    )
    table = Table("t", row_type, "g", "r", ("key",))
    rows = [
        row_type("ä", 2**62, -0.5, True, dt.date(1969, 12, 31), dt.datetime(2020, 1, 2, 3, 4, 5, 6)),
        row_type("", None, None, None, None, None),
    ]

    assert digest(table, to_arrow(table, rows)) == "62275622167a5923b63aba6796b8b0fc5656a263001e306262f580743fd88e54"


def test_negative_zero_is_zero() -> None:
    plus, minus = (row("suv", half_life_s=value) for value in (0.0, -0.0))
    assert digest_of("suv", [plus]) == digest_of("suv", [minus])


def test_the_schema_tells_type_unit_and_meaning() -> None:
    schema = arrow_schema(TABLES["suv"])
    field = schema.field("half_life_s")

    assert field.type == pa.float64()
    assert field.nullable
    assert field.metadata[b"unit"] == b"s"
    assert b"0018,1075" in field.metadata[b"description"]
    assert not schema.field("patient_id").nullable


class Sex(StrEnum):
    FEMALE = "F"


@pytest.mark.parametrize(
    ("column", "value", "stored"),
    [
        ("patient_sex", Sex.FEMALE, "F"),
        ("half_life_s", 4058, 4058.0),
        ("half_life_s", np.float64(4057.7), 4057.7),
    ],
)
def test_values_of_the_same_meaning_are_taken_as_the_type_of_the_column(
    column: str, value: object, stored: object
) -> None:
    table = TABLES["suv"]
    found = getattr(from_arrow(table, to_arrow(table, [row("suv", **{column: value})]), ROW_TYPES["suv"])[0], column)

    assert (type(found), found) == (type(stored), stored)


WRONG: list[tuple[str, str, object]] = [
    ("suv", "units", None),
    ("suv", "units", 5),
    ("suv", "units", b"BQML"),
    ("suv", "units", "\ud800"),
    ("suv", "suv_max", float("nan")),
    ("suv", "suv_max", float("inf")),
    ("suv", "suv_max", True),
    ("suv", "suv_max", "4.0"),
    ("suv", "suv_max", 2**53 + 1),
    ("suv", "suv_max", np.float32(4.0)),
    ("suv", "half_life_s", float("-inf")),
    ("suv", "administration_datetime", dt.date(2020, 1, 1)),
    ("suv", "administration_datetime", dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
    ("suv", "administration_datetime", "2020-01-01"),
    ("patients", "n_files", 1.0),
    ("patients", "n_files", True),
    ("patients", "n_files", 2**63),
    ("patients", "n_files", np.int64(1)),
    ("patients", "has_pet", 1),
    ("patients", "has_pet", None),
    ("scans", "scan_date", dt.datetime(2020, 1, 1)),
]


@pytest.mark.parametrize(("table", "column", "value"), WRONG)
def test_a_wrong_value_is_refused_with_its_column(table: str, column: str, value: object) -> None:
    good = row(table, patient_id="001")
    with pytest.raises(WarehouseError) as refused:
        to_arrow(TABLES[table], [good, replace(good, patient_id="002", **{column: value})])

    assert refused.value.code == "VALUE_INVALID"
    assert refused.value.keyword == f"{table}.{column}"


def test_two_rows_with_one_key_are_refused() -> None:
    with pytest.raises(WarehouseError, match=r"KEY_DUPLICATE.*variable=age") as refused:
        to_arrow(
            TABLES["clinical"], [row("clinical", variable="age"), row("clinical", variable="age", value_number=2.0)]
        )
    assert refused.value.keyword == "clinical"


def test_a_missing_key_part_is_a_key_part() -> None:
    table = TABLES["qc_events"]
    events = [row("qc_events", series_instance_uid=uid) for uid in ("1.2", None)]

    assert to_arrow(table, events).column("series_instance_uid").to_pylist() == ["1.2", None]
    with pytest.raises(WarehouseError, match=r"KEY_DUPLICATE"):
        to_arrow(table, [events[1], events[1]])


def test_rows_of_another_table_are_refused_with_the_fields_that_differ() -> None:
    with pytest.raises(WarehouseError) as refused:
        to_arrow(TABLES["endpoints"], [row("clinical")])

    assert refused.value.code == "ROW_FIELDS_MISMATCH"
    assert "without baseline_scan_id" in str(refused.value.found)
    assert "with kind" in str(refused.value.found)


def test_rows_cannot_be_read_as_another_table() -> None:
    with pytest.raises(WarehouseError, match=r"ROW_FIELDS_MISMATCH"):
        from_arrow(TABLES["endpoints"], to_arrow(TABLES["endpoints"], []), ROW_TYPES["clinical"])


def test_a_boolean_and_a_number_of_one_value_differ_in_the_digest() -> None:
    rows = [make_dataclass("row", [("k", Annotated[of, About("")])], frozen=True) for of in (int, bool)]
    tables = [Table("t", row, "g", "r", ("k",)) for row in rows]
    arrows = [pa.table({"k": [1]}, arrow_schema(tables[0])), pa.table({"k": [True]}, arrow_schema(tables[1]))]

    assert digest(tables[0], arrows[0]) != digest(tables[1], arrows[1])
