"""The simulation of optimism: its cohorts are what they say, and so is its table."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.optimism import N_FEATURES, N_PATIENTS, Optimism, markdown, noise_cohort, simulate


def test_noise_cohorts_are_censored_and_skewed_as_declared() -> None:
    cohorts = [noise_cohort(np.random.default_rng([1, each])) for each in range(60)]
    censored = np.mean([1 - outcome.event.mean() for outcome, _ in cohorts])
    assert censored == pytest.approx(0.43, abs=0.02)
    values = np.vstack([table.values for _, table in cohorts])
    assert values.shape == (60 * N_PATIENTS, N_FEATURES)
    assert values[:, ::2].min() > 0
    assert np.abs(values[:, 1::2].mean()) < 0.01


def test_a_biased_procedure_would_be_told() -> None:
    fair = Optimism("fair", 100, 0.75, 0.003, 0.51, 0.008, 0)
    biased = Optimism("biased", 100, 0.75, 0.003, 0.53, 0.008, 3)
    assert fair.unbiased
    assert not biased.unbiased
    lines = markdown([fair, biased], 7).splitlines()
    assert lines[-2] == "| fair | 0.750 ± 0.003 | 0.510 ± 0.008 | yes | 0 |"
    assert lines[-1] == "| biased | 0.750 ± 0.003 | 0.530 ± 0.008 | NO | 3 |"


def test_two_cohorts_already_show_the_optimism_of_selection() -> None:
    first = simulate(2, 5)
    assert first[0].naive > 0.65
    assert [each.n_cohorts for each in first] == [2, 2]
