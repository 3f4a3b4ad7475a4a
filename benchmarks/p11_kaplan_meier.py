"""P11: a Kaplan-Meier split of 10,000 patients against lifelines' bare estimates and log-rank test; same numbers.

Ours is what the page Survival shows when its data are loaded: the split, curves with limits and numbers at risk,
medians, follow-up by reverse Kaplan-Meier, restricted means and their difference, and the log-rank test. Theirs is
``KaplanMeierFitter`` for each group and ``logrank_test``. Exit code 1 when the target is missed or a value differs.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

from analyses.requests.data import AnalysisData, Basis, SurvivalTimes
from analyses.requests.kaplan_meier import KaplanMeierRequest
from analyses.requests.known import answer
from benchmarks.paired import paired
from petct.survival.cohort.columns import Columns
from petct.survival.kaplan_meier.result import KaplanMeierResult

N_PATIENTS = 10_000
TARGET = 1.5


def main() -> int:
    """Print one line of docs/benchmarks.md."""
    with warnings.catch_warnings():
        # lifelines reaches deprecated names of pandas and numpy.
        warnings.simplefilter("ignore")
        from lifelines import KaplanMeierFitter
        from lifelines.statistics import logrank_test

    rng = np.random.default_rng(11)
    x = rng.normal(size=N_PATIENTS)
    survival = rng.exponential(size=N_PATIENTS) * np.exp(-0.2 * x)
    censoring = rng.exponential(1.3, size=N_PATIENTS)
    days = np.ceil(1000 * np.minimum(survival, censoring))
    died = (survival <= censoring).astype(int)
    data = AnalysisData(Basis("simulated"), (), Columns({"x": x}), times=SurvivalTimes(days, died))
    request = KaplanMeierRequest("x", "median")

    def theirs() -> tuple[list[KaplanMeierFitter], float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            above = x > np.median(x)
            fits = [KaplanMeierFitter().fit(days[arm], died[arm]) for arm in (~above, above)]
            test = logrank_test(days[~above], days[above], died[~above], died[above])
            return fits, float(test.test_statistic)

    times = paired(lambda: answer(request, data), theirs)
    ours = answer(request, data).result_as(KaplanMeierResult)
    fits, statistic = theirs()
    equal = ours.log_rank is not None and np.allclose(ours.log_rank.chi_squared, statistic, rtol=1e-9)
    for curve, fit in zip(ours.curves, fits, strict=True):
        equal = equal and np.allclose(curve.survival, fit.predict(list(curve.times)).to_numpy(), rtol=1e-9)
    met = times.cpu_ratio <= TARGET
    milliseconds = f"{1000 * times.ours_cpu_s:.0f} | {1000 * times.theirs_cpu_s:.0f}"
    ratios = f"{times.cpu_ratio:.2f} | {times.wall_ratio:.2f}"
    said = f"<= {TARGET}, {'met' if met else 'missed'} | {'equal' if equal else 'differ'}"
    print(f"| Kaplan-Meier, {N_PATIENTS:,} patients, median split | {milliseconds} | {ratios} | {said} |")
    return 0 if met and equal else 1


if __name__ == "__main__":
    sys.exit(main())
