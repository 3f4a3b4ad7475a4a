"""What covariates do to an event that others compete with: each model, or the sentence of its refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyses.requests.tested import Tested
from petct.errors import SurvivalError
from petct.survival.cohort.columns import Columns
from petct.survival.cohort.covariates import CategoricalCovariate, Covariate, NumericCovariate
from petct.survival.competing.fine_gray import FineGrayResult, fine_gray
from petct.survival.competing.outcome import CompetingOutcome
from petct.survival.cox.model import CoxResult, cox


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


def competing_models(columns: Columns, names: Sequence[str], outcome: CompetingOutcome) -> CompetingModels:
    """Fit a Fine-Gray model and a cause-specific Cox model of each event.

    Parameters
    ----------
    columns, names
        The covariates; hazard ratios of numbers are per standard deviation.
    outcome
        The patients, in the same order.
    """
    covariates: list[Covariate] = [
        NumericCovariate(columns.label(name), columns.number(name), columns.unit(name))
        if columns.is_number(name)
        else CategoricalCovariate(columns.label(name), columns.texts(name))
        for name in names
    ]
    hazards = []
    for cause, label in enumerate(outcome.causes, 1):
        hazards.append((label, _hazard_model(outcome, cause, covariates)))
    try:
        return CompetingModels(fine_gray(outcome, covariates), tuple(hazards))
    except SurvivalError as error:
        return CompetingModels(error.sentence(), tuple(hazards))


def _hazard_model(outcome: CompetingOutcome, cause: int, covariates: Sequence[Covariate]) -> CoxResult | str:
    try:
        return cox(outcome.of_interest(cause).cause_specific(), covariates)
    except SurvivalError as error:
        return error.sentence()


def hypotheses_of_fit(procedure: str, fit: FineGrayResult | CoxResult) -> Tested:
    """The tests of one model, one a coefficient."""
    shown = [term.p for term in fit.terms if term.p is not None]
    how = ", ".join(term.scale for term in fit.terms)
    return Tested(procedure, how, len(fit.terms), min(shown, default=None))
