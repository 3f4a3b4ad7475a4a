"""A recipe is the words of a command: one form for equal analyses, and nothing that is no part of an analysis."""

from __future__ import annotations

import pytest

from analyses.requests.recipe import Recipe
from petct.errors import SurvivalError


def test_equal_analyses_are_equal_recipes_whatever_order_and_defaults_they_were_written_in() -> None:
    first = Recipe("km", (("trend", ""), ("by", "grade"), ("split", "median"), ("correction", "holm")))
    assert first == Recipe.of("km", by="grade", trend=True, pairwise=False, tau=None)
    assert first.options == (("by", "grade"), ("trend", ""))
    assert first.arguments(("sex=F|M",)) == ("km", "--by", "grade", "--trend", "--where", "sex=F|M")
    assert first.command_line(("sex=F|M",)) == "petlake km --by grade --trend --where 'sex=F|M'"


def test_numbers_lists_and_pairs_are_written_as_the_command_line_reads_them() -> None:
    recipe = Recipe.of("cox", covariates=["age", "grade"], reference=["grade=G2", "sex=F"], ridge_strength=0.5)
    assert recipe.options == (
        ("covariates", "age,grade"),
        ("reference", "grade=G2"),
        ("reference", "sex=F"),
        ("ridge-strength", "0.5"),
    )
    assert recipe.names("covariates") == ("age", "grade")
    assert recipe.values("reference") == ("grade=G2", "sex=F")
    assert Recipe.of("km", tau=1095.75, from_landmark=90.0).options == (("tau", "1095.75"), ("from-landmark", "90"))
    assert float(dict(Recipe.of("km", tau=1 / 3).options)["tau"]) == 1 / 3


def test_columns_are_all_that_the_recipe_names() -> None:
    recipe = Recipe.of("cox", covariates=["a", "b"], added=["c"], strata=["d"], subgroups=["a"], cluster="e", entry="f")
    assert recipe.columns == ("a", "b", "c", "d", "e", "f")
    assert Recipe.of("scan", features=["x", "y"], adjust_for=["z"]).columns == ("x", "y", "z")


@pytest.mark.parametrize(
    ("code", "command", "options"),
    [
        ("RECIPE_COMMAND_UNKNOWN", "sql", ()),
        ("RECIPE_OPTION_UNKNOWN", "km", (("covariate", "age"),)),
        ("RECIPE_OPTION_UNKNOWN", "pca", (("umap", "file"),)),
        ("RECIPE_OPTION_REPEATED", "km", (("by", "age"), ("by", "grade"))),
    ],
)
def test_what_is_no_recipe_is_refused(code: str, command: str, options: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(SurvivalError) as refused:
        Recipe(command, options)
    assert refused.value.code == code
