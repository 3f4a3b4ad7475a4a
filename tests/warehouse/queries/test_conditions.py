"""Conditions: one text for each, whatever they are written like, and refusals that say what was expected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.errors import WarehouseError
from warehouse.queries.conditions import Condition, Operator

WORDS = st.text(min_size=1, max_size=8) | st.sampled_from(
    ["grade", "a<=b", "x|y", "\\", " ", "a ", "?", "12", "ki67 %"]
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    column, operator = draw(WORDS), draw(st.sampled_from(Operator))
    if operator is Operator.KNOWN:
        return Condition.of(column, operator)
    if operator.is_comparison:
        return Condition.of(column, operator, draw(NUMBERS))
    return Condition.of(column, operator, *draw(st.lists(WORDS, min_size=1, max_size=4)))


@given(conditions())
def test_the_text_of_a_condition_is_read_as_the_same_condition(condition: Condition) -> None:
    assert Condition.parse(condition.text) == condition
    assert Condition.parse(condition.text).text == condition.text


@given(NUMBERS)
def test_a_number_comes_back_to_the_last_bit(value: float) -> None:
    (operand,) = Condition.of("x", Operator.AT_LEAST, value).operands
    assert float(operand) == value


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("age_years >= 60.0", "age_years>=60"),
        ("age_years>=6e1", "age_years>=60"),
        ("suv_max<=-0", "suv_max<=0"),
        ("suv_max > .5", "suv_max>0.5"),
        (" sex = M | F|M ", "sex=F|M"),
        ("n=10|2|1", "n=1|2|10"),
        ("grade ?", "grade?"),
        ("pet_original__largest:wavelet-LLH_glcm_Id<1e-3", "pet_original__largest:wavelet-LLH_glcm_Id<0.001"),
    ],
)
def test_a_condition_has_one_text(written: str, text: str) -> None:
    assert Condition.parse(written).text == text


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("age", "CONDITION_INVALID", "age_years>=60"),
        ("", "CONDITION_INVALID", "age_years>=60"),
        (">=60", "CONDITION_INVALID", "age_years>=60"),
        ("sex=", "CONDITION_INVALID", "A value is missing"),
        ("sex=F||M", "CONDITION_INVALID", "A value is missing"),
        ("sex=F\\", "CONDITION_INVALID", "backslash"),
        ("age>=", "CONDITION_NUMBER_INVALID", "found nothing"),
        ("age>=60,5", "CONDITION_NUMBER_INVALID", "not a comma"),
        ("age>==60", "CONDITION_NUMBER_INVALID", "in age"),
        ("age<nan", "CONDITION_NUMBER_INVALID", "found nan"),
        ("age<1e999", "CONDITION_NUMBER_INVALID", "in age"),
        ("age<1_0", "CONDITION_NUMBER_INVALID", "in age"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, code: str, said: str) -> None:
    with pytest.raises(WarehouseError) as refused:
        Condition.parse(text)
    assert refused.value.code == code
    assert said in refused.value.sentence()


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("age>=60", "year", "age >= 60 years"),
        ("age>=1", "year", "age >= 1 year"),
        ("volume<20", "ml", "volume < 20 ml"),
        ("sex=M|F", None, "sex F or M"),
        ("grade!=G3", None, "grade not G3"),
        ("n=1|2", None, "n 1 or 2"),
        ("grade?", None, "grade known"),
    ],
)
def test_a_condition_in_words(text: str, unit: str | None, words: str) -> None:
    assert Condition.parse(text).words(unit=unit) == words
