"""P11: components of 10,000 patients x 120 features against numpy's bare decomposition; same explained variance.

``pca`` also leaves out what has no place in it and gives every score. Exit code 1 when the target is missed or a
variance differs.
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.paired import paired
from petct.survival.features.pca import pca

N_PATIENTS, N_FEATURES = 10_000, 120
TARGET = 1.5


def main() -> int:
    """Print one line of docs/benchmarks.md."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(N_PATIENTS, 20)) @ rng.normal(size=(20, N_FEATURES))
    values = factors + rng.normal(size=(N_PATIENTS, N_FEATURES))
    names, rows = [f"feature_{j}" for j in range(N_FEATURES)], [str(i) for i in range(N_PATIENTS)]

    def theirs() -> np.ndarray:
        standardised = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
        return np.linalg.svd(standardised, full_matrices=False)[1]

    times = paired(lambda: pca(values, names, rows), theirs, rounds=7)
    ours = [component.explained_variance_ratio for component in pca(values, names, rows).components]
    squared = theirs() ** 2
    equal = np.allclose(ours, (squared / squared.sum())[: len(ours)], rtol=1e-9)
    met = times.cpu_ratio <= TARGET
    milliseconds = f"{1000 * times.ours_cpu_s:.0f} | {1000 * times.theirs_cpu_s:.0f}"
    ratios = f"{times.cpu_ratio:.2f} | {times.wall_ratio:.2f}"
    said = f"<= {TARGET}, {'met' if met else 'missed'} | {'equal' if equal else 'differ'}"
    print(f"| Components, {N_PATIENTS:,} patients, {N_FEATURES} features | {milliseconds} | {ratios} | {said} |")
    return 0 if met and equal else 1


if __name__ == "__main__":
    sys.exit(main())
