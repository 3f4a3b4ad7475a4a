"""The answer of a query's process as JSON: who reads it may meet any text and number, and no code.

What JSON does not have is an object with one key, the name of the kind: ``{"decimal": "1.50"}``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from warehouse.errors import WarehouseError
from warehouse.queries.select_only import QueryResult

_PLAIN = (str, int, float, bool, type(None))
# The kinds of DuckDB's Python values, each with its way into text and back.
_TEXTS: dict[type, tuple[str, Callable[..., str], Callable[[str], object]]] = {
    Decimal: ("decimal", str, Decimal),
    date: ("date", date.isoformat, date.fromisoformat),
    datetime: ("datetime", datetime.isoformat, datetime.fromisoformat),
    time: ("time", time.isoformat, time.fromisoformat),
    UUID: ("uuid", str, UUID),
    bytes: ("bytes", lambda value: base64.b64encode(value).decode("ascii"), base64.b64decode),
}
_FROM_TEXT = {name: read for name, _, read in _TEXTS.values()}


def encode(outcome: QueryResult | WarehouseError) -> bytes:
    """Return a result or a refusal as JSON."""
    if isinstance(outcome, WarehouseError):
        said: dict[str, object] = {"refusal": vars(outcome)}
    else:
        said = {
            "columns": outcome.columns,
            "types": outcome.types,
            "rows": encoded_rows(outcome.rows),
            "truncated": outcome.truncated,
        }
    return json.dumps(said).encode("ascii")


def decode(answer: bytes) -> QueryResult | WarehouseError:
    """Return what was encoded; raises ValueError where the answer is not whole."""
    said = json.loads(answer)
    if "refusal" in said:
        return WarehouseError(**said["refusal"])
    rows = tuple(tuple(_decoded(cell) for cell in row) for row in said["rows"])
    return QueryResult(tuple(said["columns"]), tuple(said["types"]), rows, bool(said["truncated"]))


def encoded_rows(rows: Iterable[Sequence[object]]) -> list[list[object]]:
    """Return rows of DuckDB's Python values as lists of what JSON has."""
    return [[cell if type(cell) in _PLAIN else _encoded(cell) for cell in row] for row in rows]


def _encoded(value: object) -> object:
    if isinstance(value, _PLAIN):
        return value
    if type(value) in _TEXTS:
        name, write, _ = _TEXTS[type(value)]
        return {name: write(value)}
    if isinstance(value, timedelta):
        return {"timedelta": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, list):
        return [_encoded(each) for each in value]
    if isinstance(value, tuple):
        return {"tuple": [_encoded(each) for each in value]}
    if isinstance(value, dict):
        return {"dict": [[_encoded(key), _encoded(each)] for key, each in value.items()]}
    # A kind that a later DuckDB may bring.
    return str(value)


def _decoded(value: object) -> object:
    if isinstance(value, list):
        return [_decoded(each) for each in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "timedelta":
        days, seconds, microseconds = inner
        return timedelta(days, seconds, microseconds)
    if kind == "tuple":
        return tuple(_decoded(each) for each in inner)
    if kind == "dict":
        return {_decoded(key): _decoded(each) for key, each in inner}
    return _FROM_TEXT[kind](inner)
