"""Cohorts that break statistics, against every analysis: a coded refusal, or a result that JSON can hold."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import NumericCovariate
from petct.survival.cohort.groups import split_by_median, split_by_quantiles
from petct.survival.cohort.landmark import landmark_cohort
from petct.survival.cohort.outcome import FloatArray, Outcome
from petct.survival.cohort.results import as_dict
from petct.survival.competing.cumulative import cumulative_incidence
from petct.survival.competing.fine_gray import fine_gray
from petct.survival.competing.outcome import CompetingOutcome
from petct.survival.kaplan_meier.cut_points import maximally_selected_cut
from petct.survival.kaplan_meier.estimate import kaplan_meier
from petct.survival.kaplan_meier.log_rank import GEHAN_BRESLOW, PETO_PETO, TARONE_WARE, Weighting
from tests.some import some

N = 30
_SPREAD = np.random.default_rng(0).exponential(10, N)

TIMES: Mapping[str, FloatArray] = {
    "ordinary": _SPREAD,
    "all at one time": np.full(N, 5.0),
    "all at the origin": np.zeros(N),
    "tied everywhere": np.arange(N) % 2 + 1.0,
    "huge": _SPREAD * 1e98,
    "tiny": _SPREAD * 1e-300,
    "one missing": np.append(np.ones(N - 1), np.nan),
    "one infinite": np.append(np.ones(N - 1), np.inf),
    "one negative": np.append(np.ones(N - 1), -1.0),
}
EVENTS: Mapping[str, FloatArray] = {
    "all": np.ones(N),
    "none": np.zeros(N),
    "every second": np.arange(N) % 2.0,
    "competing": np.arange(N) % 3.0,
    "only competing": np.full(N, 2.0),
    "the first only": np.append(1.0, np.zeros(N - 1)),
    "one missing": np.append(np.ones(N - 1), np.nan),
}
VALUES: Mapping[str, FloatArray] = {
    "ordinary": np.arange(N) * 1.0,
    "constant": np.ones(N),
    "separating": (np.arange(N) >= N // 2) * 1.0,
    "one apart": np.append(np.zeros(N - 1), 1.0),
    "one infinite": np.append(np.arange(N - 1.0), np.inf),
    "all missing": np.full(N, np.nan),
    "many scales": np.exp(np.linspace(0, 200, N)),
    "too small": np.arange(N) * 1e-310,
    "the time itself": _SPREAD,
}
WEIGHTINGS = (PETO_PETO, GEHAN_BRESLOW, TARONE_WARE, Weighting("late", gamma=1.0))
ANALYSES: Mapping[str, Callable[[FloatArray, FloatArray, FloatArray], object]] = {
    "median split": lambda t, e, x: kaplan_meier(
        Outcome(t, e), split_by_median(x, "x"), landmarks=[0, 5, 1e9], weightings=WEIGHTINGS, trend=True
    ),
    "quartiles": lambda t, e, x: kaplan_meier(Outcome(t, e), split_by_quantiles(x, 4, "x"), trend=True, pairwise=True),
    "searched cut": lambda t, e, x: maximally_selected_cut(Outcome(t, e), x, "x", n_permutations=99, n_resamples=5),
    "late entries": lambda t, e, x: kaplan_meier(Outcome(t, e, entry=t / 2), split_by_median(x, "x")),
    "landmark": lambda t, e, _: kaplan_meier(landmark_cohort(Outcome(t, e), 1.0).outcome),
    "cumulative incidence": lambda t, e, x: cumulative_incidence(
        CompetingOutcome(t, e), split_by_median(x, "x"), landmarks=[0, 5, 1e9]
    ),
    "fine and gray": lambda t, e, x: fine_gray(CompetingOutcome(t, e), [NumericCovariate("x", x)]),
    "fine and gray as is": lambda t, e, x: fine_gray(CompetingOutcome(t, e), [NumericCovariate("x", x, scale="as_is")]),
}
REFUSED_WHATEVER_ELSE = ("one missing", "one infinite", "one negative")


@pytest.mark.parametrize("analysis", ANALYSES)
def test_a_hard_cohort_is_refused_with_a_code_or_has_a_result(analysis: str) -> None:
    codes = []
    for (times, t), (events, e), x in some(itertools.product(TIMES.items(), EVENTS.items(), VALUES.values())):
        try:
            result = ANALYSES[analysis](t, e, x)
        except SurvivalError as error:
            codes.append(error.code)
            continue
        assert times not in REFUSED_WHATEVER_ELSE, (times, events)
        assert events not in ("none", "only competing", "one missing"), (times, events)
        # Not a number that is none: as_dict refuses NaN and infinity.
        json.dumps(as_dict(result), allow_nan=False)
    assert all(code.isupper() for code in some(codes))
    assert 0 < len(codes) < len(TIMES) * len(EVENTS) * len(VALUES)
