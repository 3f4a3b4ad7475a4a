"""A scan over a declared family of features: one test each, all counted, the best judged as the best of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import Covariate, design_of
from petct.survival.cohort.groups import number_text
from petct.survival.cohort.multiplicity import adjusted_p_values
from petct.survival.cohort.outcome import BoolArray, FloatArray, Outcome
from petct.survival.cohort.power import minimum_detectable_hazard_ratio_per_sd
from petct.survival.cohort.results import NORMAL_QUANTILE, SIGNIFICANCE_LEVEL, SMALLEST_ARM, counted, p_text
from petct.survival.features.correlation import spearman
from petct.survival.features.feature_table import Dropped, FeatureTable, check_rows
from petct.survival.features.permutation_null import permutation_null, permuted_scores
from petct.survival.features.scan_result import AdjustedEffect, HazardRatio, ScanResult, ScanRow
from petct.survival.features.stability import Stability, stability_selection
from petct.survival.likelihood.partial_likelihood import RiskSets, maximise

FEWEST_EVENTS = 5
"""A feature with fewer events among the patients who have it is not tested."""


def scan(
    outcome: Outcome,
    table: FeatureTable,
    *,
    units: Mapping[str, str | None] | None = None,
    adjust_for: Sequence[Covariate] = (),
    stability: bool = False,
    n_permutations: int | None = None,
    seed: int = 0,
) -> ScanResult:
    """Test every feature of a family against the hazard.

    Parameters
    ----------
    table
        The family, as it was declared: leaving out what was looked at before makes every correction wrong.
    units
        Units of the features.
    adjust_for
        Covariates of a second version, for example tumour volume: does the feature say more than they do?
    stability
        Whether to select in half-samples too, among the features that no patient misses.
    n_permutations, seed
        Of the permutations; the seed also of the half-samples.

    Raises
    ------
    SurvivalError
        SCAN_TOO_FEW_EVENTS, SCAN_NOTHING_TO_TEST, TABLE_LENGTH, and the codes of ``permutation_null``, ``design_of``
        and ``stability_selection``.
    """
    check_rows(outcome, table)
    if outcome.n_events < FEWEST_EVENTS:
        raise SurvivalError(
            "SCAN_TOO_FEW_EVENTS",
            "There are too few events to test a feature",
            found=f"{outcome.n_events} events",
            expected=f"at least {FEWEST_EVENTS}",
        )
    untested = {
        j: reason
        for j, name in enumerate(table.names)
        if (reason := _untestable(outcome, name, table.values[:, j])) is not None
    }
    tested = [j for j in range(len(table.names)) if j not in untested]
    if not tested:
        raise SurvivalError(
            "SCAN_NOTHING_TO_TEST",
            "No feature can be tested",
            found=f"{len(untested)} features: {', '.join(sorted({r.code for r in untested.values()})) or 'none given'}",
        )
    values, names = table.values[:, tested], [table.names[j] for j in tested]
    unit_of = units or {}
    null = permutation_null(outcome, values, n_permutations=n_permutations, seed=seed)
    bonferroni = adjusted_p_values(null.p, "bonferroni")
    q = adjusted_p_values(null.p, "benjamini_hochberg")
    stable, frequency = _stability(outcome, values, seed) if stability else (None, [None] * len(names))
    adjusted = _adjusted(outcome, values, names, unit_of, adjust_for, n_permutations, seed)
    rows = []
    for j, name in enumerate(names):
        present = ~np.isnan(values[:, j])
        n_events = int(outcome.event[present].sum())
        effect = _hazard_ratio(outcome, values[:, [j]], present, name, unit_of.get(name))
        rows.append(
            ScanRow(
                name=name,
                unit=unit_of.get(name),
                n=int(present.sum()),
                n_events=n_events,
                n_missing=int((~present).sum()),
                hazard_ratio=effect if isinstance(effect, HazardRatio) else None,
                z=float(null.z[j]),
                p=float(null.p[j]),
                p_bonferroni=float(bonferroni[j]),
                q=float(q[j]),
                p_familywise=float(null.p_familywise[j]),
                minimum_detectable_hazard_ratio=minimum_detectable_hazard_ratio_per_sd(
                    n_events, SIGNIFICANCE_LEVEL / len(names)
                ),
                stability=frequency[j],
                adjusted=adjusted[j],
                reason=effect if isinstance(effect, Dropped) else None,
            )
        )
    rows.sort(key=lambda row: (row.p_familywise, row.p, -abs(row.z), row.name))
    adjusted_for = tuple(covariate.name for covariate in adjust_for)
    return ScanResult(
        unit=outcome.unit,
        n=outcome.n,
        n_events=outcome.n_events,
        n_declared=len(table.names),
        n_tested=len(names),
        n_permutations=null.n_permutations,
        seed=seed,
        p_best=null.p_best,
        n_found_uncorrected=int((null.p < SIGNIFICANCE_LEVEL).sum()),
        n_expected_uncorrected=SIGNIFICANCE_LEVEL * len(names),
        adjusted_for=adjusted_for,
        rows=tuple(rows),
        untested=tuple(untested[j] for j in sorted(untested)),
        stability_threshold=None if stable is None else stable.threshold,
        stability_most_false=None if stable is None else stable.most_false,
        notes=_notes(outcome, rows, untested, null.p_best, adjusted_for, stable),
    )


def _untestable(outcome: Outcome, name: str, values: FloatArray) -> Dropped | None:
    present = ~np.isnan(values)
    n = int(present.sum())
    if n == 0:
        return Dropped(name, "ALL_MISSING", f"{name} has no value in any patient.")
    distinct, count = np.unique(values[present], return_counts=True)
    if np.ptp(distinct) <= 1e-12 * np.abs(distinct).max():
        return Dropped(name, "CONSTANT", f"{name} is the same in all {n} patients who have it.")
    n_events = int(outcome.event[present].sum())
    if n_events < FEWEST_EVENTS:
        return Dropped(name, "TOO_FEW_EVENTS", f"{name}: {counted(n_events, 'event')}, fewer than {FEWEST_EVENTS}.")
    if len(distinct) == 2 and count.min() < SMALLEST_ARM:
        label = f"{name} = {number_text(float(distinct[count.argmin()]))}"
        return Dropped(
            name, "ARM_TOO_SMALL", f"{label} in {counted(int(count.min()), 'patient')}, fewer than {SMALLEST_ARM}."
        )
    return None


def _hazard_ratio(
    outcome: Outcome, columns: FloatArray, present: BoolArray, name: str, unit: str | None
) -> HazardRatio | Dropped:
    """Hazard ratio per SD of the first column, at equal values of the others, among the patients where ``present``."""
    x = columns[present]
    sd = x.std(axis=0, ddof=1)
    if np.any(sd == 0):
        return Dropped(name, "CONSTANT", f"{name} or a covariate is the same in all {len(x)} complete patients.")
    try:
        cohort = outcome.subset(present)
        standardised = (x - x.mean(axis=0)) / sd
        sets = RiskSets.of(cohort.duration, cohort.event, standardised, entry=cohort.entry)
        fit = maximise(sets, tuple(name for _ in sd))
    except SurvivalError as error:
        return Dropped(name, error.code, error.message)
    beta, reach = fit.coefficients[0], NORMAL_QUANTILE * np.sqrt(fit.covariance[0, 0])
    with np.errstate(over="ignore"):
        ratio, lower, upper = (float(value) for value in np.exp([beta, beta - reach, beta + reach]))
    if not np.isfinite(upper):
        return Dropped(name, "COX_SCALE", f"The hazard ratio of {name} has no upper limit.")
    return HazardRatio(ratio, lower, upper, f"per SD ({number_text(float(sd[0]))}{f' {unit}' if unit else ''})")


def _adjusted(
    outcome: Outcome,
    values: FloatArray,
    names: Sequence[str],
    units: Mapping[str, str | None],
    adjust_for: Sequence[Covariate],
    n_permutations: int | None,
    seed: int,
) -> list[AdjustedEffect] | list[None]:
    """Effect of each feature beside the covariates.

    What the covariates say is taken out of the feature (least squares) and out of the outcome (martingale residuals of
    their Cox model); the residuals are then permuted against each other (Freedman D, Lane D, 1983).
    """
    if not adjust_for:
        return [None] * len(names)
    design = design_of(adjust_for, outcome.n)
    cohort, covariates, x = outcome.subset(design.complete), design.matrix, values[design.complete]
    covariates = (covariates - covariates.mean(axis=0)) / covariates.std(axis=0)
    sets = RiskSets.of(cohort.duration, cohort.event, covariates, entry=cohort.entry)
    terms = maximise(sets, tuple(column.name for column in design.columns)).terms
    martingale = np.empty(cohort.n)
    martingale[sets.order] = cohort.event[sets.order] - terms.risk * sets.over_deaths(1.0 / terms.total)

    residual, reasons, rho = np.zeros_like(x), {}, np.zeros(len(names))
    for j, name in enumerate(names):
        present = ~np.isnan(x[:, j])
        base = np.column_stack([np.ones(int(present.sum())), covariates[present]])
        own = x[present, j]
        rest = own - base @ np.linalg.lstsq(base, own, rcond=None)[0]
        rho[j] = spearman(np.column_stack([own, covariates[present, 0]]))[0, 1] if len(own) else 0.0
        if len(own) <= base.shape[1] or np.linalg.norm(rest) <= 1e-6 * np.linalg.norm(own - own.mean()):
            reasons[j] = Dropped(name, "COLLINEAR", f"{name} is determined by {', '.join(c.name for c in adjust_for)}.")
        residual[present, j] = rest
    usable = [j for j in range(len(names)) if j not in reasons]
    p, q = np.ones(len(names)), np.ones(len(names))
    if usable:
        p[usable] = permuted_scores(martingale, residual[:, usable], n_permutations=n_permutations, seed=seed).p
        q[usable] = adjusted_p_values(p[usable], "benjamini_hochberg")
    found = []
    for j, name in enumerate(names):
        present = ~np.isnan(x[:, j])
        effect: HazardRatio | Dropped = reasons.get(j) or _hazard_ratio(
            cohort, np.column_stack([x[:, j], covariates]), present, name, units.get(name)
        )
        fitted = effect if isinstance(effect, HazardRatio) else None
        found.append(
            AdjustedEffect(
                n=int(present.sum()),
                hazard_ratio=fitted,
                p=float(p[j]) if fitted else None,
                q=float(q[j]) if fitted else None,
                spearman=float(rho[j]),
                reason=effect if isinstance(effect, Dropped) else None,
            )
        )
    return found


def _stability(outcome: Outcome, values: FloatArray, seed: int) -> tuple[Stability, list[float | None]]:
    complete = ~np.isnan(values).any(axis=0)
    if not complete.any():
        raise SurvivalError(
            "STABILITY_MISSING",
            "Every feature is missing in some patient: there is nothing to select from in half-samples",
            found=f"0 of {values.shape[1]} features complete",
            hint="Leave out the patients or the features with missing values.",
        )
    x = values[:, complete]
    found = stability_selection(outcome, (x - x.mean(axis=0)) / x.std(axis=0), seed=seed)
    frequency: list[float | None] = [None] * values.shape[1]
    for j, share in zip(np.flatnonzero(complete), found.frequency, strict=True):
        frequency[j] = float(share)
    return found, frequency


def _notes(
    outcome: Outcome,
    rows: Sequence[ScanRow],
    untested: Mapping[int, Dropped],
    p_best: float,
    adjusted_for: Sequence[str],
    stable: Stability | None,
) -> tuple[str, ...]:
    m = len(rows)
    notes = [
        *outcome.notes,
        f"{counted(m, 'test')} run and counted; noise alone is expected to give {SIGNIFICANCE_LEVEL * m:.1f} "
        f"features with "
        f"p < {SIGNIFICANCE_LEVEL:g} before correction.",
    ]
    if untested:
        notes.append(f"{counted(len(untested), 'feature')} of the family not tested, each with its reason.")
    best = rows[0]
    if p_best > SIGNIFICANCE_LEVEL:
        detectable = max(row.minimum_detectable_hazard_ratio for row in rows)
        notes.append(
            f"No evidence of an association of any of {m} features with the hazard: the best of so many "
            f"({best.name}) would "
            f"look as good on noise with probability {p_best:.3f}."
        )
        notes.append(
            f"After correction for {counted(m, 'test')}, {outcome.n_events} events detect a hazard ratio per SD of "
            f"{detectable:.2f} or more with 80 % power; smaller effects would probably go unseen."
        )
    else:
        notes.append(f"The best of {m} features ({best.name}) is better than noise would give: {p_text(p_best)}.")
    if adjusted_for:
        notes.append(f"Adjusted for {', '.join(adjusted_for)}: p-values by permutation of residuals, not exact.")
    if stable is not None:
        notes.append(
            f"Stable: chosen in at least {100 * stable.threshold:g} % of {stable.n_halves} half-samples; on average "
            f"at most "
            f"{stable.most_false:.2f} such features are noise."
        )
    return tuple(notes)
