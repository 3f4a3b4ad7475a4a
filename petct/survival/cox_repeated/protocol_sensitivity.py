"""How much an answer depends on the protocol: one cohort measured under several, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from petct.errors import MaskError, SurvivalError
from petct.survival.cohort.covariates import NumericCovariate
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import NORMAL_QUANTILE, Suppressed
from petct.survival.cox.model import cox
from petct.survival.features.correlation import spearman

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_PATIENTS = 10
"""Below it neither a rank correlation nor limits of agreement are shown: their intervals would say nothing."""


@dataclass(frozen=True, eq=False)
class ProtocolBurden:
    """The tumour of the same patients under one protocol.

    Attributes
    ----------
    protocol
        Its id.
    volume_ml, n_lesions
        Shape (n,); 0 without tumour, NaN where the lesions of a patient could not be determined.
    """

    protocol: str
    volume_ml: NDArray[np.float64]
    n_lesions: NDArray[np.float64]


@dataclass(frozen=True)
class BurdenSummary:
    """One protocol.

    Attributes
    ----------
    n, n_unknown
        Patients whose lesions are known, and those whose lesions could not be determined.
    n_without_tumour
        Those of ``n`` with a volume of 0.
    median_ml, lower_quartile_ml, upper_quartile_ml
        Of the volumes of all ``n``; None where there are none.
    total_lesions
        Lesions of all ``n``.
    """

    protocol: str
    n: int
    n_unknown: int
    n_without_tumour: int
    median_ml: float | None
    lower_quartile_ml: float | None
    upper_quartile_ml: float | None
    total_lesions: int
    median_lesions: float | None


@dataclass(frozen=True)
class Agreement:
    """Bland and Altman's limits of agreement (doi 10.1016/S0140-6736(86)90837-8).

    On volumes they are differences in ml, second minus first; on logarithms ratios, second by first.

    Attributes
    ----------
    bias, bias_lower, bias_upper
        Mean difference, or geometric mean ratio, with its 95 % interval (Student's t).
    lower_limit, upper_limit
        Between them lie 95 % of the differences or ratios.
    """

    n: int
    bias: float
    bias_lower: float
    bias_upper: float
    lower_limit: float
    upper_limit: float


@dataclass(frozen=True)
class ProtocolPair:
    """Two protocols on the patients whose lesions are known under both.

    Attributes
    ----------
    n_only_first, n_only_second
        Patients with tumour under one of them only; they are left out of ``log_volume``, which 0 has no place in.
    same_count
        Patients with the same number of lesions.
    mean_count_difference
        Lesions, second minus first.
    spearman, spearman_lower, spearman_upper
        Rank correlation of the volumes with its 95 % interval (Bonett and Wright 2000, doi 10.1007/BF02294183).
    volume
        Agreement of the volumes in ml.
    log_volume
        Agreement of the logarithms: the spread of volumes grows with their size, so that a factor says more.
    reasons
        Why something of the above is None.
    """

    first: str
    second: str
    n: int
    n_only_first: int
    n_only_second: int
    same_count: int
    mean_count_difference: float | None
    spearman: float | None
    spearman_lower: float | None
    spearman_upper: float | None
    volume: Agreement | None
    log_volume: Agreement | None
    reasons: tuple[Suppressed, ...]


@dataclass(frozen=True)
class ProtocolHazard:
    """The hazard ratio of tumour volume under one protocol.

    Attributes
    ----------
    scale
        What the ratio compares: per doubling.
    hazard_ratio, lower, upper
        None exactly where ``refused`` says why there is no model.
    p
        None where there is no model, or where ``p_suppressed`` says why it is not shown.
    minimum_detectable_hazard_ratio
        What was detectable with 80 % power.
    notes
        What was done to volumes of 0, and what else a reader has to know.
    """

    protocol: str
    n: int
    n_events: int
    scale: str
    hazard_ratio: float | None
    lower: float | None
    upper: float | None
    p: float | None
    test: str | None
    p_suppressed: Suppressed | None
    minimum_detectable_hazard_ratio: float | None
    refused: Suppressed | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ProtocolSensitivity:
    """One cohort under several protocols.

    Attributes
    ----------
    n
        Patients of the cohort.
    pairs
        Every two protocols, in the order of ``protocols``.
    """

    n: int
    protocols: tuple[BurdenSummary, ...]
    pairs: tuple[ProtocolPair, ...]


@dataclass(frozen=True)
class HazardSensitivity:
    """The same endpoint under every protocol, on the same patients.

    Attributes
    ----------
    n_left_out
        Patients with the endpoint whose lesions are unknown under a protocol or more.
    notes
        How the ratios are to be read together.
    """

    n: int
    n_left_out: int
    rows: tuple[ProtocolHazard, ...]
    notes: tuple[str, ...]


def compare_protocols(burdens: Sequence[ProtocolBurden]) -> ProtocolSensitivity:
    """Compare volumes, lesion counts and ranks of one cohort under several protocols.

    Raises
    ------
    MaskError
        PROTOCOLS_TOO_FEW unless there are two; BURDEN_LENGTHS unless all hold the same patients.
    """
    _check(burdens)
    return ProtocolSensitivity(
        len(burdens[0].volume_ml),
        tuple(_summary(burden) for burden in burdens),
        tuple(_pair(first, second) for first, second in combinations(burdens, 2)),
    )


def hazard_ratios(
    burdens: Sequence[ProtocolBurden], outcome: Outcome, *, permutations: int | None = None
) -> HazardSensitivity:
    """Hazard ratio per doubling of tumour volume under each protocol, on the patients that are known under all.

    A volume of 0 counts as half the smallest positive one of its protocol. Each ratio is a hypothesis test of its own.
    A protocol under which no patient is known has none, and takes no patient from the others.

    Parameters
    ----------
    burdens
        Their patients are those of ``outcome``, in its order.
    permutations
        Of each test; see ``petct.survival.cox.model.cox``.

    Raises
    ------
    MaskError
        As ``compare_protocols``.
    """
    _check(burdens)
    if len(burdens[0].volume_ml) != outcome.n:
        raise _lengths(len(burdens[0].volume_ml), outcome.n)
    determined = [found for burden in burdens if (found := np.isfinite(burden.volume_ml)).any()]
    known = np.all(determined, axis=0) if determined else np.zeros(outcome.n, dtype=np.bool_)
    rows = tuple(_hazard(burden, known, outcome, permutations) for burden in burdens)
    ratios = [row.hazard_ratio for row in rows if row.hazard_ratio is not None]
    notes = [
        "Every hazard ratio is of the same patients and endpoint. A protocol that is chosen because its p-value is the "
        "smallest is a search, and that p-value is too small.",
    ]
    if len(ratios) > 1:
        span = f"from {min(ratios):.3g} to {max(ratios):.3g}"
        notes.insert(0, f"Over {len(ratios)} protocols the hazard ratio per doubling runs {span}.")
    return HazardSensitivity(int(known.sum()), int((~known).sum()), rows, tuple(notes))


def _check(burdens: Sequence[ProtocolBurden]) -> None:
    if len(burdens) < 2:
        raise MaskError(
            "PROTOCOLS_TOO_FEW",
            "Protocols can be compared where the study has two or more",
            keyword="protocols",
            found=", ".join(burden.protocol for burden in burdens) or "none",
            hint="Name more under protocols in study.yaml, then materialize and publish again.",
        )
    for burden in burdens:
        for values in (burden.volume_ml, burden.n_lesions):
            if len(values) != len(burdens[0].volume_ml):
                raise _lengths(len(values), len(burdens[0].volume_ml))


def _lengths(found: int, expected: int) -> MaskError:
    return MaskError(
        "BURDEN_LENGTHS", "The protocols do not hold the same patients", found=str(found), expected=str(expected)
    )


def _summary(burden: ProtocolBurden) -> BurdenSummary:
    known = np.isfinite(burden.volume_ml)
    volumes, counts = burden.volume_ml[known], burden.n_lesions[known]
    lower, median, upper = (float(q) for q in np.percentile(volumes, [25, 50, 75])) if len(volumes) else (None,) * 3
    return BurdenSummary(
        burden.protocol,
        len(volumes),
        int((~known).sum()),
        int((volumes == 0).sum()),
        median,
        lower,
        upper,
        int(counts.sum()),
        float(np.median(counts)) if len(counts) else None,
    )


def _pair(first: ProtocolBurden, second: ProtocolBurden) -> ProtocolPair:
    both = np.isfinite(first.volume_ml) & np.isfinite(second.volume_ml)
    a, b = first.volume_ml[both], second.volume_ml[both]
    counts = (second.n_lesions - first.n_lesions)[both]
    positive = (a > 0) & (b > 0)
    reasons = []
    rho = limits = volume = logs = None
    if len(a) < FEWEST_PATIENTS:
        reasons.append(_too_few("known under both", len(a)))
    else:
        volume = _agreement(b - a)
        if np.ptp(a) > 0 and np.ptp(b) > 0:
            rho = float(spearman(np.stack([a, b], axis=1))[0, 1])
            limits = _spearman_limits(rho, len(a))
        else:
            reasons.append(Suppressed("VOLUMES_EQUAL", "No ranks: under one of them every volume is the same."))
        if positive.sum() < FEWEST_PATIENTS:
            reasons.append(_too_few("with tumour under both", int(positive.sum())))
        else:
            logs = _exponential(_agreement(np.log(b[positive] / a[positive])))
    return ProtocolPair(
        first=first.protocol,
        second=second.protocol,
        n=len(a),
        n_only_first=int(((a > 0) & (b == 0)).sum()),
        n_only_second=int(((a == 0) & (b > 0)).sum()),
        same_count=int((counts == 0).sum()),
        mean_count_difference=float(counts.mean()) if len(counts) else None,
        spearman=rho,
        spearman_lower=limits[0] if limits else None,
        spearman_upper=limits[1] if limits else None,
        volume=volume,
        log_volume=logs,
        reasons=tuple(reasons),
    )


def _too_few(which: str, n: int) -> Suppressed:
    return Suppressed(
        "PATIENTS_TOO_FEW",
        f"Not compared: {n} patients {which}, fewer than the minimum of {FEWEST_PATIENTS}.",
    )


def _agreement(differences: NDArray[np.float64]) -> Agreement:
    n = len(differences)
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    half = float(stdtrit(n - 1, 0.975)) * sd / np.sqrt(n)
    spread = NORMAL_QUANTILE * sd
    return Agreement(n, bias, bias - half, bias + half, bias - spread, bias + spread)


def _exponential(of_logs: Agreement) -> Agreement:
    values = (of_logs.bias, of_logs.bias_lower, of_logs.bias_upper, of_logs.lower_limit, of_logs.upper_limit)
    return Agreement(of_logs.n, *(float(np.exp(value)) for value in values))


def _spearman_limits(rho: float, n: int) -> tuple[float, float]:
    # Fisher's transform has no finite value at 1: there the interval is that point.
    if abs(rho) >= 1:
        return rho, rho
    half = NORMAL_QUANTILE * np.sqrt((1 + rho**2 / 2) / (n - 3))
    return float(np.tanh(np.arctanh(rho) - half)), float(np.tanh(np.arctanh(rho) + half))


def _hazard(
    burden: ProtocolBurden, known: NDArray[np.bool_], outcome: Outcome, permutations: int | None
) -> ProtocolHazard:
    volume = NumericCovariate(
        "tumour_volume_ml", burden.volume_ml[known], "ml", scale="per_doubling", at_zero="half_minimum"
    )
    n, n_events = int(known.sum()), int(outcome.event[known].sum())
    try:
        if not np.isfinite(burden.volume_ml).any():
            raise SurvivalError("LESIONS_UNKNOWN", "The lesions of no patient could be determined under this protocol")
        cohort = Outcome(outcome.duration[known], outcome.event[known], outcome.unit)
        result = cox(cohort, [volume], permutations=permutations)
    except SurvivalError as error:
        reason = Suppressed(error.code, error.sentence())
        return ProtocolHazard(
            burden.protocol, n, n_events, "per doubling", None, None, None, None, None, None, None, reason, ()
        )
    (term,) = result.terms
    return ProtocolHazard(
        burden.protocol,
        result.n,
        result.n_events,
        term.scale,
        term.hazard_ratio,
        term.lower,
        term.upper,
        term.p,
        term.test,
        term.p_suppressed,
        term.minimum_detectable_hazard_ratio,
        None,
        result.notes,
    )
