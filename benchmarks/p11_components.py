"""P11: components of 10,000 patients x 120 features against numpy (``python -m benchmarks.components``)."""

from __future__ import annotations

import statistics
import time

import numpy as np

from petct.survival.pca import pca

N_ROWS, N_FEATURES, N_TIMES = 10_000, 120, 7
LIMIT = 1.5


def main() -> None:
    """Print the median CPU seconds of both, run in turns, and their ratio."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N_ROWS, 20)) @ rng.normal(size=(20, N_FEATURES)) + rng.normal(size=(N_ROWS, N_FEATURES))
    names, rows = [f"feature_{j}" for j in range(N_FEATURES)], [str(i) for i in range(N_ROWS)]

    def bare() -> None:
        standardised = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
        np.linalg.svd(standardised, full_matrices=False)

    seconds: dict[str, list[tuple[float, float]]] = {"numpy": [], "petlake": []}
    for _ in range(N_TIMES):
        for name, call in (("numpy", bare), ("petlake", lambda: pca(values, names, rows))):
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            seconds[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    median = {
        name: [statistics.median(column) for column in zip(*pairs, strict=True)] for name, pairs in seconds.items()
    }
    wall_ratio, cpu_ratio = (median["petlake"][k] / median["numpy"][k] for k in (0, 1))
    for name, (wall, cpu) in median.items():
        print(f"{name:8} {wall:.3f} s wall, {cpu:.3f} s CPU")
    print(f"ratio    {wall_ratio:.2f} wall, {cpu_ratio:.2f} CPU (at most {LIMIT})")


if __name__ == "__main__":
    main()
