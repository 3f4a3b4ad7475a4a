"""Kaplan-Meier, log-rank and restricted means against R's survival 3.5-3."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from petct.survival.groups import Grouping, split_by_category, split_by_median
from petct.survival.kaplan_meier import kaplan_meier
from tests.petct.survival.reference import Reference, load, outcome_of

LANDMARKS = {
    "rossi": (50.0, 52.0),
    "larynx": (2.0, 4.0, 6.2),
    "gbsg2": (567.75, 1084.0, 1684.75),
    "lung": (166.75, 255.5, 396.5),
}


def _grouping(reference: Reference, dataset: str, what: str) -> Grouping:
    table = reference.table(dataset)
    if what.endswith(">median"):
        variable = what.removesuffix(">median")
        return split_by_median(table[variable].to_numpy(dtype=float), variable)
    if what == "stage":
        codes = 1 + sum(int(i) * table[f"Stage_{name}"] for i, name in ((1, "II"), (2, "III"), (3, "IV")))
        return split_by_category([str(code) for code in codes], what)
    return split_by_category([str(value) for value in table[what]], what)


def _label(grouping: Grouping, r_label: str) -> str:
    return {"low": grouping.labels[0], "high": grouping.labels[-1]}.get(r_label, r_label)


@pytest.mark.parametrize("dataset", sorted(LANDMARKS))
def test_every_kaplan_meier_number_equals_r(petlake_data: Path, dataset: str) -> None:
    reference = load(petlake_data)
    checked = 0
    for what in reference.analyses(dataset, "km:"):
        grouping = _grouping(reference, dataset, what)
        result = kaplan_meier(outcome_of(reference, dataset), grouping, landmarks=LANDMARKS[dataset])
        assert result.restricted_mean is not None
        for row in reference.rows(dataset, f"km:{what}"):
            label = _label(grouping, row.group)
            curve = next(curve for curve in result.curves if curve.group == label)
            mean = next(mean for mean in result.restricted_mean.groups if mean.group == label)
            at = {landmark.time: landmark for landmark in curve.landmarks}
            found: dict[str, object] = {
                "records": curve.n,
                "events": curve.n_events,
                "median": curve.median.value,
                "0.95LCL": curve.median.lower,
                "0.95UCL": curve.median.upper,
            }
            if row.statistic.startswith("rmst"):
                assert result.restricted_mean.tau == float(row.term)
                found = {"rmst": mean.mean, "rmst_se": mean.standard_error}
            elif row.term:
                landmark = at[float(row.term)]
                found = {
                    "survival_at": landmark.survival,
                    "lower_at": landmark.lower,
                    "upper_at": landmark.upper,
                    "at_risk": landmark.n_at_risk,
                }
            row.check(found[row.statistic])
            checked += 1
        test = result.log_rank
        assert test is not None
        for row in reference.rows(dataset, f"logrank:{what}"):
            row.check({"chisq": test.chi_squared, "p": test.p}[row.statistic])
            checked += 1
    assert checked == reference.count(dataset, ("km:", "logrank:"))


@pytest.mark.parametrize("dataset", ["gbsg2", "lung"])
def test_reverse_kaplan_meier_equals_r(petlake_data: Path, dataset: str) -> None:
    reference = load(petlake_data, "r_survival_more_shared.csv")
    follow_up = kaplan_meier(outcome_of(reference, dataset)).follow_up
    rows = reference.rows(dataset, "reverse_km")
    assert len(rows) == 3
    for row in rows:
        row.check({"median": follow_up.value, "lower": follow_up.lower, "upper": follow_up.upper}[row.statistic])


def test_landmark_before_the_first_time_is_one(petlake_data: Path) -> None:
    result = kaplan_meier(outcome_of(load(petlake_data), "lung"), landmarks=[0.0])
    (landmark,) = result.curves[0].landmarks
    assert (landmark.survival, landmark.lower, landmark.n_at_risk) == (1.0, None, 228)
    assert np.isfinite(result.curves[0].survival).all()
