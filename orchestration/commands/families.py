"""What the commands of many features share: a family of features, its preparation and a procedure."""

from dataclasses import dataclass
from typing import Literal, get_args

from analyses.requests.data import AnalysisData, Basis
from analyses.requests.family import FamilyRequest
from analyses.requests.options import Choice, Real, Shape, Whole, option
from orchestration.analysis_data import Source, load_from
from petct.errors import SurvivalError
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import counted
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.preparation import LogRule, PreparationRules
from petct.survival.prediction.procedures import (
    AllFeatures,
    BestUnivariable,
    ElasticNet,
    PenaltyRule,
    PrincipalComponents,
    Procedure,
)

ProcedureName = Literal["lasso", "elastic-net", "components", "best", "all"]


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


@dataclass(frozen=True)
class ProcedureRequest(PreparedRequest):
    """Features, and the procedure that makes a model of them.

    Parameters
    ----------
    procedure, l1_ratio, penalty, size
        The model, see ``petct.survival.prediction.procedures``.
    max_correlation, log1p, winsorise
        As for ``PreparationRules``.
    seed
        Of all random draws.
    """

    procedure: ProcedureName = option(
        "procedure",
        Choice(words=get_args(ProcedureName)),
        "Choose the model: a penalised Cox model, or a Cox model of principal components, of the best univariable "
        "features, or of all features.",
        default="lasso",
    )
    l1_ratio: float = option(
        "l1-ratio", Real(), "With elastic-net: set the share of the L1 penalty; 1 is the LASSO.", default=0.5
    )
    penalty: PenaltyRule = option(
        "penalty",
        Choice(words=get_args(PenaltyRule)),
        "Choose the penalty with the smallest cross-validated error (min), or the largest one within one standard "
        "error of it (1se).",
        default="min",
    )
    size: int = option(
        "size", Whole(least=1), "With components and best: use this many components or features.", default=3
    )
    max_correlation: float = option(
        "max-correlation",
        Real(),
        "Drop one of two features with a larger absolute correlation (Spearman).",
        default=0.9,
    )
    log1p: LogRule = option(
        "log1p",
        Choice(words=get_args(LogRule)),
        "Take log(1 + x) of no feature, of the skewed ones, or of all; only of features without negative values.",
        default="skewed",
    )
    winsorise: float = option(
        "winsorise", Real(), "Limit values to these quantiles: 0.01 means the 1 % and 99 % quantiles.", default=0.0
    )
    seed: int = option("seed", Whole(), "Set the seed of all random draws.", default=0)

    def made(self) -> Procedure:
        """The procedure as the options describe it; raises what its parts refuse."""
        rules = PreparationRules(
            log1p=self.log1p,
            most_correlated=self.max_correlation,
            winsorise=(self.winsorise, 1 - self.winsorise) if self.winsorise else None,
            harmonise=self.harmonise_by is not None,
        )
        procedures: dict[ProcedureName, Procedure] = {
            "lasso": ElasticNet(1.0, self.penalty, rules=rules),
            "elastic-net": ElasticNet(self.l1_ratio, self.penalty, rules=rules),
            "components": PrincipalComponents(self.size, rules),
            "best": BestUnivariable(self.size, rules),
            "all": AllFeatures(rules),
        }
        return procedures[self.procedure]


@dataclass(frozen=True, eq=False)
class Measured:
    """Outcome and features of the patients who have most of them, and a sentence about the others, if any."""

    basis: Basis
    outcome: Outcome
    table: FeatureTable
    left_out: str | None

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentence, where there is one."""
        return () if self.left_out is None else (self.left_out,)


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
