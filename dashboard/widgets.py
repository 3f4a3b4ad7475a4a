"""The widget of an option of an analysis: its label, help, key in the URL and choices are those of the option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from analyses.requests.options import Choice, Flag, Listed, Option, Pairs, Real, Time, Whole, option_of
from analyses.requests.request import Request
from dashboard.wording import DAYS_IN
from figures.ticks import AxisUnit

_Asked = TypeVar("_Asked", bound=Request)

_SIDE_BY_SIDE = 3
_DEFAULT = "  [default: "
_NUMBER_WIDTH = 320


def completed(request: _Asked, *fields: str, among: Mapping[str, Mapping[str, str]] | None = None) -> _Asked:
    """Draw the widgets of options side by side, and return the request with what was chosen.

    Parameters
    ----------
    request, fields
        The request, and the names of its fields.
    among
        By field, what may be chosen where only the data say it, see ``value``.

    Raises
    ------
    SurvivalError
        What the request refuses.
    """
    chosen = {}
    for place, name in zip(st.columns(len(fields), vertical_alignment="bottom"), fields, strict=True):
        with place:
            chosen[name] = value(type(request), name, among=(among or {}).get(name))
    return replace(request, **chosen)


def value(
    kind: type[Request],
    name: str,
    *,
    among: Mapping[str, str] | None = None,
    of: tuple[str, str] | None = None,
    unit: AxisUnit = "day",
    first: Any = None,
    placeholder: str | None = None,
) -> Any:
    """Draw the widget of an option, and return what was chosen as the request has it.

    Parameters
    ----------
    kind, name
        The class of requests, and the field.
    among
        What may be chosen and the words for it; those of the option where None.
    of
        Name and label of what this widget is about, where the option has one for each: ``scale_age``, Scale of Age.
    unit
        In which times are entered; they are returned in days.
    first, placeholder
        What is chosen at first, and what stands where nothing is; those of the option where None.

    Raises
    ------
    SurvivalError
        TIME_INVALID.
    """
    option = option_of(kind, name)
    if of is not None:
        option = _one_of_many(option, *of)
    text, _, default = option.help.partition(_DEFAULT)
    first = option.default if first is None else first
    empty = placeholder or default.removesuffix("]") or "none"
    offered = option.shape.offered if among is None else among
    said: dict[str, Any] = {"label": option.label, "key": option.key, "help": text.strip(), "bind": "query-params"}
    choice = {**said, "options": list(offered), "format_func": lambda word: offered.get(word, word)}
    match option.shape:
        case Flag():
            return bool(st.checkbox(value=first, **said))
        case Listed(each=Time()):
            said |= {"label": f"{option.label} ({unit}s), separated by commas", "key": f"{option.key}_{unit}"}
            return tuple(
                days(time, unit) for time in option.shape.read(st.text_input(value=first, **said), option.name)
            )
        case Listed():
            return tuple(st.multiselect(default=first, placeholder=empty, **choice))
        case Choice() if len(offered) <= _SIDE_BY_SIDE:
            return st.segmented_control(default=first, required=True, **choice)
        case Whole() | Real():
            return _number(option, {**said, "value": first, "placeholder": empty}, unit)
    index = None if first is None else list(offered).index(first)
    return st.selectbox(index=index, placeholder=empty, **choice)


def days(time: float, unit: AxisUnit) -> float:
    """Return a time as it was entered, in days."""
    return float(time) * DAYS_IN[unit]


def _number(option: Option, said: dict[str, Any], unit: AxisUnit) -> Any:
    if isinstance(option.shape, Whole):
        return st.number_input(
            min_value=option.shape.least, max_value=option.shape.most, step=1, width=_NUMBER_WIDTH, **said
        )
    if not isinstance(option.shape, Time):
        return st.number_input(width=_NUMBER_WIDTH, **said)
    said |= {"label": f"{option.label} ({unit}s)", "key": f"{option.key}_{unit}"}
    time = st.number_input(min_value=0.0, width=_NUMBER_WIDTH, **said)
    return None if time is None else days(time, unit)


def _one_of_many(option: Option, name: str, label: str) -> Option:
    """The option as it is of one variable."""
    shape = option.shape.value if isinstance(option.shape, Pairs) else option.shape
    words = tuple(shape.offered)
    first = option.default if not isinstance(option.shape, Pairs) else words[0] if words else None
    return replace(option, label=f"{option.label} of {label}", key=f"{option.key}_{name}", shape=shape, default=first)
