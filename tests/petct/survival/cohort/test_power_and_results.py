"""Schoenfeld's formula, the JSON form of results, and what the package loads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.power import (
    minimum_detectable_from_error,
    minimum_detectable_hazard_ratio,
    minimum_detectable_hazard_ratio_per_sd,
)
from petct.survival.cohort.results import as_dict, p_text
from petct.survival.cox.model import cox


def test_published_figures_of_the_formula() -> None:
    assert minimum_detectable_hazard_ratio(38) == pytest.approx(2.5, abs=0.05)
    assert minimum_detectable_hazard_ratio_per_sd(38) == pytest.approx(1.58, abs=0.005)
    # Schoenfeld: 4 x 7.849 / ln(2)^2 = 65.3 events detect a hazard ratio of 2.
    assert minimum_detectable_hazard_ratio(65) > 2 > minimum_detectable_hazard_ratio(66)
    for events in (20, 38, 200):
        assert minimum_detectable_hazard_ratio(events, 0.3) > minimum_detectable_hazard_ratio(events, 0.5)


def test_the_error_of_a_model_says_what_it_could_have_shown() -> None:
    rng = np.random.default_rng(0)
    n = 4000
    x = rng.normal(size=n)
    twin = 0.9 * x + np.sqrt(1 - 0.9**2) * rng.normal(size=n)
    arm = np.where(np.arange(n) < 1000, "A", "B").tolist()
    outcome = Outcome(rng.exponential(size=n), rng.random(n) < 0.6)
    alone = cox(outcome, [NumericCovariate("x", x), CategoricalCovariate("arm", arm)]).terms
    # Without correlation between covariates it is Schoenfeld's number, of a covariate and of two unequal groups.
    d = outcome.n_events
    assert np.log(alone[0].minimum_detectable_hazard_ratio) == pytest.approx(
        np.log(minimum_detectable_hazard_ratio_per_sd(d)), rel=0.05
    )
    assert np.log(alone[1].minimum_detectable_hazard_ratio) == pytest.approx(
        np.log(minimum_detectable_hazard_ratio(d, 0.25)), rel=0.05
    )
    # Beside its twin a covariate needs 1 / sqrt(1 - 0.81) as much.
    both = cox(outcome, [NumericCovariate("x", x), NumericCovariate("twin", twin)]).terms[0]
    ratio = np.log(both.minimum_detectable_hazard_ratio) / np.log(alone[0].minimum_detectable_hazard_ratio)
    assert ratio == pytest.approx(1 / np.sqrt(1 - 0.9**2), rel=0.05)
    assert minimum_detectable_from_error(1 / np.sqrt(38)) == pytest.approx(minimum_detectable_hazard_ratio_per_sd(38))
    text = " ".join(cox(outcome, [NumericCovariate("x", x)]).notes)
    assert "was detectable with 80 % power" in text


@pytest.mark.parametrize(
    "ask",
    [
        lambda: minimum_detectable_hazard_ratio(0),
        lambda: minimum_detectable_hazard_ratio(10, 1.0),
        lambda: minimum_detectable_hazard_ratio_per_sd(10, 0),
        lambda: minimum_detectable_hazard_ratio_per_sd(10, 0.8),
    ],
)
def test_impossible_power_is_refused(ask: Callable[[], object]) -> None:
    with pytest.raises(SurvivalError, match="POWER_INVALID"):
        ask()


@dataclass(frozen=True)
class _Holder:
    value: object


def test_results_become_plain_values_and_nothing_else() -> None:
    assert as_dict(_Holder((_Holder(1.5), {"a": None}, True))) == {"value": [{"value": 1.5}, {"a": None}, True]}
    assert as_dict(_Holder(np.array([[1.0, 2.0]]))) == {"value": [[1.0, 2.0]]}
    for odd in (float("nan"), np.array([np.nan]), {1, 2}):
        with pytest.raises(TypeError):
            as_dict(_Holder(odd))
    with pytest.raises(TypeError):
        as_dict("text")


def test_p_values_are_printed_as_in_papers() -> None:
    assert (p_text(0.0004), p_text(0.0312), p_text(0.5)) == ("p < 0.001", "p = 0.031", "p = 0.500")


def test_the_package_loads_in_a_moment() -> None:
    code = (
        "import sys, petct.survival.kaplan_meier.estimate, petct.survival.cox.model, petct.survival.features.pca;"
        "import petct.clinical.rows;"
        "print(sorted({'pandas', 'lifelines', 'radiomics', 'dagster', 'duckdb', 'scipy.stats'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
