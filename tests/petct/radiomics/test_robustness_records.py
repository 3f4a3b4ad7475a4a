"""From repeated measurements to the rows of the table ``robustness``."""

from __future__ import annotations

import numpy as np
import pytest

from petct.radiomics.robustness import agreement
from petct.radiomics.robustness_records import Measurement, robustness_records
from records.robustness import RobustnessRecord


def measurements(ratings: np.ndarray, feature: str = "a", targets_a_patient: int = 2) -> list[Measurement]:
    return [
        Measurement("set", feature, f"P{target // targets_a_patient}", f"L{target}", f"m{repetition}", value)
        for (target, repetition), value in np.ndenumerate(ratings)
    ]


def noisy(shift: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(10, 3, (12, 1)) + np.array([[0.0, shift]]) + rng.normal(0, 0.1, (12, 2))


def only(records: tuple[RobustnessRecord, ...]) -> RobustnessRecord:
    (record,) = records
    return record


def test_a_row_holds_what_agreement_gives() -> None:
    ratings = noisy(0.5)
    record = only(robustness_records(measurements(ratings), "perturbation", 0.75))
    found = agreement(ratings)
    assert found.icc_1_1 is not None
    assert found.icc_2_1 is not None
    assert (record.n_targets, record.n_patients, record.n_measurements) == (12, 6, 2)
    assert (record.icc_1_1, record.icc_1_1_lower) == (found.icc_1_1.value, found.icc_1_1.lower)
    assert (record.icc_2_1, record.icc_2_1_upper) == (found.icc_2_1.value, found.icc_2_1.upper)
    assert record.qcd == found.qcd


@pytest.mark.parametrize("source", ["perturbation", "retest", "reader"])
def test_the_filter_acts_on_the_lower_bound(source: str) -> None:
    rows = measurements(noisy(0.0) + np.random.default_rng(3).normal(0, 0.6, (12, 2)))
    record = only(robustness_records(rows, source, 0.75))  # type: ignore[arg-type]
    value, lower = (
        (record.icc_1_1, record.icc_1_1_lower) if source == "perturbation" else (record.icc_2_1, record.icc_2_1_lower)
    )
    assert value is not None
    assert lower is not None
    # The estimate would pass, and what the data exclude would not.
    assert lower < 0.75 < value
    assert record.is_robust is False
    assert only(robustness_records(rows, source, lower)).is_robust is True  # type: ignore[arg-type]


def test_a_shift_between_readers_is_not_robust() -> None:
    record = only(robustness_records(measurements(noisy(6.0)), "reader", 0.75))
    assert record.icc_3_1_lower is not None
    assert record.icc_3_1_lower > 0.75
    assert (record.filter_icc, record.is_robust) == ("2,1", False)


def test_a_target_that_was_lost_once_does_not_enter() -> None:
    rows = measurements(noisy(0.0))
    lost = [row for row in rows if not (row.target == "L3" and row.repetition == "m1")]
    empty = [
        Measurement(r.feature_set_id, r.feature_name, r.patient_id, r.target, r.repetition, None)
        if (r.target, r.repetition) == ("L3", "m1")
        else r
        for r in rows
    ]
    record = only(robustness_records(lost, "perturbation", 0.75))
    assert (record.n_targets, record.n_patients) == (11, 6)
    assert only(robustness_records(empty, "perturbation", 0.75)) == record


def test_where_there_is_no_icc_there_is_no_verdict() -> None:
    few = only(robustness_records(measurements(noisy(0.0)[:2]), "retest", 0.75))
    assert (few.status, few.icc_2_1, few.is_robust) == ("TOO_FEW_TARGETS", None, None)
    once = only(robustness_records(measurements(noisy(0.0)[:, :1]), "retest", 0.75))
    assert (once.status, once.n_measurements, once.n_targets) == ("TOO_FEW_TARGETS", 1, 0)
    flat = only(robustness_records(measurements(np.ones((4, 2))), "retest", 0.75))
    assert (flat.status, flat.is_robust) == ("NO_VARIANCE", None)


def test_features_are_rows_of_their_own_in_order() -> None:
    rows = measurements(noisy(0.0), "b") + measurements(noisy(0.0, seed=1), "a")
    assert [record.feature_name for record in robustness_records(rows, "perturbation", 0.75)] == ["a", "b"]
