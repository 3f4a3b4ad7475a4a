"""Numbers computed with R's survival 3.5-3, and the data sets they were computed on."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from petct.survival.outcome import Outcome

COUNTS = ("records", "events", "at_risk", "n")
OUTCOME_COLUMNS = {
    "rossi": ("week", "arrest", "week"),
    "larynx": ("time", "death", "year"),
    "gbsg2": ("time", "cens", "day"),
    "lung": ("time", "status", "day"),
}


@dataclass(frozen=True)
class Row:
    """One statistic; ``value`` None is R's NA."""

    dataset: str
    analysis: str
    group: str
    term: str
    statistic: str
    value: float | None

    def check(self, found: object) -> None:
        """Assert that ``found`` is R's number: counts exact, p on the log scale to 1e-5, the rest to 1e-6 relative."""
        if self.value is None:
            assert found is None, self
            return
        assert isinstance(found, (int, float)), (self, found)
        if self.statistic in COUNTS:
            assert found == self.value, (self, found)
        elif self.statistic in ("p", "lr_p"):
            assert math.log(found) == math.log(self.value) or math.isclose(
                math.log(found), math.log(self.value), rel_tol=1e-5
            ), (self, found)
        else:
            assert math.isclose(found, self.value, rel_tol=1e-6), (self, found)


@dataclass(frozen=True)
class Reference:
    """The reference file and the folder of its data sets."""

    folder: Path
    all_rows: tuple[Row, ...]

    def rows(self, dataset: str, analysis: str) -> list[Row]:
        """Return the rows of one analysis of one data set."""
        return [row for row in self.all_rows if row.dataset == dataset and row.analysis == analysis]

    def analyses(self, dataset: str, prefix: str) -> list[str]:
        """Return what follows ``prefix`` in the names of a data set's analyses, once each."""
        names = (row.analysis for row in self.all_rows if row.dataset == dataset)
        return list(dict.fromkeys(name.removeprefix(prefix) for name in names if name.startswith(prefix)))

    def count(self, dataset: str, prefixes: tuple[str, ...]) -> int:
        """Return how many statistics of a data set belong to analyses that start so."""
        return sum(row.dataset == dataset and row.analysis.startswith(prefixes) for row in self.all_rows)

    def table(self, dataset: str) -> pd.DataFrame:
        """Return the data set."""
        return pd.read_csv(self.folder / f"{dataset}.csv")


@cache
def load(data: Path, name: str = "r_survival_shared.csv") -> Reference:
    """Read a reference file below the folder of real data."""
    folder = data / "survival"
    with (folder / name).open(newline="") as file:
        rows = tuple(
            Row(
                line["dataset"],
                line["analysis"],
                line["group"],
                line["term"],
                line["statistic"],
                None if line["value"] == "NA" else float(line["value"]),
            )
            for line in csv.DictReader(file)
        )
    return Reference(folder, rows)


def outcome_of(reference: Reference, dataset: str) -> Outcome:
    """Return the outcome of a data set; all four code the event as 1."""
    duration, event, unit = OUTCOME_COLUMNS[dataset]
    table = reference.table(dataset)
    return Outcome(table[duration].to_numpy(dtype=np.float64), table[event].to_numpy(), unit)


def columns_of(table: pd.DataFrame, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return columns as float arrays."""
    return {name: table[name].to_numpy(dtype=np.float64) for name in names}
