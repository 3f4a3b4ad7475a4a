"""Protocols side by side: numbers worked out by hand, scipy's ranks, and the Cox model of the same volumes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from petct.errors import MaskError
from petct.survival.cohort.covariates import NumericCovariate
from petct.survival.cohort.outcome import Outcome
from petct.survival.cox.model import cox
from petct.survival.cox_repeated.protocol_sensitivity import ProtocolBurden, compare_protocols, hazard_ratios
from tests.some import some


def burden(name: str, volume_ml: np.ndarray, n_lesions: np.ndarray | None = None) -> ProtocolBurden:
    counts = np.where(volume_ml > 0, 1.0, 0.0) if n_lesions is None else n_lesions
    return ProtocolBurden(name, volume_ml, np.where(np.isnan(volume_ml), np.nan, counts))


def cohort(n: int = 40, seed: int = 4) -> tuple[np.ndarray, Outcome]:
    rng = np.random.default_rng(seed)
    volume = rng.lognormal(3.0, 1.0, n)
    duration = rng.exponential(1000 * (volume / 20) ** -0.5)
    event = (duration < 1500).astype(int)
    return volume, Outcome(np.minimum(duration, 1500), event)


def test_limits_of_agreement_worked_out_by_hand() -> None:
    first = np.array([10.0, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    difference = np.array([1.0, -1, 2, -2, 3, -3, 4, -4, 5, -5])
    (pair,) = compare_protocols([burden("a", first), burden("b", first + difference)]).pairs
    sd = np.sqrt(110 / 9)
    assert pair.volume is not None
    assert pair.volume.bias == pytest.approx(0.0)
    assert (pair.volume.lower_limit, pair.volume.upper_limit) == pytest.approx((-1.959964 * sd, 1.959964 * sd))
    # Student's t with 9 degrees of freedom at 97.5 %.
    assert pair.volume.bias_upper == pytest.approx(2.262157 * sd / np.sqrt(10))


def test_a_protocol_that_halves_every_volume_is_a_ratio_without_spread() -> None:
    volume, _ = cohort()
    (pair,) = compare_protocols([burden("a", volume), burden("b", volume / 2)]).pairs
    assert pair.log_volume is not None
    assert [pair.log_volume.bias, pair.log_volume.lower_limit, pair.log_volume.upper_limit] == pytest.approx([0.5] * 3)
    assert (pair.spearman, pair.spearman_lower, pair.spearman_upper) == pytest.approx((1.0, 1.0, 1.0))
    assert pair.volume is not None
    assert pair.volume.bias == pytest.approx(-volume.mean() / 2)


def test_ranks_are_scipys_on_the_patients_known_under_both() -> None:
    volume, _ = cohort()
    rng = np.random.default_rng(1)
    other = volume * rng.lognormal(0, 0.8, len(volume))
    other[[0, 1]], volume[[3]], other[[5, 6]] = np.nan, np.nan, 0.0
    both = np.isfinite(volume) & np.isfinite(other)
    compared = compare_protocols([burden("a", volume), burden("b", other)])
    (pair,) = compared.pairs
    assert pair.n == both.sum() == 37
    assert pair.spearman == pytest.approx(stats.spearmanr(volume[both], other[both]).statistic)
    assert pair.spearman_lower < pair.spearman < pair.spearman_upper
    assert (pair.n_only_first, pair.n_only_second, pair.same_count) == (2, 0, 35)
    assert pair.log_volume is not None
    assert pair.log_volume.n == 35
    assert [(row.n, row.n_unknown, row.n_without_tumour) for row in compared.protocols] == [(39, 1, 0), (38, 2, 2)]


def test_few_patients_and_equal_volumes_give_a_reason_instead() -> None:
    few, _ = cohort(9)
    (pair,) = compare_protocols([burden("a", few), burden("b", few)]).pairs
    assert (pair.spearman, pair.volume, pair.log_volume) == (None, None, None)
    assert [reason.code for reason in pair.reasons] == ["PATIENTS_TOO_FEW"]
    many, _ = cohort()
    (pair,) = compare_protocols([burden("a", many), burden("b", np.zeros_like(many))]).pairs
    assert pair.spearman is None
    assert [reason.code for reason in pair.reasons] == ["VOLUMES_EQUAL", "PATIENTS_TOO_FEW"]
    assert pair.n_only_first == len(many)


def test_hazard_ratios_are_those_of_the_cox_model_on_the_patients_known_under_all() -> None:
    volume, outcome = cohort()
    other = volume**1.5
    other[3], other[7] = np.nan, 0.0
    found = hazard_ratios([burden("a", volume), burden("b", other)], outcome, permutations=99)
    known = np.isfinite(other)
    assert (found.n, found.n_left_out) == (39, 1)
    for row, values in some(zip(found.rows, (volume, other), strict=True)):
        covariate = NumericCovariate("v", values[known], "ml", "per_doubling", "half_minimum")
        (term,) = cox(Outcome(outcome.duration[known], outcome.event[known]), [covariate], permutations=99).terms
        assert (row.hazard_ratio, row.lower, row.upper, row.p) == (term.hazard_ratio, term.lower, term.upper, term.p)
        assert "per doubling" in row.scale
    assert any("half the smallest" in note for note in found.rows[1].notes)
    assert "search" in found.notes[-1]


def test_a_protocol_that_could_not_be_used_takes_no_patient_from_the_others() -> None:
    volume, outcome = cohort()
    unknown = np.full_like(volume, np.nan)
    found = hazard_ratios([burden("a", volume), burden("b", unknown)], outcome, permutations=99)
    assert found.n == len(volume)
    assert found.rows[0].hazard_ratio is not None
    assert found.rows[1].hazard_ratio is None
    assert found.rows[1].refused is not None
    assert found.rows[1].refused.code == "LESIONS_UNKNOWN"


def test_too_few_events_are_a_sentence_and_not_a_ratio() -> None:
    volume, _ = cohort(12)
    outcome = Outcome(np.arange(1.0, 13), np.array([1, 1, 1] + [0] * 9))
    found = hazard_ratios([burden("a", volume), burden("b", volume / 2)], outcome)
    assert [row.refused.code for row in found.rows if row.refused] == ["COX_TOO_FEW_EVENTS"] * 2


def test_one_protocol_is_not_a_comparison_and_other_patients_are_refused() -> None:
    volume, outcome = cohort()
    with pytest.raises(MaskError, match="PROTOCOLS_TOO_FEW"):
        compare_protocols([burden("a", volume)])
    with pytest.raises(MaskError, match="BURDEN_LENGTHS"):
        compare_protocols([burden("a", volume), burden("b", volume[1:])])
    with pytest.raises(MaskError, match="BURDEN_LENGTHS"):
        hazard_ratios([burden("a", volume[1:]), burden("b", volume[1:])], outcome)
