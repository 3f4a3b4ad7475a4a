"""Outcomes have the stated hazard ratio, the stated censoring and the stated mean."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from petct.synthetic.outcomes import CohortOutcomes, covariate, n_censored, simulate_outcomes
from petct.synthetic.patients import PatientPlan, plan_patient
from petct.synthetic.settings import CohortSettings, Effect
from tests.some import some


@pytest.fixture(scope="module")
def plans() -> list[PatientPlan]:
    return [plan_patient(CohortSettings(), number) for number in range(1, 68)]


def _simulate(settings: CohortSettings, plans: list[PatientPlan]) -> CohortOutcomes:
    return simulate_outcomes(
        settings, [plan.tumour_volume_ml for plan in plans], [plan.therapy_start for plan in plans]
    )


def _cox(plans: list[PatientPlan], outcomes: CohortOutcomes) -> tuple[float, float, float]:
    """Log hazard ratio per doubling and its 95 % confidence interval."""
    frame = pd.DataFrame(
        {
            "x": [covariate(plan.tumour_volume_ml) for plan in plans],
            "days": [outcome.duration_days for outcome in outcomes.outcomes],
            "died": [outcome.died for outcome in outcomes.outcomes],
        }
    )
    fit = CoxPHFitter().fit(frame, "days", "died")
    low, high = fit.confidence_intervals_.to_numpy()[0]
    return float(fit.params_.iloc[0]), float(low), float(high)


def test_planted_hazard_ratio_lies_in_its_confidence_interval(plans: list[PatientPlan]) -> None:
    truth = math.log(1.6)
    fits = [
        _cox(plans, _simulate(CohortSettings(seed=seed, effect=Effect.PLANTED), plans)) for seed in range(1000, 1100)
    ]
    assert sum(low <= truth <= high for _, low, high in fits) >= 90
    # Four standard errors of the mean of 100 estimates.
    assert np.mean([estimate for estimate, _, _ in fits]) == pytest.approx(truth, abs=0.056)


def test_null_has_no_hazard_ratio(plans: list[PatientPlan]) -> None:
    fits = [_cox(plans, _simulate(CohortSettings(seed=seed), plans)) for seed in range(2000, 2100)]
    assert sum(low <= 0.0 <= high for _, low, high in fits) >= 90
    assert np.mean([estimate for estimate, _, _ in fits]) == pytest.approx(0.0, abs=0.04)


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("seed", [1, 2, 20250681])
def test_full_cohort_has_the_censoring_and_the_mean_of_the_study(
    plans: list[PatientPlan], effect: Effect, seed: int
) -> None:
    outcomes = _simulate(CohortSettings(seed=seed, effect=effect), plans)
    days = np.array([outcome.duration_days for outcome in outcomes.outcomes])
    assert sum(not outcome.died for outcome in outcomes.outcomes) == 29
    assert days.mean() / 30.4375 == pytest.approx(46.5, abs=0.1)
    assert days.min() >= 1


@pytest.mark.parametrize("n", [1, 2, 3, 8, 20, 67])
def test_dates_agree_and_nobody_is_seen_after_the_lock(plans: list[PatientPlan], n: int) -> None:
    outcomes = _simulate(CohortSettings(n_patients=n), plans[:n])
    administrative = 0
    for plan, outcome in some(zip(plans[:n], outcomes.outcomes, strict=True)):
        end = plan.therapy_start + dt.timedelta(days=outcome.duration_days)
        assert outcome.last_follow_up_date == end <= outcomes.lock_date
        assert outcome.death_date == (end if outcome.died else None)
        administrative += not outcome.died and end == outcomes.lock_date
    censored = sum(not outcome.died for outcome in outcomes.outcomes)
    assert censored == n_censored(n) == min(round(n * 29 / 67), n - 1)
    assert administrative >= 0.5 * censored


def test_null_outcomes_and_their_calibration_ignore_the_volume(plans: list[PatientPlan]) -> None:
    starts = [plan.therapy_start for plan in plans]
    volumes = [plan.tumour_volume_ml for plan in plans]
    assert simulate_outcomes(CohortSettings(), volumes, starts) == simulate_outcomes(
        CohortSettings(), volumes[::-1], starts
    )
    planted = CohortSettings(effect=Effect.PLANTED)
    assert simulate_outcomes(planted, volumes, starts) != simulate_outcomes(planted, volumes[::-1], starts)


def test_covariate_has_a_floor() -> None:
    assert covariate(0.0) == covariate(1.0) == 0.0
    assert covariate(64.0) - covariate(32.0) == 1.0
