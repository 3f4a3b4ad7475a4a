"""Features made ready for a model: what is dropped, transformed and scaled, learnt from training patients only.

The outcome plays no part in it. A fitted preparation is frozen. It can be written as JSON and applied, unchanged,
to the patients of a test fold or of another hospital; fitting it on all patients before a cross-validation would
let the test patients have a say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from petct.errors import FeatureError
from petct.survival.cohort.results import counted
from petct.survival.features.correlation import PruningRule, prune
from petct.survival.features.feature_table import Dropped, FeatureTable, FloatArray
from petct.survival.features.harmonisation import Combat, fit_combat

FEWEST_ROWS = 3

LogRule = Literal["none", "skewed", "all"]
MissingRule = Literal["median", "refuse"]


@dataclass(frozen=True)
class PreparationRules:
    """What a preparation does; every default is stated in its notes.

    Parameters
    ----------
    most_missing
        Features missing in more than this share of the patients are dropped.
    missing
        What remains missing is replaced by the median of the training patients, or refused.
    frequency_ratio, fewest_distinct
        Near-zero variance, as R's ``caret``: dropped when the most frequent value is more than ``frequency_ratio``
        times as frequent as the second and fewer than this share of the values are distinct. Constant features always
        go.
    winsorise
        Values beyond these quantiles, for example (0.01, 0.99), are set to them; None leaves them.
    log1p
        log(1 + x) of features that are never negative: of none, of those with a skewness above 1, or of all.
    most_correlated
        No two features with a larger Spearman rho (in absolute value) are kept; None keeps all.
    pruning
        Which of a pair goes, the most correlated pair first: the one with the larger mean absolute rho with all that
        are left (``mean``; the later one on a tie), or always the later one (``order``).
    harmonise
        ComBat over the batches of the table.
    """

    most_missing: float = 0.2
    missing: MissingRule = "median"
    frequency_ratio: float = 19.0
    fewest_distinct: float = 0.1
    winsorise: tuple[float, float] | None = None
    log1p: LogRule = "skewed"
    most_correlated: float | None = 0.9
    pruning: PruningRule = "mean"
    harmonise: bool = False

    def __post_init__(self) -> None:
        rho, limits = self.most_correlated, self.winsorise
        fine = (
            0 <= self.most_missing < 1
            and self.frequency_ratio >= 1
            and 0 <= self.fewest_distinct <= 1
            and (rho is None or 0 < rho <= 1)
            and (limits is None or 0 <= limits[0] < limits[1] <= 1)
        )
        if not fine:
            raise FeatureError("PREPARATION_RULES_INVALID", "These rules cannot be applied", found=str(self))


@dataclass(frozen=True)
class PreparedFeature:
    """What is done to one feature, in this order.

    Parameters
    ----------
    lower, upper
        Limits that values are set to; None for none.
    log1p
        Whether log(1 + x) is taken.
    fill
        What stands for a missing value, after the logarithm; None refuses them.
    mean, sd
        Subtracted, and divided by, after harmonisation.
    """

    name: str
    lower: float | None
    upper: float | None
    log1p: bool
    fill: float | None
    mean: float
    sd: float


@dataclass(frozen=True)
class Preparation:
    """A fitted preparation.

    Parameters
    ----------
    rules
        What it was told to do.
    n
        Patients it was fitted on.
    features
        Those that remain, in the order of the table.
    dropped
        Those that do not, each with its reason.
    harmonisation
        The correction of the remaining features, or None.
    notes
        Sentences a reader of the numbers has to know.
    """

    rules: PreparationRules
    n: int
    features: tuple[PreparedFeature, ...]
    dropped: tuple[Dropped, ...]
    harmonisation: Combat | None
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features that remain."""
        return tuple(feature.name for feature in self.features)

    def restricted_to(self, names: Sequence[str]) -> Preparation:
        """Return the same preparation of some of its features: what a model of only these needs from new patients."""
        kept = [j for j, feature in enumerate(self.features) if feature.name in set(names)]
        return replace(
            self,
            features=tuple(self.features[j] for j in kept),
            harmonisation=None if self.harmonisation is None else self.harmonisation.features(kept),
        )

    def transform(self, table: FeatureTable) -> FeatureTable:
        """Prepare patients, of the fit or new ones; the table may hold more features.

        Raises
        ------
        FeatureError
            FEATURE_UNKNOWN, FEATURE_MISSING, HARMONISATION_BATCH_MISSING,
            HARMONISATION_BATCH_UNKNOWN.
        """
        found = table.columns(self.names)
        values = found.values.copy()
        for j, feature in enumerate(self.features):
            if feature.lower is not None or feature.upper is not None:
                values[:, j] = np.clip(values[:, j], feature.lower, feature.upper)
            if feature.log1p:
                # As log(1 + x) where x was seen to be positive; a new patient's negative value stays in order.
                values[:, j] = np.sign(values[:, j]) * np.log1p(np.abs(values[:, j]))
        fill = np.array([np.nan if f.fill is None else f.fill for f in self.features])
        values = np.where(np.isnan(values), fill, values)
        _refuse_missing(self.names, values)
        if self.harmonisation is not None:
            values = self.harmonisation.apply(values, _batch(found))
        mean, sd = (np.array([getattr(f, name) for f in self.features]) for name in ("mean", "sd"))
        return FeatureTable(self.names, (values - mean) / sd, found.batch)


