"""What the commands of many features share: a family of features, its preparation and a procedure."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import click

from analyses.requests.data import AnalysisData, Basis
from analyses.requests.family import FamilyRequest
from analyses.requests.options import Shape, option
from orchestration.analysis_data import Source, load_from
from orchestration.commands.options import request_options
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

_PROCEDURE_OPTIONS = (
    click.option(
        "--procedure",
        type=click.Choice(["lasso", "elastic-net", "components", "best", "all"]),
        default="lasso",
        show_default=True,
        help="Choose the model: a penalised Cox model, or a Cox model of principal components, of the best univariable "
        "features, or of all features.",
    ),
    click.option(
        "--l1-ratio",
        type=float,
        default=0.5,
        show_default=True,
        help="With elastic-net: set the share of the L1 penalty; 1 is the LASSO.",
    ),
    click.option(
        "--penalty",
        type=click.Choice(["min", "1se"]),
        default="min",
        show_default=True,
        help="Choose the penalty with the smallest cross-validated error (min), or the largest one within one standard "
        "error of it (1se).",
    ),
    click.option(
        "--size",
        type=click.IntRange(min=1),
        default=3,
        show_default=True,
        help="With components and best: use this many components or features.",
    ),
    click.option(
        "--max-correlation",
        type=float,
        default=0.9,
        show_default=True,
        help="Drop one of two features with a larger absolute correlation (Spearman).",
    ),
    click.option(
        "--log1p",
        type=click.Choice(["none", "skewed", "all"]),
        default="skewed",
        show_default=True,
        help="Take log(1 + x) of no feature, of the skewed ones, or of all; only of features without negative values.",
    ),
    click.option(
        "--winsorise",
        type=float,
        default=0.0,
        show_default=True,
        help="Limit values to these quantiles: 0.01 means the 1 % and 99 % quantiles.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Set the seed of all random draws."),
)


@dataclass(frozen=True)
class PreparedRequest(FamilyRequest):
    """Features that a procedure prepares.

    Parameters
    ----------
    harmonise_by
        Column of their batches.
    """

    harmonise_by: str | None = option(
        "harmonise-by", Shape(), "Harmonise by ComBat with this column of scanner or site.", columns=True
    )


@dataclass(frozen=True, eq=False)
class Measured:
    """Outcome and features of the patients who have most of them, and a sentence about the others, if any."""

    basis: Basis
    outcome: Outcome
    table: FeatureTable
    left_out: str | None


@dataclass(frozen=True)
class Plan:
    """A procedure as the options describe it, and its seed."""

    procedure: Procedure
    seed: int


def procedure_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the features of a ``request`` and the procedure for them, as the arguments request and plan."""

    @functools.wraps(command)
    def with_plan(
        request: PreparedRequest,
        procedure: str,
        l1_ratio: float,
        penalty: str,
        size: int,
        max_correlation: float,
        log1p: str,
        winsorise: float,
        seed: int,
        **arguments: object,
    ) -> None:
        rules = PreparationRules(
            log1p=log1p,  # type: ignore[arg-type]  # click checked it
            most_correlated=max_correlation,
            winsorise=(winsorise, 1 - winsorise) if winsorise else None,
            harmonise=request.harmonise_by is not None,
        )
        made: dict[str, Procedure] = {
            "lasso": ElasticNet(1.0, penalty, rules=rules),  # type: ignore[arg-type]
            "elastic-net": ElasticNet(l1_ratio, penalty, rules=rules),  # type: ignore[arg-type]
            "components": PrincipalComponents(size, rules),
            "best": BestUnivariable(size, rules),
            "all": AllFeatures(rules),
        }
        command(request=request, plan=Plan(made[procedure], seed), **arguments)

    for option_ in reversed(_PROCEDURE_OPTIONS):
        with_plan = option_(with_plan)
    return request_options(PreparedRequest)(with_plan)


def measured(source: Source, request: PreparedRequest) -> Measured:
    """Read a family of features and, where harmonisation needs them, the batches.

    Raises
    ------
    SurvivalError
        FEATURES_NONE where nobody has most of the features, HARMONISATION_BATCH_MISSING, and what ``load`` and
        ``Outcome`` refuse.
    """
    data = load_from(source, request)
    table = data.feature_table(_batches(data, request.harmonise_by))
    keep = table.measured()
    n_without = int((~keep).sum())
    if n_without == table.n:
        raise SurvivalError("FEATURES_NONE", "Nobody has more than half of the features", found=f"0 of {table.n}")
    if not n_without:
        return Measured(data.basis, data.outcome, table, None)
    note = f"{counted(n_without, 'patient')} without most of the features left out: n = {table.n - n_without}."
    return Measured(data.basis, data.outcome.subset(keep), table.rows(keep), note)


def _batches(data: AnalysisData, column: str | None) -> list[str] | None:
    if column is None:
        return None
    found = data.table.texts(column)
    known = [value for value in found if value is not None]
    if len(known) < len(found):
        raise SurvivalError(
            "HARMONISATION_BATCH_MISSING",
            "Harmonisation needs the batch of each patient",
            keyword=column,
            found=f"{len(found) - len(known)} of {len(found)} patients without one",
        )
    return known
