"""Conditions on patients: the text that a reader, a link and the command line write, and what it means.

``age_years>=60``, ``suv_max<=30``, ``sex=F|M``, ``grade!=G3``, ``grade?`` (its value is known). A condition is about
known values: a patient without a value of the column meets no condition on it. ``protocol_id=percent_41`` selects
nobody: it says under which protocol the lesions of all patients are taken.

A condition has one text, ``Condition.text``, whatever spaces, order of choices or form of number it was written with.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from warehouse.errors import WarehouseError

PROTOCOL = "protocol_id"
"""The column of the condition that chooses a protocol."""

_EXAMPLES = "for example age_years>=60, suv_max<=30, sex=F|M, grade!=G3, or grade? for a known value"
_SPECIAL = r"<>=!?|\\"
_COLUMN = rf"((?:[^{_SPECIAL}]|\\.)+)"
_COMPARED = re.compile(rf"{_COLUMN}(>=|<=|!=|=|>|<)(.*)", re.DOTALL)
_KNOWN = re.compile(rf"{_COLUMN}\?\s*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_CHOICES = re.compile(r"(?:[^|\\]|\\.)*(?:\|(?:[^|\\]|\\.)*)*", re.DOTALL)
_CHOICE = re.compile(r"(?:^|\|)((?:[^|\\]|\\.)*)", re.DOTALL)
_PLURAL_UNITS = frozenset(("day", "week", "month", "year"))


class Operator(StrEnum):
    """What a condition asks of a value."""

    AT_LEAST = ">="
    AT_MOST = "<="
    MORE_THAN = ">"
    LESS_THAN = "<"
    ONE_OF = "="
    NONE_OF = "!="
    KNOWN = "?"

    @property
    def is_comparison(self) -> bool:
        """Whether it compares numbers."""
        return self in (Operator.AT_LEAST, Operator.AT_MOST, Operator.MORE_THAN, Operator.LESS_THAN)


_SIGNS = {Operator.ONE_OF: "", Operator.NONE_OF: "not "}


@dataclass(frozen=True)
class Condition:
    """One condition on a column.

    Attributes
    ----------
    column
        Name of an analysis column, or of a column of ``warehouse.queries.selection.QUALITY_COLUMNS``.
    operator
        What is asked of its value.
    operands
        One number for a comparison; the choices of ``=`` and ``!=``, sorted and each once; none for ``?``. Numbers are
        written as ``number`` writes them.
    """

    column: str
    operator: Operator
    operands: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a condition.

        Raises
        ------
        WarehouseError
            CONDITION_INVALID; CONDITION_NUMBER_INVALID for a comparison with what is no number.
        """
        known = _KNOWN.fullmatch(text)
        if known:
            return cls.of(_unescaped(known[1]), Operator.KNOWN)
        compared = _COMPARED.fullmatch(text)
        if compared is None:
            raise WarehouseError("CONDITION_INVALID", "This is no condition", found=text, expected=_EXAMPLES)
        column, operator = _unescaped(compared[1]), Operator(compared[2])
        if operator.is_comparison:
            return cls.of(column, operator, compared[3])
        if not _CHOICES.fullmatch(compared[3]):
            raise WarehouseError("CONDITION_INVALID", "A backslash at the end stands before nothing", found=text)
        return cls.of(column, operator, *map(_unescaped, _CHOICE.findall(compared[3])))

    @classmethod
    def of(cls, column: str, operator: Operator, *operands: str | float) -> Condition:
        """A condition on values as they are, whatever characters are in them; raises as ``parse`` does."""
        if operator is Operator.KNOWN:
            return cls(column, operator)
        if operator.is_comparison:
            (limit,) = operands
            return cls(column, operator, (number(str(limit), column),))
        choices = {str(value) for value in operands}
        if not choices or "" in choices:
            raise WarehouseError(
                "CONDITION_INVALID", "A value is missing", keyword=column, found="nothing", expected=_EXAMPLES
            )
        return cls(column, operator, tuple(sorted(choices, key=_order)))

    @property
    def text(self) -> str:
        """The condition as it is written in a link and on the command line; ``parse`` gives it back."""
        if self.operator is Operator.KNOWN:
            return f"{_escaped(self.column)}?"
        written = self.operands if self.operator.is_comparison else map(_escaped, self.operands)
        return f"{_escaped(self.column)}{self.operator}{'|'.join(written)}"

    def words(self, name: str | None = None, unit: str | None = None) -> str:
        """The condition in words: ``age >= 60 years``, ``sex F or M``, ``grade not G3``, ``grade known``.

        Parameters
        ----------
        name
            What the column is called; its own name when it is not given.
        unit
            Unit of its numbers.
        """
        called = name or self.column
        if self.operator is Operator.KNOWN:
            return f"{called} known"
        if self.operator.is_comparison:
            return f"{called} {self.operator} {with_unit(self.operands[0], unit)}"
        return f"{called} {_SIGNS[self.operator]}{' or '.join(with_unit(value, unit) for value in self.operands)}"


def number(text: str, column: str) -> str:
    """The shortest decimal text of a number that gives it back: ``60``, not ``60.0``.

    Raises
    ------
    WarehouseError
        CONDITION_NUMBER_INVALID for text that is no finite decimal number.
    """
    written = text.strip()
    value = float(written) if _NUMBER.fullmatch(written) else math.nan
    if not math.isfinite(value):
        raise WarehouseError(
            "CONDITION_NUMBER_INVALID",
            "A number was expected",
            keyword=column,
            found=written or "nothing",
            expected="for example 60, 2.5 or 1e-3",
            hint="A decimal point is a point, not a comma." if "," in written else None,
        )
    # Zero has one text, too.
    return repr(value + 0.0).removesuffix(".0")


def with_unit(value: str, unit: str | None) -> str:
    """``60 years``, ``20 ml``, ``12`` without a unit."""
    if unit is None:
        return value
    return f"{value} {unit}s" if unit in _PLURAL_UNITS and value != "1" else f"{value} {unit}"


def _order(choice: str) -> tuple[float, str]:
    """Numbers by size, then words."""
    return (float(choice) if _NUMBER.fullmatch(choice) else math.inf, choice)


def _escaped(word: str) -> str:
    """The word with a backslash before what would be read as something else: signs, and spaces around it."""
    return re.sub(rf"[{_SPECIAL}]|^\s|\s\Z", lambda match: f"\\{match[0]}", word)


def _unescaped(text: str) -> str:
    """The word that ``_escaped`` made this of, without the spaces around it that are layout."""
    begun = text.lstrip()
    ended = begun.rstrip()
    if re.search(r"(?<!\\)(\\\\)*\\\Z", ended):
        ended = begun[: len(ended) + 1]
    return re.sub(r"\\(.)", r"\1", ended, flags=re.DOTALL)
