"""What the commands of many features share: a family of features, its preparation and a procedure."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click
import numpy as np

from orchestration.analysis_data import AnalysisData, Source, load_analysis
from petct.errors import SurvivalError
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import counted
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.preparation import PreparationRules
from petct.survival.prediction.procedures import (
    AllFeatures,
    BestUnivariable,
    ElasticNet,
    PrincipalComponents,
    Procedure,
)

_FAMILY_OPTIONS = (
    click.option("--features", help="Columns, separated by commas.  [default: all of a wide feature table]"),
    click.option("--feature-set", help="Feature set and aggregation, for example pet_original__largest."),
)

_PROCEDURE_OPTIONS = (
    click.option(
        "--procedure",
        type=click.Choice(["lasso", "elastic-net", "components", "best", "all"]),
        default="lasso",
        show_default=True,
        help="A penalised Cox model, or one of principal components, of the best univariable features, of all.",
    ),
    click.option("--l1-ratio", type=float, default=0.5, show_default=True, help="With elastic-net: 1 is the LASSO."),
    click.option(
        "--penalty", type=click.Choice(["min", "1se"]), default="min", show_default=True, help="Which penalty is taken."
    ),
    click.option("--size", type=click.IntRange(min=1), default=3, show_default=True, help="With components and best."),
    click.option(
        "--max-correlation", type=float, default=0.9, show_default=True, help="Of two kept features (Spearman's rho)."
    ),
    click.option(
        "--log1p",
        type=click.Choice(["none", "skewed", "all"]),
        default="skewed",
        show_default=True,
        help="Of which features that are never negative the logarithm is taken.",
    ),
    click.option(
        "--winsorise", type=float, default=0.0, show_default=True, help="0.01: beyond the 1 and 99 % quantiles."
    ),
    click.option("--harmonise-by", "batch_column", help="Column of the scanner or site, for ComBat."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of all that is drawn by chance."),
)


@dataclass(frozen=True, eq=False)
class Family:
    """Features of an analysis, rows in the order of its outcome.

    Attributes
    ----------
    named
        The features that were asked for by name; None for a whole table.
    """

    data: AnalysisData
    table: FeatureTable
    named: tuple[str, ...] | None

    @property
    def source_table(self) -> str | None:
        """The wide feature table that all features are of, or None."""
        tables = {name.partition(":")[0] if ":" in name else None for name in self.table.names}
        return tables.pop() if len(tables) == 1 else None

    @property
    def described(self) -> str:
        """The family in words that are the same whenever it is the same: a feature table, or its features."""
        if self.named is None and self.source_table is not None:
            return self.source_table
        return ", ".join(self.named or self.table.names)

    def short(self, name: str) -> str:
        """Name of a feature without the table that all of them are of."""
        return name.removeprefix(f"{self.source_table}:") if self.source_table else name

    def measured(self) -> tuple[Outcome, FeatureTable, str | None]:
        """Outcome and features of the patients who have most of them, and a sentence about the others, if any.

        Raises ``SurvivalError`` FEATURES_NONE where nobody has, and what ``Outcome`` refuses.
        """
        keep = self.table.measured()
        n_without = int((~keep).sum())
        if n_without == self.table.n:
            raise SurvivalError(
                "FEATURES_NONE", "Nobody has more than half of the features", found=f"0 of {self.table.n}"
            )
        if not n_without:
            return self.data.outcome, self.table, None
        note = f"{counted(n_without, 'patient')} without most of the features left out: n = {self.table.n - n_without}."
        return self.data.outcome.subset(keep), self.table.rows(keep), note

    @property
    def units(self) -> dict[str, str | None]:
        """Units of the features."""
        return {name: self.data.unit(name) for name in self.table.names}


@dataclass(frozen=True)
class Plan:
    """A procedure as the options describe it, the column of its batches, and its seed."""

    procedure: Procedure
    batch_column: str | None
    seed: int


def family_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name a family of features."""
    for option in reversed(_FAMILY_OPTIONS):
        command = option(command)
    return command


def procedure_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that describe a procedure, as one argument ``plan``."""

    @functools.wraps(command)
    def with_plan(
        procedure: str,
        l1_ratio: float,
        penalty: str,
        size: int,
        max_correlation: float,
        log1p: str,
        winsorise: float,
        batch_column: str | None,
        seed: int,
        **arguments: object,
    ) -> None:
        rules = PreparationRules(
            log1p=log1p,  # type: ignore[arg-type] (click checked it)
            most_correlated=max_correlation,
            winsorise=(winsorise, 1 - winsorise) if winsorise else None,
            harmonise=batch_column is not None,
        )
        made: dict[str, Procedure] = {
            "lasso": ElasticNet(1.0, penalty, rules=rules),  # type: ignore[arg-type]
            "elastic-net": ElasticNet(l1_ratio, penalty, rules=rules),  # type: ignore[arg-type]
            "components": PrincipalComponents(size, rules),
            "best": BestUnivariable(size, rules),
            "all": AllFeatures(rules),
        }
        command(plan=Plan(made[procedure], batch_column, seed), **arguments)

    for option in reversed(_PROCEDURE_OPTIONS):
        with_plan = option(with_plan)
    return with_plan


def names_in(text: str | None) -> list[str] | None:
    """Names separated by commas; None where there are none."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def load_family(
    source: Source,
    features: str | None,
    feature_set: str | None,
    *,
    batch_column: str | None = None,
    without: Sequence[str] = (),
    with_outcome: bool = True,
) -> Family:
    """Read a family of features and, where harmonisation needs them, the batches.

    Parameters
    ----------
    without
        Columns that are no features although they hold numbers, such as covariates of the same CSV.
    """
    names = names_in(features)
    data = load_analysis(source, names, feature_table=feature_set, with_outcome=with_outcome)
    if names:
        for name in names:
            data.number(name)
    left_out = {*without, batch_column}
    numbers = [name for name in data.columns if data.is_number(name) and name not in left_out]
    if not numbers:
        raise SurvivalError("FEATURES_NONE", "There is no numeric column among the features", keyword="--features")
    batch = None
    if batch_column is not None:
        found = load_analysis(source, [batch_column], with_outcome=with_outcome).texts(batch_column)
        unknown = found.count(None)
        if unknown:
            raise SurvivalError(
                "HARMONISATION_BATCH_MISSING",
                "Harmonisation needs the batch of each patient",
                keyword=batch_column,
                found=f"{unknown} of {len(found)} patients without one",
            )
        batch = tuple(str(value) for value in found)
    values = np.column_stack([data.number(name) for name in numbers])
    return Family(data, FeatureTable(tuple(numbers), values, batch), tuple(names) if names else None)
