"""What covariates do to an event that others compete with: each model, or the sentence of its refusal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from analyses.requests.covariates import covariates
from petct.errors import SurvivalError
from petct.survival.cohort.columns import Columns
from petct.survival.cohort.results import as_dict
from petct.survival.competing.fine_gray import FineGrayResult, fine_gray
from petct.survival.competing.outcome import CompetingOutcome
from petct.survival.cox.model import cox
from petct.survival.cox.result import CoxResult

_Model = TypeVar("_Model", CoxResult, FineGrayResult)


@dataclass(frozen=True)
class CompetingModels:
    """Models of one set of covariates.

    Parameters
    ----------
    fine_gray
        Speaks of the cumulative incidence of the event of interest.
    hazards
        By event, that of interest first: each speaks of the rate of the event among those free of any.
    """

    fine_gray: FineGrayResult | str
    hazards: tuple[tuple[str, CoxResult | str], ...]

    @property
    def fits(self) -> tuple[tuple[str, FineGrayResult | CoxResult], ...]:
        """The models that were not refused, by the names of their procedures."""
        named: list[tuple[str, FineGrayResult | CoxResult | str]] = [("Fine-Gray", self.fine_gray)]
        named += [(f"cause-specific Cox, {cause}", model) for cause, model in self.hazards]
        return tuple((name, model) for name, model in named if not isinstance(model, str))

    def as_json(self) -> dict[str, object]:
        """The models, or why they are refused."""
        return {
            "fine_gray": _shown(self.fine_gray),
            "cause_specific": {cause: _shown(model) for cause, model in self.hazards},
        }


def competing_models(columns: Columns, names: Sequence[str], outcome: CompetingOutcome) -> CompetingModels:
    """Fit a Fine-Gray model and a cause-specific Cox model of each event.

    Parameters
    ----------
    columns, names
        The covariates; hazard ratios of numbers are per standard deviation.
    outcome
        The patients, in the same order.
    """
    model = covariates(columns, names)
    hazards = tuple(
        (label, _attempt(lambda cause=cause: cox(outcome.of_interest(cause).cause_specific(), model)))  # type: ignore[misc]
        for cause, label in enumerate(outcome.causes, 1)
    )
    return CompetingModels(_attempt(lambda: fine_gray(outcome, model)), hazards)


def _attempt(fit: Callable[[], _Model]) -> _Model | str:
    try:
        return fit()
    except SurvivalError as error:
        return error.sentence()


def _shown(model: FineGrayResult | CoxResult | str) -> dict[str, object]:
    return {"refused": model} if isinstance(model, str) else dict(as_dict(model))
