"""P11: a Cox model of 10,000 patients and 3 covariates against the bare fit of lifelines; same numbers.

``cox`` also tests every covariate and proportional hazards and counts concordance, which the bare fit does not. Exit
code 1 when the target is missed or a coefficient differs.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd

from benchmarks.paired import paired
from petct.survival.cohort.covariates import NumericCovariate
from petct.survival.cohort.outcome import Outcome
from petct.survival.cox.model import cox

N_PATIENTS = 10_000
TARGET = 1.5


def main() -> int:
    """Print one line of docs/benchmarks.md."""
    with warnings.catch_warnings():
        # lifelines reaches deprecated names of pandas and numpy.
        warnings.simplefilter("ignore")
        from lifelines import CoxPHFitter

    rng = np.random.default_rng(11)
    x = rng.normal(size=(N_PATIENTS, 3))
    survival = rng.exponential(size=N_PATIENTS) * np.exp(-x @ [0.2, 0.1, 0.0])
    censoring = rng.exponential(1.3, size=N_PATIENTS)
    frame = pd.DataFrame(x, columns=list("abc"))
    frame["days"] = np.ceil(1000 * np.minimum(survival, censoring))
    frame["died"] = (survival <= censoring).astype(int)
    outcome = Outcome(frame["days"].to_numpy(), frame["died"].to_numpy())
    covariates = [NumericCovariate(name, frame[name].to_numpy(), scale="as_is") for name in "abc"]

    def theirs() -> CoxPHFitter:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return CoxPHFitter().fit(frame, "days", "died", fit_options={"precision": 1e-9})

    times = paired(lambda: cox(outcome, covariates), theirs)
    ours = [term.coefficient for term in cox(outcome, covariates).terms]
    equal = np.allclose(ours, theirs().params_, rtol=1e-6)
    met = times.cpu_ratio <= TARGET
    milliseconds = f"{1000 * times.ours_cpu_s:.0f} | {1000 * times.theirs_cpu_s:.0f}"
    ratios = f"{times.cpu_ratio:.2f} | {times.wall_ratio:.2f}"
    said = f"<= {TARGET}, {'met' if met else 'missed'} | {'equal' if equal else 'differ'}"
    print(f"| Cox, {N_PATIENTS:,} patients, 3 covariates | {milliseconds} | {ratios} | {said} |")
    return 0 if met and equal else 1


if __name__ == "__main__":
    sys.exit(main())
