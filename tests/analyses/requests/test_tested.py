"""What an analysis counts as in the ledger: every p-value that is shown, and only plain tests as ones to declare."""

from __future__ import annotations

import numpy as np

from analyses.requests.tested import (
    hypotheses_of_cox,
    hypotheses_of_kaplan_meier,
    hypotheses_of_scan,
    hypothesis_of_protocol,
)
from petct.survival.cohort.covariates import NumericCovariate
from petct.survival.cohort.groups import split_at, split_by_median
from petct.survival.cohort.outcome import Outcome
from petct.survival.cox.model import cox
from petct.survival.cox_repeated.protocol_sensitivity import ProtocolBurden, hazard_ratios
from petct.survival.features.feature_table import FeatureTable
from petct.survival.features.scan import scan
from petct.survival.kaplan_meier.estimate import kaplan_meier
from tests.some import some

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(2, 60))
OUTCOME = Outcome(RNG.exponential(10, 60), np.ones(60))


def test_a_model_of_several_covariates_tests_each_and_all_of_them() -> None:
    alone = hypotheses_of_cox(cox(OUTCOME, [NumericCovariate("x", X)]), "per_sd")
    assert [(test.procedure, test.n_tests) for test in alone] == [("Cox", 1)]
    result = cox(OUTCOME, [NumericCovariate("x", X), NumericCovariate("y", Y)])
    both = hypotheses_of_cox(result, "per_sd")
    assert [(test.procedure, test.n_tests) for test in both] == [("Cox", 2), ("Cox, all covariates", 1)]
    assert both[0].p == min(term.p for term in result.terms)
    assert both[1].p == result.overall.p
    assert both[0].how == "per_sd"


def test_only_the_first_test_of_an_analysis_may_have_been_declared() -> None:
    median = kaplan_meier(OUTCOME, split_by_median(X, "x"))
    tests = hypotheses_of_kaplan_meier(median, may_be_primary=True)
    assert [test.may_be_primary for test in tests] == [True, False]
    assert not any(test.may_be_primary for test in some(hypotheses_of_kaplan_meier(median)))
    result = cox(OUTCOME, [NumericCovariate("x", X), NumericCovariate("y", Y)])
    tests = hypotheses_of_cox(result, "per_sd", ["strata s"], may_be_primary=True)
    assert [test.may_be_primary for test in tests] == [True, False]
    assert {test.how for test in tests} == {"per_sd, strata s"}


def test_a_scan_is_as_many_tests_as_it_has_features_and_its_adjusted_version_is_another() -> None:
    table = FeatureTable(("x", "y"), np.column_stack([X, Y]))
    (alone,) = hypotheses_of_scan(scan(OUTCOME, table, n_permutations=99))
    assert (alone.procedure, alone.how, alone.n_tests, alone.may_be_primary) == ("scan", "", 2, False)
    adjusted = scan(OUTCOME, table, adjust_for=[NumericCovariate("z", X**2)], n_permutations=99)
    first, second = hypotheses_of_scan(adjusted)
    assert (first.p, second.how, second.n_tests) == (adjusted.p_best, "adjusted for z", 2)
    assert second.p == min(row.adjusted.q for row in adjusted.rows)  # type: ignore[union-attr]


def test_volume_under_a_protocol_is_nobodys_primary_hypothesis() -> None:
    burdens = [ProtocolBurden(name, np.exp(X), np.ones(60)) for name in ("a", "b")]
    row = hazard_ratios(burdens, OUTCOME).rows[0]
    found = hypothesis_of_protocol(row, "liver")
    assert (found.how, found.n_tests, found.p, found.may_be_primary) == ("per_doubling, liver", 1, row.p, False)
    assert hypothesis_of_protocol(row, None).how == "per_doubling"


def test_cuts_that_only_look_alike_are_other_tests() -> None:
    subjects = {
        hypotheses_of_kaplan_meier(kaplan_meier(OUTCOME, split_at(X, [cut], "x")))[0].how for cut in (0.10001, 0.10002)
    }
    assert len(subjects) == 2