def fit_preparation(table: FeatureTable, rules: PreparationRules | None = None) -> Preparation:
    """Learn a preparation from training patients.

    Parameters
    ----------
    table
        Features of the training patients, shape (n, p).
    rules
        What to do; the defaults of ``PreparationRules`` when None.

    Raises
    ------
    FeatureError
        PREPARATION_TOO_FEW_ROWS, PREPARATION_NOTHING_LEFT, FEATURE_MISSING (rule ``refuse``),
        HARMONISATION_BATCH_MISSING, and the codes of ``fit_combat``.
    """
    rules = rules or PreparationRules()
    if table.n < FEWEST_ROWS:
        raise FeatureError(
            "PREPARATION_TOO_FEW_ROWS",
            "Too few patients to learn a preparation from",
            found=str(table.n),
            expected=f"at least {FEWEST_ROWS}",
        )
    dropped: dict[int, Dropped] = {}
    for j, name in enumerate(table.names):
        reason = _without_information(name, table.values[:, j], rules)
        if reason is not None:
            dropped[j] = reason
    kept = [j for j in range(len(table.names)) if j not in dropped]
    _refuse_nothing_left(kept, dropped)

    names = [table.names[j] for j in kept]
    values = table.values[:, kept].copy()
    limits = None if rules.winsorise is None else _limits(values, rules.winsorise)
    if limits is not None:
        values = np.clip(values, *limits)
    logarithm = np.array([_takes_logarithm(values[:, j], rules.log1p) for j in range(len(kept))], dtype=np.bool_)
    values[:, logarithm] = np.log1p(values[:, logarithm])
    if rules.missing == "refuse":
        _refuse_missing(names, values)
    fill = _medians(values)
    n_filled = int(np.isnan(values).sum())
    values = np.where(np.isnan(values), fill, values)
    combat = fit_combat(values, names, _batch(table)) if rules.harmonise else None
    if combat is not None:
        values = combat.apply(values, _batch(table))

    inside = list(range(len(kept)))
    if rules.most_correlated is not None:
        inside, pruned = prune(values, names, rules.most_correlated, rules.pruning)
        dropped |= {kept[j]: reason for j, reason in pruned.items()}
    mean, sd = values.mean(axis=0), values.std(axis=0, ddof=1)
    features = tuple(
        PreparedFeature(
            names[j],
            None if limits is None else float(limits[0][j]),
            None if limits is None else float(limits[1][j]),
            bool(logarithm[j]),
            float(fill[j]) if rules.missing == "median" else None,
            float(mean[j]),
            float(sd[j]),
        )
        for j in inside
    )
    return Preparation(
        rules,
        table.n,
        features,
        tuple(dropped[j] for j in sorted(dropped)),
        None if combat is None else combat.features(inside),
        _notes(rules, table, features, dropped, n_filled),
    )


