"""Table 1: counts, quartiles and standardised differences against hand calculation, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from petct.errors import SurvivalError
from petct.survival.cohort.groups import split_by_category, split_by_quantiles
from petct.survival.cohort.table_one import (
    BaselineCategory,
    BaselineNumber,
    CategoryCell,
    NumberCell,
    table_one,
    table_one_texts,
)
from tests.some import some

GROUPS = split_by_category(["A"] * 4 + ["B"] * 4 + [None], "arm")
AGE = BaselineNumber("Age", [60, 62, 64, 66, 61, 65, 69, np.nan, 99], "year")
SEX = BaselineCategory("Sex", ["F", "F", "M", "M", "F", "M", "M", "M", "F"])


def test_a_number_has_quartiles_and_a_category_counts_in_all_and_by_group() -> None:
    table = table_one(9, [AGE, SEX], GROUPS)
    age, sex = table.rows

    assert (table.n, table.n_missing, table.groups, table.group_sizes) == (8, 1, ("A", "B"), (4, 4))
    # Quartiles as R's quantile(c(60, 62, 64, 66)) gives them.
    assert age.by_group[0] == NumberCell(4, 0, 63.0, 61.5, 64.5, 63.0, pytest.approx(2.581988897))
    assert (age.by_group[1].n, age.by_group[1].n_missing, age.overall.n) == (3, 1, 7)
    assert sex.by_group == (CategoryCell(4, 0, (2, 2)), CategoryCell(4, 0, (1, 3)))
    assert sex.levels == ("F", "M")


def test_standardised_differences_are_those_of_austin_and_of_yang_and_dalton() -> None:
    age, sex = table_one(9, [AGE, SEX], GROUPS).rows
    # |63 - 65| / sqrt((6.667 + 16) / 2), and |0.5 - 0.25| / sqrt((0.25 + 0.1875) / 2).
    assert age.standardised_difference == pytest.approx(2 / np.sqrt((20 / 3 + 16) / 2))
    assert sex.standardised_difference == pytest.approx(0.25 / np.sqrt(0.21875))


@given(st.lists(st.sampled_from("abc"), min_size=30, max_size=60))
def test_the_difference_of_a_category_does_not_depend_on_the_order_of_its_levels(values: Any) -> None:
    half = len(values) // 2
    groups = split_by_category(["A"] * half + ["B"] * (len(values) - half), "arm")
    found = [
        table_one(len(values), [BaselineCategory("x", values, levels)], groups).rows[0].standardised_difference
        for levels in ("abc", "cba", "bca")
    ]
    assert found[0] is None or found == pytest.approx([found[0]] * 3)


def test_of_three_groups_the_largest_difference_of_any_two_stands() -> None:
    values = np.arange(30.0)
    groups = split_by_quantiles(values, 3, "volume", "ml")
    table = table_one(30, [BaselineNumber("volume", values)], groups)
    spread = np.arange(10.0).std(ddof=1)
    assert table.rows[0].standardised_difference == pytest.approx(20 / spread)
    assert "largest of any two groups" in " ".join(table.notes)


def test_without_groups_there_is_one_column_and_no_difference() -> None:
    table = table_one(9, [AGE, SEX])
    assert table.groups == ()
    assert all(row.by_group == () and row.standardised_difference is None for row in some(table.rows))
    assert table_one_texts(table)[0] == ("", "all (n = 9)")


def test_as_papers_print_it() -> None:
    assert table_one_texts(table_one(9, [AGE, SEX], GROUPS)) == (
        ("", "all (n = 8)", "A (n = 4)", "B (n = 4)", "SMD"),
        ("Age (year)", "64 (61.5 to 65.5)", "63 (61.5 to 64.5)", "65 (63 to 67)", "0.59"),
        ("  missing", "1", "0", "1", ""),
        ("Sex", "", "", "", "0.53"),
        ("  F", "3 (38 %)", "2 (50 %)", "1 (25 %)", ""),
        ("  M", "5 (62 %)", "2 (50 %)", "3 (75 %)", ""),
    )


def test_what_cannot_be_given_is_a_dash_and_not_a_number() -> None:
    groups = split_by_category(["A", "A", "B", "B"], "arm")
    empty = BaselineNumber("x", [np.nan, np.nan, 1.0, 2.0])
    constant = BaselineNumber("y", [1.0, 1.0, 2.0, 2.0])
    separated = BaselineCategory("z", ["u", "u", "v", "v"])
    rows = table_one(4, [empty, constant, separated], groups).rows
    assert [row.standardised_difference for row in rows] == [None, None, None]
    assert table_one_texts(table_one(4, [empty], groups))[1] == (
        "x",
        "1.5 (1.25 to 1.75)",
        "-",
        "1.5 (1.25 to 1.75)",
        "-",
    )


@pytest.mark.parametrize(
    ("code", "variables", "groups"),
    [
        ("TABLE_ONE_LENGTH", [BaselineNumber("x", [1.0, 2.0])], None),
        ("TABLE_ONE_LENGTH", [BaselineCategory("x", ["a"])], None),
        ("TABLE_ONE_NOT_FINITE", [BaselineNumber("x", [1.0, np.inf, 2.0])], None),
        ("TABLE_ONE_LEVEL_UNKNOWN", [BaselineCategory("x", ["a", "b", None], ("a",))], None),
        ("GROUPING_LENGTH", [], GROUPS),
    ],
)
def test_refusals(code: str, variables: Any, groups: Any) -> None:
    with pytest.raises(SurvivalError) as refused:
        table_one(3, variables, groups)
    assert refused.value.code == code


def test_nobody_to_describe_is_refused() -> None:
    with pytest.raises(SurvivalError) as refused:
        table_one(0, [])
    assert refused.value.code == "TABLE_ONE_EMPTY"
