"""Requests by chance: every option of an analysis is given or not, with values of its shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from analyses.requests.options import Choice, Flag, Listed, Option, Pairs, Real, Whole, options_of
from analyses.requests.request import Request
from petct.errors import SurvivalError

MOST_GIVEN = 5

_WORDS = st.text(min_size=1, max_size=12).filter(str.strip)
_SPLITS = st.one_of(
    st.sampled_from(["median", "tertiles", "quartiles", "category", "optimal", "quantiles:2", "quantiles:7"]),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=3).map(
        lambda cuts: ",".join(map(repr, cuts))
    ),
)
_WEIGHTS = st.lists(st.sampled_from(["peto-peto", "gehan-breslow", "tarone-ware", "0:1", "0.5:0"]), max_size=3)


def requests(kind: type[Request], given: Mapping[str, st.SearchStrategy[Any]] | None = None) -> st.SearchStrategy[Any]:
    """Requests of a kind; ``given`` are other values for some of its fields, None for fields that are left alone."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Request:
        options = {each.field: each for each in options_of(kind)}
        free = sorted(set(options) - {name for name, strategy in (given or {}).items() if strategy is None})
        required = [name for name in free if options[name].required]
        chosen = draw(st.lists(st.sampled_from(free), unique=True, max_size=MOST_GIVEN))
        fields: dict[str, Any] = {}
        for name in dict.fromkeys((*required, *chosen)):
            strategy = (given or {}).get(name)
            fields[name] = draw(values(options[name], fields) if strategy is None else strategy)
        try:
            return kind(**fields)
        except SurvivalError:
            reject()

    return drawn()


def values(option: Option, fields: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values of an option; ``fields`` are those that were drawn before."""
    shape = option.shape
    if option.name == "split":
        return _SPLITS
    if option.name == "weights":
        return _WEIGHTS.map(tuple)
    if isinstance(shape, Flag):
        return st.booleans()
    if isinstance(shape, Choice):
        return st.sampled_from(shape.words)
    if isinstance(shape, Whole):
        return st.integers(shape.least, shape.most)
    if isinstance(shape, Real):
        return st.floats(allow_nan=False, allow_infinity=False)
    if isinstance(shape, Listed):
        inner = _WORDS
        if isinstance(shape.each, Real):
            inner = st.floats(allow_nan=False, allow_infinity=False)
        elif isinstance(shape.each, Choice):
            inner = st.sampled_from(shape.each.words)
        return st.lists(inner, min_size=option.required, max_size=3, unique=True).map(tuple)
    if isinstance(shape, Pairs):
        said = st.sampled_from(shape.value.words) if isinstance(shape.value, Choice) else _WORDS
        return _pairs(fields.get("covariates", ()), said)
    return _WORDS


def _pairs(names: Sequence[str], said: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    if not names:
        return st.just(())
    return st.lists(st.tuples(st.sampled_from(names), said), max_size=3, unique_by=lambda pair: pair[0]).map(tuple)