def _without_information(name: str, values: FloatArray, rules: PreparationRules) -> Dropped | None:
    missing = np.isnan(values)
    n_missing, n = int(missing.sum()), len(values)
    if n_missing == n:
        return Dropped(name, "ALL_MISSING", f"{name} has no value in any of {n} patients.")
    if n_missing > rules.most_missing * n:
        limit = f"more than {100 * rules.most_missing:g} %"
        return Dropped(name, "MISSING_RATE", f"{name} is missing in {n_missing} of {n} patients, {limit}.")
    present = values[~missing]
    # Rounding alone must not pass for variance.
    if np.ptp(present) <= 1e-12 * np.abs(present).max():
        return Dropped(name, "CONSTANT", f"{name} is the same in all {len(present)} patients who have it.")
    count = np.sort(np.unique(present, return_counts=True)[1])[::-1]
    if count[0] > rules.frequency_ratio * count[1] and len(count) < rules.fewest_distinct * len(present):
        return Dropped(
            name,
            "NEAR_ZERO_VARIANCE",
            f"{name} has one value in {count[0]} of {len(present)} patients, and {len(count)} values in all.",
        )
    return None


def _limits(values: FloatArray, quantiles: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    limits = np.nanquantile(values, quantiles, axis=0)
    # A limit that would leave one value alone is none.
    flat = limits[0] == limits[1]
    return (
        np.where(flat, np.nanmin(values, axis=0), limits[0]),
        np.where(flat, np.nanmax(values, axis=0), limits[1]),
    )


def _medians(values: FloatArray) -> FloatArray:
    """Medians of what is there; numpy's ``nanmedian`` is slow where nothing is missing, which is the rule."""
    medians = np.median(values, axis=0)
    gaps = np.isnan(medians)
    if gaps.any():
        medians[gaps] = np.nanmedian(values[:, gaps], axis=0)
    return np.asarray(medians, dtype=np.float64)


def _takes_logarithm(values: FloatArray, rule: LogRule) -> bool:
    present = values[~np.isnan(values)]
    if rule == "none" or present.min() < 0:
        return False
    if rule == "all":
        return True
    centred = present - present.mean()
    return bool((centred**3).mean() > (centred**2).mean() ** 1.5)


def _batch(table: FeatureTable) -> tuple[str, ...]:
    if table.batch is None:
        raise FeatureError(
            "HARMONISATION_BATCH_MISSING",
            "Harmonisation needs the batch of each patient",
            hint="Name the column that holds the scanner, or prepare without harmonisation.",
        )
    return table.batch


def _refuse_missing(names: Sequence[str], values: npt.NDArray[np.float64]) -> None:
    missing = np.isnan(values)
    if missing.any():
        name = names[int(missing.any(axis=0).argmax())]
        raise FeatureError(
            "FEATURE_MISSING",
            f"{name} is missing in some patients, and the rules do not replace it",
            keyword=name,
            found=f"{int(missing.any(axis=1).sum())} of {len(values)} patients miss a feature",
            hint="Leave these patients out, or replace by the median of the training patients.",
        )


def _refuse_nothing_left(kept: Sequence[int], dropped: dict[int, Dropped]) -> None:
    if not kept:
        codes = sorted({reason.code for reason in dropped.values()})
        raise FeatureError(
            "PREPARATION_NOTHING_LEFT",
            "No feature is left after preparation",
            found=f"{len(dropped)} dropped: {', '.join(codes) or 'none given'}",
        )


def _notes(
    rules: PreparationRules,
    table: FeatureTable,
    features: Sequence[PreparedFeature],
    dropped: dict[int, Dropped],
    n_filled: int,
) -> tuple[str, ...]:
    notes = [f"{counted(len(features), 'feature')} of {len(table.names)} kept, fitted on {table.n} patients."]
    for code in dict.fromkeys(dropped[j].code for j in sorted(dropped)):
        count = sum(reason.code == code for reason in dropped.values())
        notes.append(f"{counted(count, 'feature')} dropped: {code}.")
    n_logarithms = sum(feature.log1p for feature in features)
    if n_logarithms:
        notes.append(f"log(1 + x) of {counted(n_logarithms, 'feature')}.")
    if rules.winsorise:
        notes.append(f"Values beyond the {rules.winsorise[0]:g} and {rules.winsorise[1]:g} quantiles set to them.")
    if n_filled:
        notes.append(f"{counted(n_filled, 'missing value')} replaced by the median of the training patients.")
    if rules.harmonise:
        notes.append(f"ComBat over {len(set(table.batch or ()))} batches.")
    return tuple(notes)
