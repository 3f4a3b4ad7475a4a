"""What selection costs: concordance on pure noise, in the patients of the fit and in patients left out.

``make simulate`` runs it; alone: ``python -m benchmarks.optimism [--cohorts 100] [--seed 20250881]``. About 2 CPU
minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from petct.survival.cohort.outcome import Outcome
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.preparation import PreparationRules
from petct.survival.prediction.cross_validation import nested_cross_validation
from petct.survival.prediction.procedures import BestUnivariable, ElasticNet, Procedure

SEED = 20250881
N_COHORTS = 100
N_PATIENTS = 67
N_FEATURES = 200
CENSORED = 0.43


@dataclass(frozen=True)
class Optimism:
    """Concordance over the cohorts: means, standard errors, and how often nothing was selected at all."""

    procedure: str
    n_cohorts: int
    naive: float
    naive_error: float
    nested: float
    nested_error: float
    n_empty: int

    @property
    def unbiased(self) -> bool:
        """Whether the nested concordance is within two standard errors of 0.5."""
        return abs(self.nested - 0.5) <= 2 * self.nested_error


def noise_cohort(rng: np.random.Generator) -> tuple[Outcome, FeatureTable]:
    """One cohort like the study's; normal and lognormal features know nothing of the outcome."""
    event_time = rng.exponential(size=N_PATIENTS)
    # Exponential censoring with this rate ends before the event in the share CENSORED.
    censoring = rng.exponential((1 - CENSORED) / CENSORED, size=N_PATIENTS)
    outcome = Outcome(np.minimum(event_time, censoring), event_time <= censoring)
    values = rng.normal(size=(N_PATIENTS, N_FEATURES))
    values[:, ::2] = np.exp(values[:, ::2])
    return outcome, FeatureTable(tuple(f"feature_{j}" for j in range(N_FEATURES)), values)


def simulate(n_cohorts: int = N_COHORTS, seed: int = SEED) -> tuple[Optimism, ...]:
    """Validate both ways, on every cohort, a selection of the best features and a LASSO."""
    rules = PreparationRules()
    procedures: Sequence[Procedure] = (BestUnivariable(5, rules), ElasticNet(rules=rules, n_penalties=20))
    rows: dict[str, list[tuple[float, float, bool]]] = {each.description: [] for each in procedures}
    for cohort in range(n_cohorts):
        outcome, table = noise_cohort(np.random.default_rng([seed, cohort]))
        for procedure in procedures:
            found = nested_cross_validation(outcome, table, procedure, n_repeats=1, seed=cohort)
            rows[procedure.description].append(
                (found.apparent_concordance, found.concordance, found.n_empty == found.n_fits)
            )
    return tuple(_summary(name, np.array(values)) for name, values in rows.items())


def _summary(procedure: str, values: np.ndarray) -> Optimism:
    mean = values.mean(axis=0)
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return Optimism(
        procedure,
        len(values),
        float(mean[0]),
        float(error[0]),
        float(mean[1]),
        float(error[1]),
        int(values[:, 2].sum()),
    )


def markdown(results: Sequence[Optimism], seed: int) -> str:
    """The section of docs/validation.md."""
    lines = [
        "## Optimism",
        "",
        f"Pure noise: {results[0].n_cohorts} cohorts of {N_PATIENTS} patients, {100 * CENSORED:.0f} % censored, "
        f"{N_FEATURES} features (half normal, half lognormal) without any effect. *Naive* is the concordance in the "
        "patients of the fit, *nested* that of a 5-fold nested cross-validation with preparation and selection "
        f"inside the folds (0.5 if nothing is selected). Means with their standard error; seed {seed}.",
        "",
        "| procedure | naive C | nested C | within 0.5 ± 2 SE | cohorts without any selection |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.procedure} | {each.naive:.3f} ± {each.naive_error:.3f} | {each.nested:.3f} ± {each.nested_error:.3f} "
        f"| {'yes' if each.unbiased else 'NO'} | {each.n_empty} |"
        for each in results
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=N_COHORTS)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    print(markdown(simulate(arguments.cohorts, arguments.seed), arguments.seed), end="")


if __name__ == "__main__":
    main()
