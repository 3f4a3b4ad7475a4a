"""ComBat: features of several scanners or sites brought to one location and scale (docs/decisions/0006).

Johnson WE, Li C, Rabinovic A, Biostatistics 2007;8:118, parametric, without covariates. The parameters are estimated on
training patients and kept, so that the same correction reaches patients who come later, from the same batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from petct.errors import FeatureError
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import SIGNIFICANCE_LEVEL, chi_squared_p, p_text
from petct.survival.features.feature_table import FloatArray
from petct.survival.kaplan_meier.log_rank import log_rank

SMALLEST_BATCH = 10
FEWEST_FEATURES = 3
_MOST_ITERATIONS = 1000
_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Combat:
    """A fitted correction.

    Parameters
    ----------
    batches
        Names, sorted.
    mean, sd
        Of each feature over all batches, shape (p,).
    location, scale
        Additive and multiplicative effect of each batch on the standardised features, after shrinkage, shape
        (batches, p).
    """

    batches: tuple[str, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    location: tuple[tuple[float, ...], ...]
    scale: tuple[tuple[float, ...], ...]

    def apply(self, values: FloatArray, batch: Sequence[str]) -> FloatArray:
        """Correct features of shape (n, p); raises FeatureError HARMONISATION_BATCH_UNKNOWN."""
        position = {name: index for index, name in enumerate(self.batches)}
        unknown = sorted(set(batch) - set(position))
        if unknown:
            raise FeatureError(
                "HARMONISATION_BATCH_UNKNOWN",
                "A patient is of a batch that the harmonisation was not fitted on",
                keyword=unknown[0],
                found=", ".join(unknown),
                expected=", ".join(self.batches),
                hint="Fit on patients of every batch, or analyse without harmonisation.",
            )
        row = np.array([position[name] for name in batch], dtype=np.int64)
        mean, sd = np.array(self.mean), np.array(self.sd)
        standardised = (values - mean) / sd
        corrected = (standardised - np.array(self.location)[row]) / np.array(self.scale)[row]
        return np.asarray(corrected * sd + mean, dtype=np.float64)

    def features(self, kept: Sequence[int]) -> Combat:
        """Return the correction of some features only, by index."""
        return replace(
            self,
            mean=tuple(self.mean[j] for j in kept),
            sd=tuple(self.sd[j] for j in kept),
            location=tuple(tuple(row[j] for j in kept) for row in self.location),
            scale=tuple(tuple(row[j] for j in kept) for row in self.scale),
        )


def fit_combat(values: FloatArray, names: Sequence[str], batch: Sequence[str]) -> Combat:
    """Estimate the correction on training patients.

    Parameters
    ----------
    values
        Shape (n, p), without missing values.
    names
        Features, for refusals.
    batch
        Batch of each patient.

    Raises
    ------
    FeatureError
        HARMONISATION_ONE_BATCH, HARMONISATION_BATCH_TOO_SMALL, HARMONISATION_TOO_FEW_FEATURES, HARMONISATION_CONSTANT.
    """
    sizes = Counter(batch)
    batches = tuple(sorted(sizes))
    _refuse(sizes, names)
    rows = [np.flatnonzero(np.array(batch, dtype=object) == name) for name in batches]
    share = np.array([len(each) for each in rows]) / len(values)
    means = np.array([values[each].mean(axis=0) for each in rows])
    mean = share @ means
    within = values - means[np.searchsorted(batches, batch)]
    sd = np.sqrt((within**2).mean(axis=0))
    standardised = (values - mean) / np.where(sd > 0, sd, 1.0)
    spread = np.array([standardised[each].var(axis=0, ddof=1) for each in rows])
    flat = (sd == 0) | np.any(spread <= 1e-12, axis=0)
    if flat.any():
        name = names[int(flat.argmax())]
        raise FeatureError(
            "HARMONISATION_CONSTANT",
            f"{name} does not vary within a batch",
            keyword=name,
            found=f"{int(flat.sum())} such features",
            hint="Leave it out, or analyse without harmonisation.",
        )
    shrunk = [_shrink(standardised[each], variance) for each, variance in zip(rows, spread, strict=True)]
    return Combat(
        batches,
        tuple(mean.tolist()),
        tuple(sd.tolist()),
        tuple(tuple(location.tolist()) for location, _ in shrunk),
        tuple(tuple(scale.tolist()) for _, scale in shrunk),
    )


def _shrink(standardised: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Location and scale of one batch, shape (p,) each, drawn towards those of the other features (empirical Bayes)."""
    n = len(standardised)
    location_seen = standardised.mean(axis=0)
    prior_location, prior_spread = location_seen.mean(), location_seen.var(ddof=1)
    centre, spread = variance.mean(), variance.var(ddof=1)
    if spread == 0 or prior_spread == 0:
        # Nothing to learn from features that are all alike: what was seen stands.
        return location_seen, np.sqrt(variance)
    shape, rate = (2 * spread + centre**2) / spread, (centre * spread + centre**3) / spread
    location, scale = location_seen, variance
    for _ in range(_MOST_ITERATIONS):
        new_location = (n * prior_spread * location_seen + scale * prior_location) / (n * prior_spread + scale)
        squares = ((standardised - new_location) ** 2).sum(axis=0)
        new_scale = (squares / 2 + rate) / (n / 2 + shape - 1)
        change = max(np.abs(new_location - location).max(), np.abs((new_scale - scale) / scale).max())
        location, scale = new_location, new_scale
        if change < _TOLERANCE:
            break
    return location, np.sqrt(scale)


