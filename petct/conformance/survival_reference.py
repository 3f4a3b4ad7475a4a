"""The reference of the survival exam: statistics that R computed, the data sets, and what counts as equal."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from petct.conformance.exam import ExamLine, Verdict
from petct.errors import PetctError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from petct.survival.cohort.outcome import BoolArray, FloatArray

REFERENCE_FILES = ("r_survival_shared.csv", "r_survival_more_shared.csv")
_COLUMNS = {"dataset", "analysis", "group", "term", "statistic", "value"}
_FILES = {"mgus2": "mgus2_competing.csv"}
_EXACT = frozenset({"records", "events", "at_risk", "n", "n_cuts", "cutpoint"})
_P_VALUES = frozenset({"p", "lr_p"})
_LOG_P_TOLERANCE = 1e-5

Found = dict[tuple[str, str, str], float | None]
"""What petlake found, by group, term and statistic; None where R says NA (a median that is not reached)."""


@dataclass(frozen=True)
class Statistic:
    """One number of the reference; ``value`` None is R's NA."""

    dataset: str
    analysis: str
    group: str
    term: str
    statistic: str
    value: float | None

    @property
    def key(self) -> tuple[str, str, str]:
        """Where it is looked for among what petlake found."""
        return self.group, self.term, self.statistic

    def judge(self, found: Found, tolerance: float, *, p_on_log_scale: bool) -> ExamLine:
        """Compare it with what was found.

        Parameters
        ----------
        found
            What petlake found in this analysis.
        tolerance
            Relative tolerance; counts and cut-points must be exact.
        p_on_log_scale
            Whether the logarithm of a p-value is compared (to 1e-5) instead of the p-value.
        """
        if self.key not in found:
            return self.line(None, None, Verdict.FAIL, "petlake gave no such number")
        value = found[self.key]
        if self.value is None or value is None:
            equal, words = self.value is None and value is None, None
        elif self.statistic in _EXACT:
            equal, words = value == self.value, None
        elif self.statistic in _P_VALUES and p_on_log_scale:
            equal, words = _same_p(value, self.value), f"{_LOG_P_TOLERANCE:g} relative, of log p"
        else:
            equal, words = math.isclose(value, self.value, rel_tol=tolerance), f"{tolerance:g} relative"
        return self.line("NA" if value is None else repr(float(value)), words, Verdict.PASS if equal else Verdict.FAIL)

    def line(self, found: str | None, tolerance: str | None, verdict: Verdict, note: str = "") -> ExamLine:
        """Return the line of the exam that says so."""
        expected = "NA" if self.value is None else repr(self.value)
        quantity = " ".join(filter(None, (self.group, self.term, self.statistic)))
        return ExamLine(f"{self.dataset} {self.analysis}", quantity, expected, found, tolerance, verdict, note)


def _same_p(found: float, expected: float) -> bool:
    if not (0 < found <= 1 and 0 < expected <= 1):
        return found == expected
    return math.isclose(math.log(found), math.log(expected), rel_tol=_LOG_P_TOLERANCE, abs_tol=1e-12)


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of a data set as text, one value per patient; empty and NA are missing."""

    name: str
    columns: Mapping[str, Sequence[str]]

    def texts(self, column: str) -> list[str | None]:
        """A column as categories; raises EXAM_COLUMN_MISSING."""
        if column not in self.columns:
            raise PetctError(
                "EXAM_COLUMN_MISSING",
                "A data set of the exam lacks a column",
                keyword=column,
                found=f"{self.name}: {', '.join(self.columns)}",
            )
        return [None if text.strip() in ("", "NA") else text.strip() for text in self.columns[column]]

    def numbers(self, column: str) -> FloatArray:
        """A column as numbers, NaN where missing, shape (n,)."""
        return np.array([math.nan if text is None else float(text) for text in self.texts(column)], dtype=np.float64)

    def complete(self, columns: Sequence[str]) -> BoolArray:
        """Patients who have a value in all of ``columns``, shape (n,)."""
        there = [[text is not None for text in self.texts(column)] for column in columns]
        return np.asarray(np.all(there, axis=0), dtype=np.bool_)


@dataclass(frozen=True)
class Reference:
    """The folder of the exam: the reference files and the data sets beside them."""

    folder: Path

    @cached_property
    def statistics(self) -> tuple[Statistic, ...]:
        """All statistics of the reference files that are there; raises EXAM_DATA_MISSING, EXAM_LIST_INVALID."""
        found = [self.folder / name for name in REFERENCE_FILES if (self.folder / name).is_file()]
        if not found:
            raise PetctError(
                "EXAM_DATA_MISSING",
                "The statistics that R computed are not there",
                found=str(self.folder),
                expected=" or ".join(REFERENCE_FILES),
            )
        return tuple(statistic for path in found for statistic in _read_statistics(path))

    def analyses(self) -> Mapping[tuple[str, str], list[Statistic]]:
        """Statistics by data set and analysis, in the order of the files."""
        grouped: dict[tuple[str, str], list[Statistic]] = {}
        for statistic in self.statistics:
            grouped.setdefault((statistic.dataset, statistic.analysis), []).append(statistic)
        return grouped

    def table(self, dataset: str) -> Table:
        """Read a data set; raises EXAM_DATA_MISSING."""
        path = self.folder / _FILES.get(dataset, f"{dataset}.csv")
        if not path.is_file():
            raise PetctError(
                "EXAM_DATA_MISSING", "A data set of the exam is not there", found=str(path), expected=path.name
            )
        with path.open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        return Table(dataset, {name: [row[i] for row in rows] for i, name in enumerate(header)})


def _read_statistics(path: Path) -> list[Statistic]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        if not set(rows.fieldnames or ()) >= _COLUMNS:
            raise PetctError(
                "EXAM_LIST_INVALID",
                "The reference does not say which statistic has which value",
                keyword=", ".join(sorted(_COLUMNS)),
                found=f"{path.name} with the columns {', '.join(rows.fieldnames or ())}",
            )
        return [
            Statistic(
                row["dataset"],
                row["analysis"],
                row["group"],
                row["term"],
                row["statistic"],
                None if row["value"] == "NA" else float(row["value"]),
            )
            for row in rows
        ]
