"""What ``petlake cox`` and the page Cox are asked: one definition for both; ``cox_answer`` answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from analyses.requests.model import ModelRequest
from analyses.requests.options import NAMES, Choice, Flag, Real, Shape, Time, Whole, option
from petct.errors import SurvivalError
from petct.survival.accuracy.discrimination import FEWEST_RESAMPLES
from petct.survival.cox.schoenfeld import Transform
from petct.survival.cox.tests import DEFAULT_SEED
from petct.survival.likelihood.penalised import Firth, Penalty, Ridge

PenaltyName = Literal["none", "ridge", "firth"]


@dataclass(frozen=True)
class CoxRequest(ModelRequest):
    """A Cox model; the defaults are those of the command line.

    Parameters
    ----------
    covariates, scale, scale_of, splines, knots, at_zero, categories, references, entry
        As for ``ModelRequest``.
    strata, cluster, robust, therapy_start
        Columns, as for ``cox`` and ``cox_with_therapy``.
    penalty, ridge_strength
        The penalty, and the strength of a ridge (chosen by the events when None).
    univariable, added, subgroups, impute
        Another analysis than the model alone: every covariate alone, too; covariates added to the others; the effect of
        the first in the levels of columns; imputations of what is missing.
    permutations, seed, transform
        As for ``cox``.
    horizon, resamples
        Time at which the predictions of the model are judged, see ``validate_cox``; not judged when None.

    Raises
    ------
    SurvivalError
        REFERENCE_INVALID, SCALE_INVALID, OPTIONS_CONFLICT, VALIDATION_UNSUPPORTED, and what ``Request`` refuses.
    """

    command: ClassVar[str] = "cox"

    strata: tuple[str, ...] = option(
        "strata",
        NAMES,
        "Stratify by these variables: each level has its own baseline hazard. Use it where hazards are not "
        "proportional between levels.  [default: one baseline hazard]",
        default=(),
        columns=True,
        another="strata {}",
    )
    cluster: str | None = option(
        "cluster",
        Shape(),
        "Compute standard errors clustered by this variable.",
        columns=True,
        another="clustered by {}",
    )
    robust: bool = option(
        "robust",
        Flag(),
        "Compute robust standard errors (Lin and Wei).",
        default=False,
        label="Robust standard errors",
        another="robust",
    )
    therapy_start: str | None = option(
        "therapy-start",
        Shape(),
        "Take this column as the start of a therapy, which counts from then on; an empty cell means no therapy.",
        columns=True,
        another="",
    )
    penalty: PenaltyName = option(
        "penalty",
        Choice(words=get_args(PenaltyName)),
        "Penalise the likelihood. Firth's penalty keeps hazard ratios finite if a covariate separates the patients; a "
        "ridge is for many or collinear covariates and gives no p-values.",
        default="none",
        another="penalty {}",
    )
    ridge_strength: float | None = option(
        "ridge-strength",
        Real(),
        "Set the strength of the ridge penalty.  [default: chosen by the number of events]",
        another="ridge strength {}",
    )
    univariable: bool = option(
        "univariable",
        Flag(),
        "Also fit a univariable model of each variable.",
        default=False,
        label="Also show univariable models",
    )
    added: tuple[str, ...] = option(
        "added",
        NAMES,
        "Test the addition of these variables to the others (nested models).",
        default=(),
        label="Test the addition of",
        columns=True,
        another="added {}",
    )
    subgroups: tuple[str, ...] = option(
        "subgroups",
        NAMES,
        "Estimate the effect of the first variable in the levels of these variables.",
        default=(),
        label="In the levels of",
        columns=True,
        another="subgroups {}",
    )
    impute: int | None = option(
        "impute", Whole(least=2), "Impute missing values this many times and pool the results.", another="imputed {}"
    )
    permutations: int | None = option(
        "permutations", Whole(least=0), "Use this many permutations per test.  [default: 9,999 up to 200 patients]"
    )
    seed: int = option("seed", Whole(least=0), "Set the seed of permutations and imputations.", default=DEFAULT_SEED)
    transform: Transform = option(
        "transform",
        Choice(words=get_args(Transform)),
        "Transform time like this in the test of proportional hazards.",
        default="km",
    )
    horizon: float | None = option(
        "horizon", Time(), "Validate the predicted probabilities at this time, corrected for optimism by the bootstrap."
    )
    resamples: int = option(
        "resamples",
        Whole(least=0),
        "Draw this many bootstrap samples for the validation, at least 200.",
        default=FEWEST_RESAMPLES,
    )

    @property
    def modelled(self) -> tuple[str, ...]:
        """Columns whose effects are asked for."""
        therapy = (self.therapy_start,) if self.therapy_start else ()
        return tuple(dict.fromkeys((*self.covariates, *self.added, *therapy)))

    @property
    def kinds(self) -> tuple[str, ...]:
        """Options that ask for another analysis than the model alone."""
        asked = ("univariable", "added", "subgroups", "impute", "therapy_start")
        return tuple(f"--{each.name}" for each, _ in self.given if each.field in asked)

    def check(self) -> None:
        """Refuse what asks for two analyses at once, or for one that does not exist."""
        super().check()
        asked = self.kinds
        if len(asked) > 1:
            raise SurvivalError(
                "OPTIONS_CONFLICT",
                "These options ask for different analyses",
                keyword=", ".join(asked),
                expected="one of them",
            )
        beside = {
            "--strata": bool(self.strata) and asked in (("--subgroups",), ("--therapy-start",)),
            "--cluster or --robust": bool(self.cluster or self.robust) and bool(asked),
            "--penalty": self.penalty != "none" and bool(asked) and asked != ("--univariable",),
        }
        unavailable = [name for name, given in beside.items() if given]
        if unavailable:
            raise SurvivalError(
                "OPTIONS_CONFLICT",
                f"{asked[0]} does not go with {unavailable[0]}",
                keyword=", ".join([*asked, *unavailable]),
                hint="Leave one of them out.",
            )
        alone = [*asked, *(["--strata"] if self.strata else [])]
        if self.horizon is not None and alone:
            raise SurvivalError(
                "VALIDATION_UNSUPPORTED",
                "Only a model with one baseline hazard is judged at a horizon",
                keyword=", ".join(alone),
                hint="Leave it out: a category may be a covariate instead of strata.",
            )

    def penalty_of_model(self) -> Penalty | None:
        """The penalty; raises RIDGE_INVALID."""
        if self.penalty == "firth":
            return Firth()
        return Ridge(self.ridge_strength) if self.penalty == "ridge" else None
