"""A request is one value: one form for equal analyses, equal in words and JSON, refused by all ways in or none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from analyses.requests.cox import CoxRequest
from analyses.requests.kaplan_meier import KaplanMeierRequest
from analyses.requests.known import parse, request_of, request_of_json
from analyses.requests.screen import ScreenRequest
from petct.errors import SurvivalError


def test_equal_analyses_are_equal_requests_whatever_order_and_defaults_they_were_written_in() -> None:
    first = request_of("km", (("trend", ""), ("by", "grade"), ("split", "median"), ("correction", "holm")))
    assert first == KaplanMeierRequest("grade", trend=True)
    assert first.pairs == (("by", "grade"), ("trend", ""))
    assert first.words(("sex=F|M",)) == ("km", "--by", "grade", "--trend", "--where", "sex=F|M")
    assert first.command_line(("sex=F|M",)) == "petlake km --by grade --trend --where 'sex=F|M'"
    assert KaplanMeierRequest("x", "5,20.0") == KaplanMeierRequest("x", " 5.0, 20")
    assert KaplanMeierRequest("x", order=("G1", "G2")) == KaplanMeierRequest("x", "category", ("G1", "G2"))


def test_numbers_lists_and_pairs_are_written_as_the_command_line_reads_them() -> None:
    request = CoxRequest(("age", "grade"), references=(("grade", "G2"), ("age", "F")), ridge_strength=0.5)
    assert request.pairs == (
        ("covariates", "age,grade"),
        ("reference", "grade=G2"),
        ("reference", "age=F"),
        ("ridge-strength", "0.5"),
    )
    assert KaplanMeierRequest(tau=1095.75, from_landmark=90.0).pairs == (("tau", "1095.75"), ("from-landmark", "90"))
    assert float(dict(KaplanMeierRequest(tau=1 / 3).pairs)["tau"]) == 1 / 3


def test_columns_are_all_that_the_request_names() -> None:
    request = CoxRequest(("a", "b"), strata=("c", "d"), cluster="e", entry="f")
    assert set(request.columns) == set("abcdef")
    assert len(request.columns) == 6
    assert CoxRequest(("a",), subgroups=("a", "g")).columns == ("a", "g")
    assert ScreenRequest(features=("x", "y"), adjust_for=("z",)).columns == ("x", "y", "z")


def test_analyses_that_an_earlier_version_saved_are_still_read() -> None:
    saved = (("features", "x,y"), ("adjust-for", "z"), ("seed", "4"), ("permutations", ""))
    assert request_of("scan", saved) == ScreenRequest(features=("x", "y"), adjust_for=("z",), seed=4)
    assert parse(["scan", "--seed", "4"]) == ScreenRequest(seed=4)


def test_names_with_commas_and_equals_signs_survive_their_way_through_words() -> None:
    odd = ("a,b", '"quoted" name', " spaces ", "x=y", "--by", 'odd "name"')
    request = CoxRequest(odd, references=(("x=y", "1=2,3"),), scale_of=(("a,b", "as_is"),))
    assert parse(request.words()) == request
    assert request_of_json(json.loads(json.dumps(request.as_json()))) == request


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("RECIPE_COMMAND_UNKNOWN", "sql"),
        ("RECIPE_OPTION_UNKNOWN", "km --covariate age"),
        ("RECIPE_OPTION_UNKNOWN", "pca --umap file"),
        ("RECIPE_OPTION_REPEATED", "km --by age --by grade"),
        ("OPTION_INVALID", "km --by"),
        ("OPTION_INVALID", "km --trend=yes"),
        ("OPTION_INVALID", "km --tau nan"),
        ("OPTION_INVALID", "cox --covariates a --knots 9"),
        ("OPTION_INVALID", "cox --covariates a --impute 1.5"),
        ("OPTION_INVALID", "cox --covariates a --penalty lasso"),
        ("OPTION_MISSING", "cox"),
        ("SPLIT_UNKNOWN", "km --by x --split 5,,20"),
        ("SPLIT_UNKNOWN", "km --by x --split halves"),
        ("SPLIT_OPTIMAL_UNAVAILABLE", "km --split optimal"),
        ("SPLIT_OPTIMAL_UNAVAILABLE", "km --by x --competing --split optimal"),
        ("TIME_INVALID", "km --landmarks 365,later"),
        ("WEIGHTING_UNKNOWN", "km --by x --weights early"),
        ("OPTION_NOT_WITH_COMPETING", "km --by x --competing --trend"),
        ("OPTION_NEEDS_COMPETING", "km --covariates x"),
        ("REFERENCE_INVALID", "cox --covariates a --reference G1"),
        ("REFERENCE_INVALID", "cox --covariates a --reference b=G1"),
        ("SCALE_INVALID", "cox --covariates a --scale-of a=per_mile"),
        ("OPTIONS_CONFLICT", "cox --covariates a --univariable --impute 3"),
        ("VALIDATION_UNSUPPORTED", "cox --covariates a --strata b --horizon 365"),
    ],
)
def test_what_is_no_analysis_is_refused(code: str, words: str) -> None:
    with pytest.raises(SurvivalError) as refused:
        parse(words.split())
    assert refused.value.code == code


@pytest.mark.parametrize(
    "way",
    [
        lambda: KaplanMeierRequest("x", "5,,20"),
        lambda: request_of("km", [("by", "x"), ("split", "5,,20")]),
        lambda: request_of_json({"command": "km", "variable": "x", "split": "5,,20"}),
    ],
)
def test_a_split_with_a_gap_is_refused_by_every_way_in(way: Callable[[], Any]) -> None:
    with pytest.raises(SurvivalError, match="SPLIT_UNKNOWN"):
        way()


def test_only_what_needs_no_choice_is_no_other_test() -> None:
    for plain in (
        KaplanMeierRequest("x"),
        KaplanMeierRequest("x", "category", tau=900.0, trend=True, weights=("0:1",)),
        CoxRequest(("x",), scale="per_doubling", permutations=99, seed=3, transform="rank", horizon=365.0),
        CoxRequest(("x",), univariable=True),
    ):
        assert not plain.is_another_test, plain
    for other in (
        KaplanMeierRequest("x", "tertiles"),
        KaplanMeierRequest("x", "optimal"),
        KaplanMeierRequest("x", competing=True),
        KaplanMeierRequest("x", entry="e"),
        KaplanMeierRequest("x", from_landmark=90.0),
        CoxRequest(("x",), strata=("s",)),
        CoxRequest(("x",), scale_of=(("x", "per_doubling"),)),
        CoxRequest(("x",), therapy_start="x"),
        CoxRequest(("x",), penalty="firth"),
        ScreenRequest(features=("x",)),
    ):
        assert other.is_another_test, other


def test_conditions_are_told_in_the_words_of_the_ledger() -> None:
    assert KaplanMeierRequest("x", entry="late", from_landmark=90.0).conditions == ("entry late", "from 90 on")
    request = CoxRequest(("a", "b"), strata=("s",), robust=True, splines=("a",), knots=4, references=(("b", "G2"),))
    assert request.conditions == ("splines a with 4 knots", "references b=G2", "strata s", "robust")
