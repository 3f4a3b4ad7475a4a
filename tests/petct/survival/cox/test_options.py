"""Strata, entry times, robust errors, splines, ridge, Firth and permutation of Cox models."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.optimize import minimize

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import as_dict
from petct.survival.cohort.splines import spline_basis
from petct.survival.cox.fit import fit_cox
from petct.survival.cox.model import cox
from petct.survival.cox.score_tests import permutation_p, permutations_of, robust_score_statistic, score_test
from petct.survival.cox.tests import CoxTests
from petct.survival.likelihood.partial_likelihood import RiskSets, maximise
from petct.survival.likelihood.penalised import Firth, Ridge, penalised_log_likelihood, penalty_score
from tests.some import some

N = 67


def _cohort(seed: int = 1, n: int = N, log_ratio: float = 0.0, *, ties: bool = False) -> tuple[Outcome, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    duration = rng.exponential(size=n) * np.exp(-log_ratio * x)
    duration = np.ceil(6 * duration) if ties else np.ceil(1e5 * duration)
    return Outcome(duration, (rng.random(n) < 0.6).astype(int)), x


def _sets(n: int = 40, seed: int = 2) -> RiskSets:
    rng = np.random.default_rng(seed)
    strata, entry = rng.integers(0, 3, n), rng.integers(0, 3, n).astype(float)
    duration = entry + rng.integers(1, 6, n)
    event = np.maximum(rng.integers(0, 2, n), np.arange(n) % 2)
    return RiskSets.of(duration, event, rng.normal(size=(n, 3)), strata=strata, entry=entry)


def test_the_terms_of_strata_entries_and_ties_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(2)
    n = 40
    strata, entry = rng.integers(0, 3, n), rng.integers(0, 3, n).astype(float)
    duration = entry + rng.integers(1, 6, n)
    event, x = np.maximum(rng.integers(0, 2, n), np.arange(n) % 2), rng.normal(size=(n, 3))
    beta = np.array([0.3, -0.2, 0.1])
    risk = np.exp(x @ beta)
    log_likelihood = 0.0
    for stratum in range(3):
        for time in np.unique(duration[(event == 1) & (strata == stratum)]):
            at_risk = (strata == stratum) & (entry < time) & (time <= duration)
            dead = at_risk & (duration == time) & (event == 1)
            for gone in range(int(dead.sum())):
                log_likelihood -= np.log(risk[at_risk].sum() - gone / dead.sum() * risk[dead].sum())
            log_likelihood += (x[dead] @ beta).sum()
    terms = RiskSets.of(duration, event, x, strata=strata, entry=entry).evaluate(beta)
    # The likelihood leaves out what is the same for all: only differences count.
    zero = RiskSets.of(duration, event, x, strata=strata, entry=entry).evaluate(np.zeros(3))
    assert terms.log_likelihood == pytest.approx(log_likelihood, rel=1e-12)
    assert zero.log_likelihood < 0


def test_score_and_information_are_derivatives_with_strata_and_entries() -> None:
    sets, beta, h = _sets(), np.array([0.3, -0.2, 0.1]), 1e-5
    at = sets.evaluate(beta)
    for j, unit in some(enumerate(np.eye(3))):
        up, down = sets.evaluate(beta + h * unit), sets.evaluate(beta - h * unit)
        assert at.score[j] == pytest.approx((up.log_likelihood - down.log_likelihood) / (2 * h), rel=1e-6)
        assert at.information[j] == pytest.approx(-(up.score - down.score) / (2 * h), rel=1e-6)


def test_sums_over_risk_sets_and_over_deaths_are_adjoint() -> None:
    sets, rng = _sets(), np.random.default_rng(3)
    of_rows, of_deaths = rng.normal(size=len(sets.order)), rng.normal(size=len(sets.rows))
    assert of_deaths @ sets.at_risk(of_rows) == pytest.approx(of_rows @ sets.over_deaths(of_deaths), rel=1e-10)


def test_a_stratum_shifts_the_baseline_only() -> None:
    rng = np.random.default_rng(15)
    x, site = rng.normal(size=200), np.arange(200) % 2
    # Hazards differ tenfold between the sites, and x is higher where they are.
    x = x + site
    duration = rng.exponential(size=200) * np.exp(-0.5 * x - 2.3 * site)
    outcome = Outcome(duration, np.ones(200))
    names = CategoricalCovariate("site", [f"s{code}" for code in site])
    ignoring = cox(outcome, [NumericCovariate("x", x, scale="as_is")], permutations=0).terms[0]
    within = cox(outcome, [NumericCovariate("x", x, scale="as_is")], strata=[names], permutations=0)
    assert ignoring.lower > 1.65
    assert within.terms[0].lower < np.exp(0.5) < within.terms[0].upper
    assert (within.n_strata, within.strata) == (2, ("site",))
    with pytest.raises(SurvivalError) as caught:
        cox(outcome, [NumericCovariate("s", site, scale="as_is")], strata=[names])
    assert (caught.value.code, caught.value.keyword) == ("COVARIATE_CONSTANT_IN_STRATA", "s")


def test_a_stratum_without_events_and_one_that_is_missing_say_nothing() -> None:
    outcome, x = _cohort()
    site: list[str | None] = ["a"] * 50 + ["b"] * 12 + [None] * 5
    event = outcome.event * (np.arange(N) < 50)
    result = cox(Outcome(outcome.duration, event), [NumericCovariate("x", x)], strata=[CategoricalCovariate("s", site)])
    alone = cox(Outcome(outcome.duration[:50], event[:50]), [NumericCovariate("x", x[:50], scale="as_is")])
    assert (result.n, result.n_missing, result.n_strata) == (62, 5, 2)
    assert result.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-12)


def test_copies_of_patients_narrow_the_interval_unless_they_are_a_cluster() -> None:
    outcome, x = _cohort(log_ratio=0.5)
    twice = Outcome(np.tile(outcome.duration, 2), np.tile(outcome.event, 2))
    patient = CategoricalCovariate("patient", [str(i) for i in np.tile(np.arange(N), 2)])
    once = cox(outcome, [NumericCovariate("x", x, scale="as_is")], robust=True).terms[0]
    doubled = [NumericCovariate("x", np.tile(x, 2), scale="as_is")]
    clustered = cox(twice, doubled, cluster=patient).terms[0]
    assert clustered.standard_error == pytest.approx(once.standard_error, rel=0.02)
    assert cox(twice, doubled, robust=True).terms[0].standard_error < 0.75 * once.standard_error
    assert clustered.test == "robust score test"
    result = cox(twice, doubled, cluster=CategoricalCovariate("site", ["a", "b"] * N))
    assert "2 clusters, fewer than 20: clustered standard errors are too small." in result.notes


def test_the_robust_score_is_the_sum_of_squares_of_score_residuals() -> None:
    outcome, x = _cohort(ties=True)
    sets = RiskSets.of(outcome.duration, outcome.event, np.column_stack([x, x**2]))
    test = score_test(sets, np.array([0]), ("a", "b"))
    residuals = test.score_residuals[:, 0]
    assert residuals.sum() == pytest.approx(test.null.score[0], rel=1e-9)
    expected = residuals.sum() ** 2 / (residuals**2).sum()
    assert robust_score_statistic(test, np.arange(N)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("k", [1, 2])
def test_the_permutation_p_is_that_of_all_orders(k: int) -> None:
    rng = np.random.default_rng(6)
    duration, event, x = np.array([1.0, 2, 2, 4, 5, 6]), np.array([1, 1, 1, 0, 1, 1]), rng.normal(size=(6, k))
    names = ("a", "b")[:k]

    def chi_squared(design: np.ndarray) -> float:
        return score_test(RiskSets.of(duration, event, design), np.arange(k), names).chi_squared

    observed = chi_squared(x)
    everything = [chi_squared(x[list(order)]) for order in itertools.permutations(range(6))]
    exact = np.mean(np.array(everything) >= observed - 1e-12)
    test = score_test(RiskSets.of(duration, event, x), np.arange(k), names)
    orders = np.array(list(itertools.permutations(range(6))))
    assert permutation_p(test, orders) == pytest.approx((720 * exact + 1) / 721, rel=1e-9)


def test_permutations_stay_within_their_stratum_and_follow_their_seed() -> None:
    stratum = np.array([0, 0, 0, 1, 1, 2])
    orders = permutations_of(stratum, 200, 1)
    assert np.array_equal(stratum[orders], np.tile(stratum, (200, 1)))
    assert len({tuple(order) for order in orders}) == 12
    assert np.array_equal(orders, permutations_of(stratum, 200, 1))
    assert not np.array_equal(orders, permutations_of(stratum, 200, 2))
    outcome, x = _cohort()
    first, again, other = (
        cox(outcome, [NumericCovariate("x", x)], permutations=199, seed=seed).terms[0] for seed in (1, 1, 2)
    )
    assert first == again
    assert first.p != other.p
    assert first.test == "permutation of the score test (199 permutations, seed 1)"
    assert first.p is not None
    assert round(first.p * 200) == pytest.approx(first.p * 200)


def test_which_test_is_shown_follows_from_the_model() -> None:
    outcome, x = _cohort(n=201)
    covariates = [NumericCovariate("x", x)]

    def test_of(n: int = 201, **options: object) -> str:
        keep = np.arange(201) < n
        return cox(outcome.subset(keep), [NumericCovariate("x", x[keep])], **options).terms[0].test  # type: ignore[arg-type]

    assert test_of() == "likelihood ratio test"
    assert test_of(200).startswith("permutation")
    assert test_of(200, permutations=0) == "likelihood ratio test"
    assert test_of(robust=True) == "robust score test"
    assert test_of(penalty=Firth()) == "penalised likelihood ratio test"
    ridge = cox(outcome, covariates, penalty=Ridge(3.0))
    assert (ridge.terms[0].p, ridge.overall.p) == (None, None)
    assert ridge.terms[0].p_suppressed is not None
    assert ridge.terms[0].p_suppressed.code == "PENALISED_NO_P"
    for options in ({"robust": True}, {"penalty": Firth()}):
        with pytest.raises(SurvivalError, match="PERMUTATION_NOT_EXCHANGEABLE"):
            cox(outcome, covariates, permutations=99, **options)  # type: ignore[arg-type]


def test_tests_of_large_cohorts_agree() -> None:
    outcome, x = _cohort(7, 1500, 0.06)
    fit = fit_cox(outcome, [NumericCovariate("x", x), NumericCovariate("y", np.roll(x, 1) + x)])
    p = [CoxTests(fit, permutations).of((0,)).p for permutations in (0, 999)]
    robust = CoxTests(
        fit_cox(outcome, [NumericCovariate("x", x), NumericCovariate("y", np.roll(x, 1) + x)], robust=True)
    )
    assert p[0] is not None
    assert 0.02 < p[0] < 0.6
    assert p[1] == pytest.approx(p[0], abs=0.04)
    assert robust.of((0,)).p == pytest.approx(p[0], abs=0.04)


def test_the_spline_is_straight_outside_its_knots_and_bends_inside() -> None:
    grid = np.linspace(-3, 3, 601)
    basis = spline_basis(grid, (-1.0, 0.0, 0.5, 1.0))
    assert basis.shape == (601, 3)
    second = np.diff(basis, n=2, axis=0)
    assert np.abs(second[grid[1:-1] < -1]).max() < 1e-10
    assert np.abs(second[grid[1:-1] > 1.01]).max() < 1e-10
    assert np.abs(second[:, 1:]).max() > 1e-5
    # rms::rcspline.eval(c(-2, 0, 0.25, 2), knots = c(-1, 0, 1)): ((x+1)^3 - 2 x^3 + (x-1)^3) / 4 in positive parts.
    assert spline_basis(np.array([-2, 0, 0.25, 2.0]), (-1.0, 0.0, 1.0))[:, 1] == pytest.approx(
        [0, 0.25, (1.25**3 - 2 * 0.25**3) / 4, (27 - 16 + 1) / 4]
    )


def test_a_bent_effect_is_found_as_bent_and_a_straight_one_is_not() -> None:
    rng = np.random.default_rng(9)
    x = rng.uniform(-2, 2, 180)
    bent = Outcome(rng.exponential(size=180) * np.exp(-1.2 * np.abs(x)), np.ones(180))
    straight = Outcome(rng.exponential(size=180) * np.exp(-x), np.ones(180))
    for outcome, found in ((bent, True), (straight, False)):
        result = cox(outcome, [NumericCovariate("x", x, "ml", "spline", knots=4)], permutations=499)
        tests = {test.question: test for test in result.tests}
        assert (tests["non-linearity"].df, tests["association"].df, result.n_parameters) == (2, 3, 3)
        assert tests["non-linearity"].p is not None
        assert (tests["non-linearity"].p < 0.05) == found
    (term,) = result.terms
    quartiles = np.quantile(x, [0.25, 0.75])
    assert term.scale.startswith("upper vs lower quartile")
    assert term.lower < np.exp(quartiles[1] - quartiles[0]) < term.upper
    assert term.p == tests["association"].p


@pytest.mark.parametrize(("values", "knots"), [([0.0] * 40 + list(range(1, 28)), 3), (list(range(N)), 6)])
def test_knots_that_cannot_be_are_refused(values: Sequence[float], knots: int) -> None:
    with pytest.raises(SurvivalError) as caught:
        cox(_cohort()[0], [NumericCovariate("x", values, scale="spline", knots=knots)])
    assert (caught.value.code, caught.value.keyword) == ("SPLINE_KNOTS", "x")


def test_the_penalty_of_firth_has_the_score_it_is_said_to_have() -> None:
    sets, beta, h = _sets(), np.array([0.3, -0.2, 0.1]), 1e-5
    at = sets.evaluate(beta)
    found = penalty_score(at, np.linalg.inv(at.information))

    def penalty(beta: np.ndarray) -> float:
        terms = sets.evaluate(beta)
        return penalised_log_likelihood(terms) - terms.log_likelihood

    slope = [(penalty(beta + h * unit) - penalty(beta - h * unit)) / (2 * h) for unit in np.eye(3)]
    assert found == pytest.approx(slope, rel=1e-6)


def test_firth_is_the_maximum_of_its_likelihood_and_its_limits_are_the_profile() -> None:
    outcome, x = _cohort(ties=True)
    y = np.random.default_rng(11).normal(size=N)
    covariates = [NumericCovariate("x", x, scale="as_is"), NumericCovariate("y", y, scale="as_is")]
    result = cox(outcome, covariates, penalty=Firth())
    sets = RiskSets.of(outcome.duration, outcome.event, np.column_stack([x, y]))

    def cost(beta: np.ndarray) -> float:
        return -penalised_log_likelihood(sets.evaluate(beta))

    best = minimize(cost, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    assert [term.coefficient for term in result.terms] == pytest.approx(list(best.x), abs=1e-6)
    for limit in some(np.log([result.terms[0].lower, result.terms[0].upper])):
        profile = minimize(lambda b, at=limit: cost(np.array([at, b[0]])), [0.0], method="Nelder-Mead")
        assert 2 * (profile.fun - best.fun) == pytest.approx(3.841459, abs=1e-4)
    null = minimize(lambda b: cost(np.array([0.0, b[0]])), [0.0], method="Nelder-Mead")
    test = CoxTests(fit_cox(outcome, covariates, penalty=Firth())).of((0,))
    assert test.chi_squared == pytest.approx(2 * (null.fun - best.fun), abs=1e-5)
    assert result.penalty == "Firth"
    json.dumps(as_dict(result), allow_nan=False)


def test_firth_is_finite_where_a_covariate_separates() -> None:
    outcome, _ = _cohort()
    order = np.argsort(np.argsort(outcome.duration))
    separating = NumericCovariate("s", (order < N // 2).astype(float), scale="as_is")
    everyone = Outcome(outcome.duration, np.ones(N))
    with pytest.raises(SurvivalError, match="COX_SEPARATION"):
        cox(everyone, [separating])
    (term,) = cox(everyone, [separating], penalty=Firth()).terms
    assert 5 < term.lower < term.hazard_ratio < term.upper < 1e6
    assert term.p is not None
    assert term.p < 1e-4


def test_few_events_are_allowed_to_penalised_models_only() -> None:
    rng = np.random.default_rng(12)
    outcome = Outcome(rng.exponential(size=60), [1] * 8 + [0] * 52)
    covariates = [NumericCovariate(name, rng.normal(size=60)) for name in "abc"]
    with pytest.raises(SurvivalError, match="COX_TOO_FEW_EVENTS"):
        cox(outcome, covariates)
    for penalty in (Firth(), Ridge()):
        result = cox(outcome, covariates, penalty=penalty)
        assert any("2.7 events per parameter" in note for note in result.notes)


def test_a_ridge_is_the_maximum_of_its_likelihood_and_carries_more_columns_than_patients() -> None:
    outcome, x = _cohort()
    design = np.column_stack([x, np.roll(x, 1)])
    sets = RiskSets.of(outcome.duration, outcome.event, (design - design.mean(axis=0)) / design.std(axis=0))
    found = maximise(sets, ("a", "b"), ridge=5.0).coefficients
    best = minimize(
        lambda b: 2.5 * b @ b - sets.evaluate(b).log_likelihood,
        np.zeros(2),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12},
    )
    assert found == pytest.approx(best.x, abs=1e-6)
    rng = np.random.default_rng(13)
    wide = [NumericCovariate(f"f{i}", rng.normal(size=N)) for i in range(80)]
    result = cox(outcome, [*wide, NumericCovariate("f0 again", wide[0].values)], penalty=Ridge())
    assert result.lr_df == pytest.approx(outcome.n_events / 10, rel=0.25)
    assert result.penalty is not None
    assert result.penalty.startswith("ridge of")
    with pytest.raises(SurvivalError, match="RIDGE_INVALID"):
        Ridge(-1.0)
    assert cox(outcome, wide[:2], penalty=Ridge(0.0)).terms[0].coefficient == pytest.approx(
        cox(outcome, wide[:2]).terms[0].coefficient, rel=1e-9
    )


@pytest.mark.parametrize("kind", ["ties everywhere", "one event time", "half at zero"])
def test_ties_give_a_number_or_a_sentence(kind: str) -> None:
    rng = np.random.default_rng(14)
    x, event = rng.normal(size=60), np.arange(60) % 2
    duration = {
        "ties everywhere": 1.0 + np.arange(60) % 3,
        "one event time": np.ones(60),
        "half at zero": np.arange(60) % 2,
    }
    outcome = Outcome(duration[kind] * 1.0, event)
    for penalty in (None, Firth(), Ridge(1.0)):
        try:
            json.dumps(as_dict(cox(outcome, [NumericCovariate("x", x)], penalty=penalty)), allow_nan=False)
        except SurvivalError as error:
            assert error.code in ("NO_COMPARABLE_PAIRS", "COX_SEPARATION")  # noqa: PT017 (either is right)


def test_a_value_known_only_later_is_immortal_time() -> None:
    outcome, x = _cohort()
    with pytest.raises(SurvivalError) as caught:
        cox(outcome, [NumericCovariate("response", x, known_from=90.0)])
    assert (caught.value.code, caught.value.keyword) == ("IMMORTAL_TIME", "response")
    assert caught.value.found == "67 patients, up to 90 days later"
    later = np.where(np.arange(N) < 3, 30.0, 0.0)
    with pytest.raises(SurvivalError, match="3 patients"):
        cox(outcome, [CategoricalCovariate("r", ["a", "b"] * 33 + ["a"], known_from=later)])
    # From a landmark on it was known.
    landmark = Outcome(outcome.duration + 90, outcome.event, entry=np.full(N, 90.0))
    assert cox(landmark, [NumericCovariate("response", x, known_from=90.0)]).n == N
