"""What in a text looks as if it said who a patient is: names, birth dates, contacts, text where a label should be."""

from __future__ import annotations

import re
from datetime import date

from petct.clinical.columns import words_of

LONGEST_LABEL = 64
MOST_WORDS = 5
# A date so long before a scan is more likely a birth than the beginning of the disease.
BIRTH_BEFORE_SCAN_YEARS = 12

_CARET_NAME = re.compile(r"(?<!\w)[^\W\d_]{2,}\^[^\W\d_]+")
_COMMA_NAME = re.compile(r"[A-ZÀ-Þ][^\W\d_'’-]+, ?[A-ZÀ-Þ][^\W\d_'’-]+(?: [A-Z]\.?)?")
_TITLE = re.compile(r"\b(?:Dr|Prof|Mr|Mrs|Ms|Herr|Frau|Mme)\b\.? +[^\W\d_]")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_PHONE = re.compile(r"(?<![\w.])(?:\+|00|0)\d[\d ()/-]{7,}\d(?![\w.])")
_DATE = re.compile(r"(?<!\d)((?:19|20)\d{2})([-./]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
_DATE_DAY_FIRST = re.compile(r"(?<!\d)(0?[1-9]|[12]\d|3[01])([./-])(0?[1-9]|1[0-2])\2((?:19|20)\d{2})(?!\d)")
_ID_PARTS = re.compile(r"[A-Za-z]{2,}(?:[._-][A-Za-z]{2,})+")
_FULL_NAME = re.compile(r"[A-ZÀ-Þ][a-zß-ÿ'’-]+(?: [A-Z]\.)? [A-ZÀ-Þ][a-zß-ÿ'’-]+")
_BIRTH_WORDS = frozenset(("birth", "birthdate", "birthday", "dob", "geburt", "geburtsdatum", "geboren"))
_NAME_WORDS = frozenset(
    ("name", "names", "surname", "firstname", "lastname", "forename", "vorname", "nachname", "initials")
)
_TECHNICAL = re.compile(r"[0-9a-f]{32,}|[0-9.]+")


def name_in(text: str) -> bool:
    """Whether a text holds what is written like a person's name: ``Doe^Jane``, ``Doe, Jane`` or ``Dr. Doe``."""
    return bool(_CARET_NAME.search(text) or _COMMA_NAME.fullmatch(text.strip()) or _TITLE.search(text))


def contact_in(text: str) -> bool:
    """Whether a text holds a mail address or a telephone number."""
    without_dates = _DATE_DAY_FIRST.sub("", _DATE.sub("", text))
    return bool(_MAIL.search(text) or _PHONE.search(without_dates))


def is_technical(text: str) -> bool:
    """Whether a text is a digest, a UID or a number."""
    return _TECHNICAL.fullmatch(text) is not None


def is_free_text(text: str) -> bool:
    """Whether a text is longer, or has more words, than a label, a code or a value."""
    return len(text) > LONGEST_LABEL or len(text.split()) > MOST_WORDS


def dates_in(text: str) -> tuple[date, ...]:
    """The days of the calendar that a text holds, year first or day first."""
    parts = [(m[1], m[3], m[4]) for m in _DATE.finditer(text)]
    parts += [(m[4], m[3], m[1]) for m in _DATE_DAY_FIRST.finditer(text)]
    found = []
    for year, month, day in parts:
        try:
            found.append(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return tuple(found)


def may_be_birth(day: date, first_scan: date | None) -> bool:
    """Whether a day lies so long before the patient's first scan that it is more likely a birth than a diagnosis."""
    return first_scan is not None and (first_scan - day).days > BIRTH_BEFORE_SCAN_YEARS * 365.25


def is_named_birth(column: str) -> bool:
    """Whether the name of a column or variable says that it holds dates of birth."""
    return not _BIRTH_WORDS.isdisjoint(words_of(column))


def is_named_name(column: str) -> bool:
    """Whether the name of a column or variable says that it holds names of persons."""
    return not _NAME_WORDS.isdisjoint(words_of(column))


def id_may_be_name(patient_id: str) -> bool:
    """Whether a patient id is made of words alone, like ``doe_jane`` or ``Smith-John``."""
    return _ID_PARTS.fullmatch(patient_id) is not None


def may_be_full_names(texts: list[str]) -> bool:
    """Whether the values of a column over its patients are like first and last names: two words, hardly any twice."""
    matching = sum(_FULL_NAME.fullmatch(text) is not None for text in texts)
    return len(texts) >= 3 and matching >= 0.8 * len(texts) and len(set(texts)) >= 0.8 * len(texts)


def shape_of(text: str) -> str:
    """The shape of a text, so that a report of what was found does not repeat it: ``Doe^Jane`` is ``Aaa^Aaaa``."""
    shown = "".join("9" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else c for c in text)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."
