"""What a scan over many features says, feature by feature and as a family."""

from __future__ import annotations

from dataclasses import dataclass

from petct.survival.cohort.results import SIGNIFICANCE_LEVEL, IntervalResult, counted
from petct.survival.features.feature_table import Dropped


@dataclass(frozen=True)
class HazardRatio:
    """A hazard ratio with its confidence limits (Wald), and what it compares: ``per SD (11.2 ml)``."""

    value: float
    lower: float
    upper: float
    scale: str


@dataclass(frozen=True)
class AdjustedEffect:
    """A feature beside the covariates that the scan adjusts for.

    Parameters
    ----------
    n
        Patients with the feature and all those covariates.
    hazard_ratio
        Per SD of the feature at equal values of the covariates; None where ``reason`` says why.
    p, q
        By permutation of residuals, alone and by Benjamini-Hochberg over the family; None with the hazard ratio.
    spearman
        Rho of the feature with the first of the covariates.
    reason
        Why there is no number, or None.
    """

    n: int
    hazard_ratio: HazardRatio | None
    p: float | None
    q: float | None
    spearman: float
    reason: Dropped | None


@dataclass(frozen=True)
class ScanRow:
    """One tested feature.

    Parameters
    ----------
    n, n_events, n_missing
        Patients with a value, events among them, patients without one.
    hazard_ratio
        From a Cox model of this feature alone; None where it runs away (``reason``).
    z
        Standardised log-rank score.
    p
        Of this feature alone, by permutation: not corrected for anything.
    p_bonferroni, q, p_familywise
        The same over the family: Bonferroni; Benjamini-Hochberg; step-down maximum of Westfall and Young.
    minimum_detectable_hazard_ratio
        Per SD, what so many events detect with 80 % power at the Bonferroni level of the family.
    stability
        Share of half-samples in which a LASSO chose the feature; None when it was not asked for or a value is missing.
    adjusted
        Beside the covariates; None when none were given.
    reason
        Why there is no hazard ratio, or None.
    """

    name: str
    unit: str | None
    n: int
    n_events: int
    n_missing: int
    hazard_ratio: HazardRatio | None
    z: float
    p: float
    p_bonferroni: float
    q: float
    p_familywise: float
    minimum_detectable_hazard_ratio: float
    stability: float | None
    adjusted: AdjustedEffect | None
    reason: Dropped | None


@dataclass(frozen=True, kw_only=True)
class ScanResult(IntervalResult):
    """A scan over a declared family of features.

    Parameters
    ----------
    n_declared, n_tested
        Features in the family; tests that were run, for which all corrections correct.
    n_permutations, seed
        How.
    p_best
        Probability that the best of so many would look as good as it does if none mattered.
    n_found_uncorrected, n_expected_uncorrected
        Features with p < 0.05 before any correction, and how many noise alone is expected to give.
    adjusted_for
        Names of the covariates of the adjusted version.
    rows
        Tested features, strongest first.
    untested
        The others, each with its reason.
    stability_threshold, stability_most_false
        From which share a feature is stable, and how many of those are false at most on average; None without
        selection.
    """

    n_declared: int
    n_tested: int
    n_permutations: int
    seed: int
    p_best: float
    n_found_uncorrected: int
    n_expected_uncorrected: float
    adjusted_for: tuple[str, ...]
    rows: tuple[ScanRow, ...]
    untested: tuple[Dropped, ...]
    stability_threshold: float | None
    stability_most_false: float | None

    @property
    def found(self) -> tuple[str, ...]:
        """Features with a family-wise p of at most 0.05: on noise there is any in at most 5 % of cohorts."""
        return tuple(row.name for row in self.rows if row.p_familywise <= SIGNIFICANCE_LEVEL)

    @property
    def discoveries(self) -> tuple[str, ...]:
        """Features with q of at most 0.05: at most so large a share of them is false on average."""
        return tuple(row.name for row in self.rows if row.q <= SIGNIFICANCE_LEVEL)

    @property
    def p_threshold(self) -> float:
        """The largest uncorrected p that Benjamini-Hochberg let pass at 0.05; where none did, what one had needed."""
        passed = [row.p for row in self.rows if row.q <= SIGNIFICANCE_LEVEL]
        return max(passed, default=SIGNIFICANCE_LEVEL / self.n_tested)

    @property
    def minimum_detectable_hazard_ratio(self) -> float:
        """Per SD, what the feature with the fewest events could have detected with 80 % power after correction."""
        return max(row.minimum_detectable_hazard_ratio for row in self.rows)

    @property
    def verdict(self) -> str:
        """How many features survive correction, what noise alone gives, and what could have been seen."""
        n = len(self.discoveries)
        subject = "None" if n == 0 else str(n)
        verb = "survive" if n > 1 else "survives"
        before = f"{self.n_found_uncorrected} {'has' if self.n_found_uncorrected == 1 else 'have'}"
        return (
            f"{subject} of {counted(self.n_tested, 'feature')} {verb} correction for all of them (Benjamini-Hochberg, "
            f"q of at most {SIGNIFICANCE_LEVEL:g}; family-wise: {len(self.found)}). Before it {before} p below "
            f"{SIGNIFICANCE_LEVEL:g}, where noise alone is expected to give {self.n_expected_uncorrected:.1f}. After "
            f"it {counted(self.n_events, 'event')} detect a hazard ratio per "
            f"SD of {self.minimum_detectable_hazard_ratio:.2f} or more with 80 % power."
        )
