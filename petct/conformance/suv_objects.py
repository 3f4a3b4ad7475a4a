"""The table of the 58 SUV reference objects (``suv_objects.yaml``), read into records."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPECTED_SUV = (0.20, 1.00, 4.00)
"""Minimum, median and maximum inside the mask of every object that has an SUV."""

HeaderValue = str | list[str]


@dataclass(frozen=True)
class Bed:
    """The slices of one half of an object.

    Attributes
    ----------
    frame_reference_ms, duration_ms
        Frame Reference Time and Actual Frame Duration as the header writes them; None where it does not.
    """

    acquired: str
    frame_reference_ms: str | None
    duration_ms: str | None


@dataclass(frozen=True)
class PrivateElement:
    """A private element: group, creator, last two digits of the element, value representation, value."""

    group: int
    creator: str
    offset: int
    vr: str
    value: str


@dataclass(frozen=True)
class SuvObject:
    """One reference object.

    Attributes
    ----------
    id, description
        As in ``DRO_list.csv``.
    header
        Keyword -> value of the image and of its Radiopharmaceutical Information Sequence.
    one_suv
        For the lower and the upper half: what an SUV of 1 is in the units of the image.
    beds
        The lower and the upper half.
    slopes
        Rescale Slope, and that of the fifth of the slices in the middle.
    private
        Private elements of every slice.
    refusal
        The code of the refusal that is right; None where the object has an SUV.
    enhanced
        Enhanced PET Image Storage: one file of many frames.
    """

    id: str
    description: str
    header: Mapping[str, HeaderValue]
    one_suv: tuple[float, float]
    beds: tuple[Bed, Bed]
    slopes: tuple[float, float]
    private: tuple[PrivateElement, ...]
    refusal: str | None
    enhanced: bool


@cache
def suv_objects() -> Mapping[str, SuvObject]:
    """All 58 objects by id, in the order of the list."""
    whole = _table()
    return {name: _object(name, entry, whole["base"]) for name, entry in whole["objects"].items()}


def suv_object(object_id: str) -> SuvObject | None:
    """An object by its id in the current list or in the first version of the set; None when it is in neither."""
    return suv_objects().get(_table()["first_version"].get(object_id, object_id))


@cache
def _table() -> Mapping[str, Any]:
    text = resources.files("petct.conformance").joinpath("suv_objects.yaml").read_text(encoding="utf-8")
    table: Mapping[str, Any] = yaml.safe_load(text)
    return table


def _object(name: str, entry: Mapping[str, Any], base: Mapping[str, Any]) -> SuvObject:
    header = {**base["header"], **entry.get("header", {})}
    one_suv = entry.get("one_suv", base["one_suv"])
    lower, upper = entry.get("beds", base["beds"])
    outer, middle = entry.get("slopes", base["slopes"])
    return SuvObject(
        id=name,
        description=entry["is"],
        header={keyword: value for keyword, value in header.items() if value is not None},
        one_suv=(one_suv[0], one_suv[1]) if isinstance(one_suv, list) else (one_suv, one_suv),
        beds=(Bed(*lower), Bed(*upper)),
        slopes=(outer, middle),
        private=tuple(PrivateElement(*element) for element in entry.get("private", ())),
        refusal=entry.get("refusal"),
        enhanced=entry.get("enhanced", False),
    )
