"""Intraclass correlations against published examples and their properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from petct.errors import FeatureError
from petct.radiomics.robustness import agreement

# Shrout and Fleiss 1979, table 2: 6 targets, 4 judges.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)


def test_shrout_and_fleiss_1979_with_the_intervals_that_r_psych_prints() -> None:
    found = agreement(SHROUT_FLEISS)
    assert (found.n_targets, found.n_measurements, found.status) == (6, 4, "COMPUTED")
    assert found.icc_1_1 is not None
    assert found.icc_2_1 is not None
    assert found.icc_3_1 is not None
    assert [round(icc.value, 2) for icc in (found.icc_1_1, found.icc_2_1, found.icc_3_1)] == [0.17, 0.29, 0.71]
    # psych::ICC of the same table.
    assert (round(found.icc_1_1.lower, 3), round(found.icc_1_1.upper, 2)) == (-0.133, 0.72)
    assert (round(found.icc_2_1.lower, 3), round(found.icc_2_1.upper, 2)) == (0.019, 0.76)
    assert (round(found.icc_3_1.lower, 3), round(found.icc_3_1.upper, 2)) == (0.342, 0.95)


def test_a_systematic_shift_between_readers_is_seen_by_agreement_and_ignored_by_consistency() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(10, 3, 40)
    ratings = np.column_stack([truth, truth + 4]) + rng.normal(0, 0.1, (40, 2))
    found = agreement(ratings)
    assert found.icc_3_1 is not None
    assert found.icc_2_1 is not None
    assert found.icc_1_1 is not None
    assert found.icc_3_1.lower > 0.99
    assert found.icc_2_1.value < 0.6
    assert found.icc_1_1.value < 0.6


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    # Variances 3 between and 1 within targets: the correlation is 0.75.
    covered = 0
    for _ in range(400):
        ratings = rng.normal(0, np.sqrt(3), (20, 1)) + rng.normal(0, 1, (20, 4))
        icc = agreement(ratings).icc_1_1
        assert icc is not None
        covered += icc.lower <= 0.75 <= icc.upper
    # 95 % of 400, give or take three standard errors of the count.
    assert covered / 400 == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 400))


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(3, 8), st.integers(2, 5)),
        elements=st.floats(-1e3, 1e3).map(lambda v: round(v, 3)),
    ),
    st.floats(0.01, 100),
    st.floats(-1e3, 1e3),
)
def test_unit_and_zero_do_not_matter_and_bounds_enclose_the_value(
    ratings: np.ndarray, scale: float, shift: float
) -> None:
    found, moved = agreement(ratings), agreement(ratings * scale + shift)
    assert found.status == moved.status or np.ptp(ratings) * scale < 1e-9
    for icc, other in (
        (found.icc_1_1, moved.icc_1_1),
        (found.icc_2_1, moved.icc_2_1),
        (found.icc_3_1, moved.icc_3_1),
    ):
        if icc is None or other is None:
            continue
        assert icc.lower - 1e-9 <= icc.value <= icc.upper + 1e-9
        assert icc.upper <= 1 + 1e-9


def test_a_target_without_all_measurements_does_not_enter() -> None:
    ratings = np.vstack([SHROUT_FLEISS, [[1, np.nan, 3, 4], [np.inf, 1, 1, 1]]])
    assert agreement(ratings) == agreement(SHROUT_FLEISS)


@pytest.mark.parametrize(
    ("ratings", "status"),
    [
        (np.array([[1.0, 2.0], [3.0, 4.0]]), "TOO_FEW_TARGETS"),
        (np.full((5, 3), np.nan), "TOO_FEW_TARGETS"),
        (np.full((5, 3), 2.0), "NO_VARIANCE"),
    ],
)
def test_where_there_is_no_correlation_there_is_a_reason(ratings: np.ndarray, status: str) -> None:
    found = agreement(ratings)
    assert found.status == status
    assert (found.icc_1_1, found.icc_2_1, found.icc_3_1) == (None, None, None)


def test_perfect_agreement_is_one() -> None:
    found = agreement(np.repeat(np.arange(5.0)[:, None], 3, axis=1))
    for icc in (found.icc_1_1, found.icc_2_1, found.icc_3_1):
        assert icc is not None
        assert (icc.value, icc.lower, icc.upper) == (1.0, 1.0, 1.0)
    assert found.qcd == 0


def test_qcd_is_the_median_over_the_targets_where_it_is_defined() -> None:
    # Quartiles 1.5 and 2.5; 3 and 3; of different sign.
    ratings = np.array([[1.0, 2.0, 3.0], [3.0, 3.0, 3.0], [-9.0, 0.0, 9.0]])
    assert agreement(ratings).qcd == pytest.approx((1 / 4 + 0) / 2)
    assert agreement(np.array([[-1.0, 1.0]] * 4)).qcd is None


def test_one_measurement_is_no_repetition() -> None:
    with pytest.raises(FeatureError, match="RATINGS_INVALID"):
        agreement(np.ones((5, 1)))
