"""Text of a clinical table as numbers and dates: what has one meaning is taken, what has two is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Generic, TypeVar

from petct.errors import ClinicalError

T = TypeVar("T")

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_COMMA_OF_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_POINTS_THEN_COMMA = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+", re.ASCII)
_COMMAS_THEN_POINT = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+", re.ASCII)

_TIME_OF_DAY = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_MOMENT = re.compile(r"(?:(.+?)[T ]+)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?", re.ASCII)
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME_OF_DAY}", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_POINTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/])(\d{1,2})\2(\d{4})", re.ASCII)
_MONTH_NAME = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3,9})[- ](\d{4})", re.ASCII)
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


@dataclass(frozen=True)
class Reading(Generic[T]):
    """A value and, when the text was not in the plain form, what was done to read it.

    Parameters
    ----------
    adaptation
        Code of the rule that was applied, for example ``CLINICAL_DECIMAL_COMMA``; None for plain text.
    """

    value: T
    adaptation: str | None = None


def read_number(text: str) -> Reading[float]:
    """Read a finite number; a decimal comma is taken where it cannot be a comma of thousands.

    Raises
    ------
    ClinicalError
        CLINICAL_NUMBER_AMBIGUOUS for ``1,234``, CLINICAL_NUMBER_BOUND for ``>100``, CLINICAL_NUMBER_INVALID for the
        rest.
    """
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped):
        value = float(stripped)
        if value in (float("inf"), float("-inf")):
            raise ClinicalError("CLINICAL_NUMBER_INVALID", "The number is too large", found=text)
        return Reading(value)
    if _COMMA_OF_THOUSANDS.fullmatch(stripped):
        raise ClinicalError(
            "CLINICAL_NUMBER_AMBIGUOUS",
            "The comma may separate thousands or decimals",
            found=text,
            expected=f"{stripped.replace(',', '.')} or {stripped.replace(',', '')}",
        )
    if _DECIMAL_COMMA.fullmatch(stripped):
        return Reading(float(stripped.replace(",", ".")), "CLINICAL_DECIMAL_COMMA")
    if _POINTS_THEN_COMMA.fullmatch(stripped):
        return Reading(float(stripped.replace(".", "").replace(",", ".")), "CLINICAL_DECIMAL_COMMA")
    if _COMMAS_THEN_POINT.fullmatch(stripped):
        return Reading(float(stripped.replace(",", "")), "CLINICAL_THOUSANDS_COMMA")
    if stripped[:1] in "<>≤≥":
        raise ClinicalError(
            "CLINICAL_NUMBER_BOUND",
            "A bound is not a value",
            found=text,
            expected="a number",
            hint="Enter a value by a rule you can state, or declare the text as missing.",
        )
    raise ClinicalError("CLINICAL_NUMBER_INVALID", "The text is not a number", found=text, expected="a number")


def read_date(text: str) -> Reading[date]:
    """Read a date that has one meaning: year first, day.month.year, a month's name, or a day above 12.

    A time of day after a date with the year first is dropped.

    Raises
    ------
    ClinicalError
        CLINICAL_DATE_AMBIGUOUS for ``03/04/2020``, CLINICAL_DATE_INVALID for what is no date of the calendar.
    """
    stripped = text.strip()
    if match := _YEAR_FIRST.fullmatch(stripped):
        plain = re.fullmatch(r"\d{4}-\d{2}-\d{2}", stripped, re.ASCII) is not None
        found = _calendar(text, match[1], match[3], match[4])
        return Reading(found, None if plain else "CLINICAL_DATE_FORMAT")
    if match := _COMPACT.fullmatch(stripped):
        return Reading(_calendar(text, match[1], match[2], match[3]), "CLINICAL_DATE_FORMAT")
    if match := _POINTS.fullmatch(stripped):
        return Reading(_calendar(text, match[3], match[2], match[1]), "CLINICAL_DATE_FORMAT")
    if match := _YEAR_LAST.fullmatch(stripped):
        first, second, year = match[1], match[3], match[4]
        if int(first) <= 12 and int(second) <= 12 and int(first) != int(second):
            raise ClinicalError(
                "CLINICAL_DATE_AMBIGUOUS",
                "Day and month cannot be told apart",
                found=text,
                expected=f"{year}-{int(second):02d}-{int(first):02d} or {year}-{int(first):02d}-{int(second):02d}",
                hint="Write dates as YYYY-MM-DD.",
            )
        day, month = (first, second) if int(first) > 12 else (second, first)
        return Reading(_calendar(text, year, month, day), "CLINICAL_DATE_FORMAT")
    if match := _MONTH_NAME.fullmatch(stripped):
        name = match[2].lower()
        months = [i for i, month_name in enumerate(_MONTHS, start=1) if name in (month_name, month_name[:3])]
        if months:
            return Reading(_calendar(text, match[3], str(months[0]), match[1]), "CLINICAL_DATE_FORMAT")
    raise ClinicalError("CLINICAL_DATE_INVALID", "The text is not a date", found=text, expected="YYYY-MM-DD")


def read_moment(text: str) -> Reading[datetime | time]:
    """Read a date with a time of day (``2020-01-31 09:40``), or a time of day alone (``09:40``).

    Raises
    ------
    ClinicalError
        CLINICAL_TIME_INVALID, and the codes of ``read_date``.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise ClinicalError(
            "CLINICAL_TIME_INVALID",
            "The text is not a time",
            found=text,
            expected="YYYY-MM-DD HH:MM, or HH:MM",
        )
    try:
        of_day = time(int(match[2]), int(match[3]), int(match[4] or 0))
    except ValueError:
        raise ClinicalError(
            "CLINICAL_TIME_INVALID", "There is no such time of day", found=text, expected="HH:MM"
        ) from None
    if match[1] is None:
        return Reading(of_day)
    day = read_date(match[1])
    return Reading(datetime.combine(day.value, of_day), day.adaptation)


def _calendar(text: str, year: str, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise ClinicalError(
            "CLINICAL_DATE_INVALID", "There is no such day in the calendar", found=text, expected="YYYY-MM-DD"
        ) from None


def located(error: ClinicalError, patient_id: str, column: str) -> ClinicalError:
    """Return the same refusal with the patient and column it was found in."""
    return ClinicalError(
        error.code,
        error.message,
        patient_id=patient_id,
        keyword=column,
        found=error.found,
        expected=error.expected,
        hint=error.hint,
    )
