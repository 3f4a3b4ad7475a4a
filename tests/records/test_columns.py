"""What the fields of a row say of its columns, and that every table's rows say it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated

import pytest

from records.columns import About, Column, InCohort, Kind, Text, columns_of, own, sentence
from tests.some import some
from warehouse.registry.tables import TABLES


@dataclass(frozen=True)
class Row:
    """Every kind of column."""

    key: Annotated[str, own("Key")]
    label: Annotated[str | None, About("Label")]
    message: Annotated[str, sentence("Message")]
    n: Annotated[int, About("Count")]
    volume: Annotated[float | None, About("Volume", "ml", cohort=InCohort("v"))]
    is_there: Annotated[bool, About("Is there")]
    day: Annotated[dt.date, About("Day", identity=False)]
    moment: Annotated[dt.datetime | None, About("Moment")]


def test_type_emptiness_and_words_are_those_of_the_field() -> None:
    assert columns_of(Row) == (
        Column("Key", text=Text.OWN, name="key", kind=Kind.TEXT),
        Column("Label", name="label", kind=Kind.TEXT, nullable=True),
        Column("Message", text=Text.SENTENCE, name="message", kind=Kind.TEXT),
        Column("Count", name="n", kind=Kind.INTEGER),
        Column("Volume", "ml", cohort=InCohort("v"), name="volume", kind=Kind.NUMBER, nullable=True),
        Column("Is there", name="is_there", kind=Kind.BOOLEAN),
        Column("Day", identity=False, name="day", kind=Kind.DATE),
        Column("Moment", name="moment", kind=Kind.DATETIME, nullable=True),
    )


def test_a_text_that_does_not_say_who_writes_it_is_searched_for_signs_of_identity() -> None:
    assert About("a column that somebody forgot to think about").text is Text.LABEL


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_column_of_a_table_is_described(name: str) -> None:
    columns = TABLES[name].columns
    assert re.fullmatch(r"[A-Z].+\.", TABLES[name].description)
    assert len(columns) > 3
    for column in some(columns):
        assert column.description
        assert column.named_by is None or column.named_by in {other.name for other in columns}
        assert column.cohort is None or name in ("scans", "suv", "pet_metrics")
        # Of its kind alone: a unit says nothing of a text, and who writes it nothing of a number.
        assert column.unit is None or column.kind in (Kind.NUMBER, Kind.INTEGER)
        assert column.text is Text.LABEL or column.kind is Kind.TEXT
