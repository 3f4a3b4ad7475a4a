"""Command, page, ledger, methods, checklist and bundle agree on primary or exploratory; script and command agree."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from analyses.bundle import bundle_of, first_difference
from analyses.requests.aft import AftRequest
from analyses.requests.answer import Answer
from analyses.requests.cox import CoxRequest
from analyses.requests.kaplan_meier import KaplanMeierRequest
from analyses.requests.known import REQUESTS, answer
from analyses.requests.ledger import enter
from analyses.requests.load import load
from analyses.requests.request import Request
from dashboard import notices
from dashboard.answers import answered
from dashboard.data import Source
from dashboard.survival.analysis import survival
from orchestration.cli import petlake
from petct.errors import PetctError
from petct.survival.with_lifelines import aft
from tests.analyses.requests.generated import requests
from warehouse.people.journal import ledger_of
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.catalog import current_id

EXAMPLES = int(os.environ.get("PETLAKE_EXAMPLES", "15"))
"""Requests of each analysis; `make requests` takes 200."""

_FAMILY = "pet_original__largest"
_FEATURES = tuple(f"{_FAMILY}:original_{name}" for name in ("shape_MeshVolume", "firstorder_Mean", "glcm_Contrast"))
_VOLUME, _NUMBERS, _GROUPS = "tumour_volume_ml", ("age", "ki67", "suv_max"), ("grade", "sex")
_ENDPOINTS = st.sampled_from([None, "OS", "PFS"])
_TIMES = st.sampled_from([100.0, 365.0])


def _some(*names: str) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=2).map(tuple)


# The volume is declared: it is asked for more often than anything else.
_VARIABLES = st.one_of(st.just(_VOLUME), st.sampled_from([_VOLUME, *_NUMBERS, *_GROUPS]))
_MODELS = st.one_of(st.just((_VOLUME,)), _some(_VOLUME, *_NUMBERS, *_GROUPS))
GIVEN: Mapping[str, Mapping[str, st.SearchStrategy[Any] | None]] = {
    "km": {
        "endpoint": _ENDPOINTS,
        "variable": _VARIABLES,
        "split": st.sampled_from(["median", "category", "tertiles", "quantiles:2", "60,70", "optimal"]),
        "order": None,
        "landmarks": st.lists(_TIMES, max_size=2).map(tuple),
        "tau": _TIMES,
        "entry": st.just("late_entry"),
        "from_landmark": _TIMES,
        "covariates": _some("age", "sex"),
        "permutations": None,
        "resamples": None,
    },
    "cox": {
        "endpoint": _ENDPOINTS,
        "covariates": _MODELS,
        "splines": _some("age", _VOLUME),
        "categories": _some("n_lesions"),
        "references": st.just((("grade", "G2"),)),
        "strata": st.just(("sex",)),
        "cluster": st.just("grade"),
        "entry": st.just("late_entry"),
        "therapy_start": st.just("therapy"),
        "ridge_strength": st.sampled_from([0.5, 2.0]),
        "added": _some("age", "suv_max"),
        "subgroups": st.just(("sex",)),
        "impute": st.just(2),
        "permutations": None,
        "horizon": None,
        "resamples": None,
    },
    "aft": {
        "endpoint": _ENDPOINTS,
        "covariates": st.one_of(st.just((_VOLUME,)), _some(_VOLUME, "sex")),
        "scale": None,
        "scale_of": None,
        "splines": None,
        "knots": None,
        "categories": None,
        "references": None,
        "entry": st.just("late_entry"),
        "distributions": None,
    },
    "pca": {
        "endpoint": _ENDPOINTS,
        "features": _some(*_FEATURES),
        "feature_set": st.just(_FAMILY),
        "n_in_model": st.just(1),
    },
    "screen": {
        "endpoint": _ENDPOINTS,
        "features": _some(*_FEATURES),
        "feature_set": st.just(_FAMILY),
        "adjust_for": _some("age", "grade"),
        "stability": None,
        "permutations": None,
    },
    "sensitivity": {"endpoint": _ENDPOINTS, "organ": st.sampled_from(["liver", None])},
}
# What no chance may leave out.
ALWAYS: Mapping[str, Request] = {
    "km": KaplanMeierRequest(_VOLUME, endpoint="OS"),
    "cox": CoxRequest((_VOLUME,), endpoint="OS"),
    "aft": AftRequest(endpoint="OS", covariates=(_VOLUME,)),
}
_QUICK = {
    "aft": {"distributions": ("weibull",)},
    "km": {"permutations": 19, "resamples": 5},
    "cox": {"permutations": 0},
    "screen": {"permutations": 19},
}


@dataclass(frozen=True)
class Example:
    """A request on some patients of a study whose ledger is empty, its answer, and what the command printed."""

    study: Path
    request: Request
    conditions: tuple[str, ...]
    answer: Answer
    files: Mapping[str, bytes]
    printed: Mapping[str, Any]


def of_command(example: Example) -> str | None:
    standing: str | None = example.printed["declared"]
    return standing


def of_page(example: Example) -> str | None:
    lake = example.study / "lake"
    source = Source(str(lake), current_id(lake), example.conditions)
    ask = survival if isinstance(example.request, KaplanMeierRequest) else answered
    with mock.patch.object(notices.st, "badge") as badge:
        notices.standing(ask(source, example.request).declared)
    said = {"Primary hypothesis": "primary", "Exploratory": "exploratory"}
    shown = [said[call.args[0]] for call in badge.call_args_list]
    assert len(shown) <= 1
    return shown[0] if shown else None


def of_ledger(example: Example) -> str | None:
    entries = ledger_of(example.study / "lake", str(example.answer.basis.snapshot_id)).entries
    return None if not entries else "primary" if any(each.run.primary for each in entries) else "exploratory"


def of_methods(example: Example) -> str | None:
    text = example.files["methods.md"].decode()
    said = [
        standing
        for standing, words in (
            ("primary", "is a primary hypothesis that was declared in study.yaml"),
            ("exploratory", "This analysis is exploratory"),
            (None, "Nothing was tested."),
        )
        if words in text
    ]
    assert len(said) == 1, text
    return said[0]


def of_checklist(example: Example) -> str | None:
    text = example.files["clear.md"].decode()
    said = {"primary": "This analysis is one of them.", "exploratory": "This analysis is exploratory."}
    found = [standing for standing, words in said.items() if words in text]
    assert found or "This analysis tests nothing." in text
    return found[0] if found else None


def of_bundle(example: Example) -> str | None:
    standing: str | None = json.loads(example.files["result.json"])["declared"]
    return standing


WAYS: dict[str, Callable[[Example], str | None]] = {
    "command": of_command,
    "page": of_page,
    "ledger": of_ledger,
    "methods": of_methods,
    "checklist": of_checklist,
    "bundle": of_bundle,
}


def _printed(study: Path, request: Request, conditions: tuple[str, ...]) -> dict[str, Any]:
    words = [*request.words(conditions), "--json", "--study", str(study)]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        petlake.main(words, standalone_mode=False)
    found: dict[str, Any] = json.loads(said.getvalue())
    return found


def _once(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Fit each model of lifelines once."""
    kept: dict[str, Any] = {}

    def fitted(name: str, frame: pd.DataFrame) -> Any:
        key = f"{name} {frame.to_csv()}"
        if key not in kept:
            kept[key] = fit(name, frame)
        return kept[key]

    return fitted


