"""What the models of the survival exam predict: concordance, AUC(t), Brier(t), baseline hazard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from petct.conformance.survival_curves import outcome_of
from petct.conformance.survival_models import covariates_of
from petct.conformance.survival_reference import Found, Statistic, Table
from petct.survival.baseline import baseline_hazard
from petct.survival.concordance import concordance, uno_concordance
from petct.survival.cox import cox
from petct.survival.outcome import FloatArray, Outcome
from petct.survival.prediction_error import auc_at, brier_at

# The models whose predictions R judged.
FORMULAS = {"gbsg2": "age+tsize+pnodes+progrec+estrec", "lung": "age+sex+ph.ecog"}


def _predicted(table: Table) -> tuple[Outcome, FloatArray]:
    """Outcome of the patients in the model, and their linear predictor (not centred), shape (n,)."""
    covariates = covariates_of(table, FORMULAS[table.name])
    terms = cox(outcome_of(table), covariates).terms
    complete = table.complete([covariate.name for covariate in covariates])
    columns = [np.asarray(covariate.values)[complete] for covariate in covariates]
    predictor = np.column_stack(columns) @ np.array([term.coefficient for term in terms])
    return outcome_of(table).subset(complete), predictor


def harrell_concordance(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """``concordance`` of the fit."""
    found = concordance(*_predicted(table))
    return {("", "", "concordance"): found.value, ("", "", "se"): found.standard_error}


def uno_concordance_of_model(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """``concordance(timewt="n/G2")``."""
    return {("", "", "concordance"): uno_concordance(*_predicted(table))}


def area_under_curve(table: Table, _: str, statistics: Sequence[Statistic]) -> Found:
    """AUC(t) of ``riskRegression::Score``."""
    outcome, predictor = _predicted(table)
    return {("", s.term, "auc"): auc_at(outcome, predictor, float(s.term)) for s in statistics}


def brier_score(table: Table, _: str, statistics: Sequence[Statistic]) -> Found:
    """Brier(t) of ``riskRegression::Score``."""
    outcome, predictor = _predicted(table)
    hazard = baseline_hazard(outcome, predictor)
    found: Found = {}
    for term in {s.term for s in statistics}:
        probability = hazard.event_probability(predictor, np.array([float(term)]))[:, 0]
        found["", term, "brier"] = brier_at(outcome, probability, float(term))
    return found


def baseline(table: Table, _: str, statistics: Sequence[Statistic]) -> Found:
    """``basehaz(centered=FALSE)``."""
    hazard = baseline_hazard(*_predicted(table))
    return {("", s.term, "cumhaz0"): float(hazard.at(np.array([float(s.term)]))[0]) for s in statistics}
