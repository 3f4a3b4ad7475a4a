"""Frozen dataclasses as JSON and back, exactly: what was fitted once is applied unchanged elsewhere."""

from __future__ import annotations

import json
from typing import TypeVar

from petct.errors import FeatureError
from petct.survival.cohort.results import as_dict

T = TypeVar("T")


def write_json(fitted: object) -> str:
    """Return a dataclass of plain values as JSON; numbers keep every bit."""
    return json.dumps(as_dict(fitted), allow_nan=False)


def read_json(kind: type[T], text: str | bytes) -> T:
    """Return the dataclass that ``write_json`` wrote.

    Raises
    ------
    FeatureError
        JSON_INVALID when the text is not such an object, or one of its fields is not what it must be.
    """
    # Loaded here: most commands read no fitted object, and pydantic takes a moment.
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FeatureError(
            "JSON_INVALID",
            f"This is not a {kind.__name__} as petlake writes it",
            keyword=where or None,
            found=first["msg"],
            hint="Use the file as it was written; fit it again when it comes from another version.",
        ) from None
