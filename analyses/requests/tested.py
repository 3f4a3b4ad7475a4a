"""Which hypothesis tests an analysis was: for a ledger, where the same test has the same words wherever it is run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from petct.survival.competing.cumulative import CumulativeIncidenceResult
    from petct.survival.competing.fine_gray import FineGrayResult
    from petct.survival.cox.result import CoxResult
    from petct.survival.cox_repeated.protocol_sensitivity import ProtocolHazard
    from petct.survival.features.scan_result import ScanResult
    from petct.survival.kaplan_meier.cut_points import CutPointResult
    from petct.survival.kaplan_meier.group_tests import PairwiseTest
    from petct.survival.kaplan_meier.restricted_mean import MeanContrast
    from petct.survival.kaplan_meier.result import KaplanMeierResult


@dataclass(frozen=True)
class Tested:
    """Tests of one procedure in one analysis.

    Attributes
    ----------
    procedure
        For example ``log-rank`` or ``Cox``.
    how
        Groups, scales and conditions: what makes it another test than that of the same variables.
    n_tests
        Hypotheses tested.
    p
        The smallest p-value as it was shown; None where it was withheld.
    may_be_primary
        Whether it is what a hypothesis of an endpoint and a variable means when nothing else is said, see
        ``Request.is_another_test``. Only such a test can have been declared beforehand.
    variables
        What was tested, as the snapshot names it.
    n, n_events
        Patients and events in it.
    """

    procedure: str
    how: str
    n_tests: int
    p: float | None
    may_be_primary: bool = False
    variables: tuple[str, ...] = ()
    n: int = 0
    n_events: int = 0


def about(tests: Iterable[Tested], variables: Sequence[str], n: int, n_events: int) -> tuple[Tested, ...]:
    """The tests with what they are about."""
    return tuple(replace(test, variables=tuple(variables), n=n, n_events=n_events) for test in tests)


def several(procedure: str, how: str, p_values: Sequence[float | None], *, may_be_primary: bool = False) -> Tested:
    """Several tests of one procedure, with the smallest p-value that was shown."""
    return Tested(procedure, how, len(p_values), _smallest(p_values), may_be_primary)


def hypotheses_of_kaplan_meier(
    result: KaplanMeierResult, conditions: Sequence[str] = (), *, may_be_primary: bool = False
) -> tuple[Tested, ...]:
    """The tests of a Kaplan-Meier analysis of groups.

    Parameters
    ----------
    conditions
        What else makes the analysis a different one: entry times, a landmark, a horizon.
    may_be_primary
        Whether its log-rank test may have been declared.
    """
    # Labels are rounded for the eye; cut points that differ are other tests.
    cuts = [f"cut at {cut!r}" for cut in result.cut_points]
    groups = f"{result.rule} ({'; '.join(cuts or [curve.group for curve in result.curves])})"
    how = ", ".join((groups, *conditions))
    found = []
    if result.log_rank is not None:
        found.append(Tested(result.log_rank.name, how, 1, result.log_rank.p, may_be_primary))
    found += [Tested(test.name, how, 1, test.p) for test in result.weighted_tests]
    if result.trend is not None:
        found.append(Tested("log-rank trend", how, 1, result.trend.p))
    families: list[tuple[str, Sequence[PairwiseTest | MeanContrast]]] = [("log-rank of pairs", result.pairwise)]
    if result.restricted_mean is not None:
        families.append((f"restricted mean to {result.restricted_mean.tau:g}", result.restricted_mean.contrasts))
    found += [several(name, how, [test.p_adjusted for test in family]) for name, family in families if family]
    return tuple(found)


def hypothesis_of_cut(cut: CutPointResult, conditions: Sequence[str] = ()) -> Tested:
    """The one test that the search for a cut is; ``conditions`` as in ``hypotheses_of_kaplan_meier``."""
    searched = f"{cut.smallest_fraction:.0%} to {cut.largest_fraction:.0%} of the patients"
    p = cut.permutation.p if cut.permutation else None
    return Tested("maximally selected log-rank", ", ".join((searched, *conditions)), 1, p)


def hypotheses_of_incidence(result: CumulativeIncidenceResult) -> tuple[Tested, ...]:
    """Gray's tests of an analysis of competing risks; an event that nobody had was not tested."""
    groups = f"{result.rule} ({'; '.join(dict.fromkeys(curve.group for curve in result.curves))})"
    return tuple(
        Tested(f"Gray, {test.cause}", groups, 1, test.p)
        for test in result.gray_tests
        if test.p_suppressed is None or test.p_suppressed.code != "GRAY_UNDEFINED"
    )


def hypotheses_of_fit(procedure: str, fit: FineGrayResult | CoxResult) -> Tested:
    """The tests of one model of competing events, one per coefficient."""
    return several(procedure, ", ".join(term.scale for term in fit.terms), [term.p for term in fit.terms])


def hypotheses_of_cox(
    result: CoxResult, scale: str, conditions: Sequence[str] = (), *, may_be_primary: bool = False
) -> tuple[Tested, ...]:
    """The tests of a Cox model.

    Parameters
    ----------
    scale
        What the hazard ratios refer to (``per_sd``, ...).
    conditions
        Strata, penalties and whatever else makes the model another one.
    may_be_primary
        Whether that of its coefficients may have been declared.
    """
    how = ", ".join((scale, *conditions))
    found = [several("Cox", how, [term.p for term in result.terms], may_be_primary=may_be_primary)]
    if len(result.terms) > 1:
        found.append(Tested("Cox, all covariates", how, 1, result.overall.p))
    if result.tests:
        found.append(several("Cox, covariates and non-linearity", how, [test.p for test in result.tests]))
    return tuple(found)


def hypotheses_of_scan(result: ScanResult) -> tuple[Tested, ...]:
    """The tests of all features, and apart from them those of the adjusted version."""
    found = [Tested("scan", "", result.n_tested, result.p_best)]
    adjusted = [row.adjusted.q for row in result.rows if row.adjusted is not None and row.adjusted.q is not None]
    if adjusted:
        found.append(several("scan", f"adjusted for {', '.join(result.adjusted_for)}", adjusted))
    return tuple(found)


def hypothesis_of_protocol(row: ProtocolHazard, organ: str | None) -> Tested:
    """The test of tumour volume under one protocol, of all lesions or of those in an organ."""
    # With the protocol among the variables it is nobody's primary hypothesis: that one is tested by petlake cox.
    how = f"per_doubling, {organ}" if organ else "per_doubling"
    return Tested("Cox, protocol sensitivity", how, 1, row.p)


def _smallest(p_values: Sequence[float | None]) -> float | None:
    return min((p for p in p_values if p is not None), default=None)
