"""The public data sets of the survival exam, for tests of other things than R's numbers, which are that exam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from petct.conformance import survival_curves, survival_reference
from petct.survival.cohort.outcome import Outcome


@dataclass(frozen=True)
class Reference:
    """The folder of the data sets."""

    folder: Path

    def table(self, dataset: str) -> pd.DataFrame:
        """Return the data set."""
        return pd.read_csv(self.folder / f"{dataset}.csv")


def load(data: Path) -> Reference:
    """Return the data sets below the folder of real data."""
    return Reference(data / "survival")


def outcome_of(reference: Reference, dataset: str) -> Outcome:
    """Return the outcome of a data set."""
    return survival_curves.outcome_of(survival_reference.Reference(reference.folder).table(dataset))


def columns_of(table: pd.DataFrame, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return columns as float arrays."""
    return {name: table[name].to_numpy(dtype=np.float64) for name in names}