@pytest.fixture
def own_study(study: Path, tmp_path: Path) -> Path:
    """The study with a ledger of its own."""
    (tmp_path / "lake").mkdir()
    (tmp_path / "study.yaml").touch()
    for entry in (study / "lake").iterdir():
        if entry.name != "journal":
            (tmp_path / "lake" / entry.name).symlink_to(entry)
    return tmp_path


@pytest.mark.parametrize("command", sorted(REQUESTS))
def test_all_agree_and_the_script_has_the_numbers(
    own_study: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is drawn has no standing, and takes a second.
    monkeypatch.setattr("analyses.bundle.figure_of", lambda _: None)
    monkeypatch.setattr("analyses.bundle.rendered", lambda *_: b"")
    # lifelines takes half a second for a model, and is asked for the same ones again and again.
    monkeypatch.setattr("petct.survival.with_lifelines.aft._fit", _once(aft._fit))
    lake, standings = own_study / "lake", []
    conditions = st.one_of(st.just(()), st.integers(48, 60).map(lambda age: (f"age>={age}",)))

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @example(ALWAYS[command] if command in ALWAYS else REQUESTS[command](), ())
    @given(requests(REQUESTS[command], GIVEN[command]), conditions)
    def agree(request: Request, conditions: tuple[str, ...]) -> None:
        request = replace(request, **_QUICK.get(command, {}))
        for journal in (lake / "journal").glob("*"):
            journal.unlink()
        with open_snapshot(lake) as snapshot:
            try:
                found = answer(request, load(snapshot, request, conditions))
            except PetctError:
                assume(False)
            files = bundle_of(lake, snapshot, found, enter(lake, found), title="example", version="0")
        example = Example(own_study, request, conditions, found, files, _printed(own_study, request, conditions))
        assert {name: way(example) for name, way in WAYS.items()} == dict.fromkeys(WAYS, found.declared)
        standings.append(found.declared)

        script: dict[str, Any] = {"__name__": "analysis"}
        exec(compile(files["analysis.py"], "analysis.py", "exec"), script)
        numbers = json.loads(json.dumps(script["analyse"](lake).numbers()))
        assert first_difference(numbers, example.printed) is None

    # Open all the while: opening it takes longer than a question.
    with open_snapshot(lake):
        agree()
    assert len(standings) >= EXAMPLES / 2
    assert ("primary" in standings) == (command in ("km", "cox"))
