"""How often the p-values of accelerated failure time models find an effect where there is none, by test and covariate.

    python -m benchmarks.aft_levels --cohorts 1000

prints the table of docs/lifelines.md. The likelihoods are written here, because lifelines takes half a second a fit;
``tests/petct/survival/with_lifelines/test_aft.py`` shows that its models are the maxima of the same likelihoods.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_ndtr
from scipy.stats import chi2, f, norm

N = 67
LEVEL = 0.05
SIGMAS = {0.0: "normal", 1.0: "lognormal", 2.0: "lognormal, sigma 2"}
TITLES = {"weibull": "Weibull", "log_normal": "log-normal", "log_logistic": "log-logistic"}


def loss(
    at: np.ndarray, design: np.ndarray, log_time: np.ndarray, event: np.ndarray, name: str
) -> tuple[float, np.ndarray]:
    """Negative log likelihood of log time and its gradient, at coefficients and log scale."""
    scale = np.exp(at[-1])
    z = (log_time - design @ at[:-1]) / scale
    if name == "weibull":
        hazard = np.exp(np.minimum(z, 300.0))
        value, slope = event * (z - at[-1]) - hazard, event - hazard
    elif name == "log_normal":
        value = np.where(event == 1, norm.logpdf(z) - at[-1], log_ndtr(-z))
        slope = np.where(event == 1, -z, -np.exp(norm.logpdf(z) - log_ndtr(-z)))
    else:
        value = event * (z - at[-1]) - (1 + event) * np.logaddexp(0, z)
        slope = event - (1 + event) * expit(z)
    return -float(value.sum()), np.append(design.T @ slope / scale, slope @ z + event.sum())


def p_values(x: np.ndarray, log_time: np.ndarray, event: np.ndarray, name: str) -> tuple[float, float, float]:
    """P by Wald's test, and by the likelihood ratio test with the chi-squared and with the F distribution."""
    design = np.column_stack((np.ones(len(x)), x))
    fits = []
    for columns in (2, 1):
        data = (design[:, :columns], log_time, event, name)
        start = np.append([log_time.mean() + 0.5, 0.0][:columns], 0.0)
        fits.append(minimize(loss, start, args=data, jac=True, method="BFGS", options={"gtol": 1e-6}))
    full, null = fits
    steps = 1e-5 * np.eye(3)
    slopes = [
        (loss(full.x + s, design, log_time, event, name)[1], loss(full.x - s, design, log_time, event, name)[1])
        for s in steps
    ]
    hessian = np.array([(above - below) / 2e-5 for above, below in slopes])
    wald = full.x[1] ** 2 / np.linalg.inv((hessian + hessian.T) / 2)[1, 1]
    ratio = max(2 * (null.fun - full.fun), 0.0)
    return chi2.sf(wald, 1), chi2.sf(ratio, 1), f.sf(ratio, 1, event.sum() - 3)


def rates(sigma: float, truth: str, n_cohorts: int, seed: int) -> dict[str, np.ndarray]:
    """Share of null cohorts with p below 5 %: the three tests of each distribution."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in TITLES}
    for _ in range(n_cohorts):
        x = np.exp(sigma * rng.normal(size=N)) if sigma else rng.normal(size=N)
        time = 1000 * rng.weibull(1.3, N) if truth == "weibull" else 800 * np.exp(rng.normal(size=N))
        censored = rng.uniform(200, 2500, N)
        event, log_time = (time <= censored).astype(float), np.log(np.minimum(time, censored))
        for name, values in found.items():
            values.append(p_values((x - x.mean()) / x.std(), log_time, event, name))
    return {name: (np.array(values) < LEVEL).mean(axis=0) for name, values in found.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=42)
    arguments = parser.parse_args()
    print("| covariate | times | model | Wald | likelihood ratio, chi-squared | likelihood ratio, F (shown) |")
    print("|---|---|---|---|---|---|")
    for sigma, covariate in SIGMAS.items():
        for truth in ("weibull", "log_normal"):
            for name, shares in rates(sigma, truth, arguments.cohorts, arguments.seed).items():
                cells = " | ".join(f"{share:.1%}".replace("%", " %") for share in shares)
                print(f"| {covariate} | {TITLES[truth]} | {TITLES[name]} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
