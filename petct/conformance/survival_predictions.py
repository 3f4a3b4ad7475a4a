"""How well the models of the survival exam discriminate and predict: concordance, AUC(t), Brier(t)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from petct.conformance.survival_models import model_of
from petct.conformance.survival_reference import Found, Statistic, Table
from petct.survival.accuracy.concordance import concordance, uno_concordance
from petct.survival.accuracy.prediction_error import auc_at, brier_at
from petct.survival.cox.curves import baseline_hazards


def harrell_concordance(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """``concordance`` of the fit."""
    fit = model_of(table)
    found = concordance(fit.cohort, fit.linear_predictor)
    return {("", "", "concordance"): found.value, ("", "", "se"): found.standard_error}


def uno_concordance_of_model(table: Table, _: str, __: Sequence[Statistic]) -> Found:
    """``concordance(timewt="n/G2")``."""
    fit = model_of(table)
    return {("", "", "concordance"): uno_concordance(fit.cohort, fit.linear_predictor)}


def area_under_curve(table: Table, _: str, statistics: Sequence[Statistic]) -> Found:
    """AUC(t) of ``riskRegression::Score(cens.model="km")``."""
    fit = model_of(table)
    return {("", s.term, "auc"): auc_at(fit.cohort, fit.linear_predictor, float(s.term)) for s in statistics}


def brier_score(table: Table, _: str, statistics: Sequence[Statistic]) -> Found:
    """Brier(t) of ``riskRegression::Score(cens.model="km")``."""
    fit = model_of(table)
    (whole,) = baseline_hazards(fit, at="mean")
    found: Found = {}
    for term in {s.term for s in statistics}:
        probability = whole.hazard.event_probability(fit.linear_predictor, np.array([float(term)]))[:, 0]
        found["", term, "brier"] = brier_at(fit.cohort, probability, float(term))
    return found