def _refuse(sizes: Counter[str], names: Sequence[str]) -> None:
    if len(sizes) < 2:
        raise FeatureError("HARMONISATION_ONE_BATCH", "There is only one batch: nothing to harmonise", found="1 batch")
    smallest = min(sizes, key=lambda name: (sizes[name], name))
    if sizes[smallest] < SMALLEST_BATCH:
        raise FeatureError(
            "HARMONISATION_BATCH_TOO_SMALL",
            "A batch has too few patients to estimate its effect",
            keyword=smallest,
            found=f"{sizes[smallest]} patients",
            expected=f"at least {SMALLEST_BATCH}",
            hint="Merge scanners of one kind, or analyse without harmonisation and stratify by batch.",
        )
    if len(names) < FEWEST_FEATURES:
        raise FeatureError(
            "HARMONISATION_TOO_FEW_FEATURES",
            "The features are too few to learn from each other",
            found=str(len(names)),
            expected=f"at least {FEWEST_FEATURES}",
        )


def refuse_confounded_batches(batch: Sequence[str], outcome: Outcome) -> None:
    """Refuse to harmonise batches that differ in survival.

    The correction would take the prognosis out of the features, or put it in. To be asked once, of the whole cohort: in
    folds and resamples of it batches differ by chance more often.

    Raises
    ------
    FeatureError
        HARMONISATION_CONFOUNDED where the log-rank test of the batches is significant at 5 %.
    """
    batches, codes = np.unique(np.array(batch, dtype=np.str_), return_inverse=True)
    if len(batches) < 2:
        return
    test = log_rank(outcome.duration, outcome.event, codes.astype(np.int64), len(batches), entry=outcome.entry)
    p = None if test.chi_squared is None else chi_squared_p(test.chi_squared, test.df)
    if p is not None and p < SIGNIFICANCE_LEVEL:
        raise FeatureError(
            "HARMONISATION_CONFOUNDED",
            "The batches differ in survival: the correction would change the prognosis that the features carry",
            found=f"log-rank test of {len(batches)} batches, {p_text(p)}",
            expected=f"p >= {SIGNIFICANCE_LEVEL:g}",
            hint="Analyse without harmonisation and stratify by batch.",
        )
