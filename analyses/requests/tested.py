"""Which hypothesis tests an analysis was: for a ledger, where the same test has the same words wherever it is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.cox.result import CoxResult
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.group_tests import PairwiseTest
from petct.survival.kaplan_meier.restricted_mean import MeanContrast
from petct.survival.kaplan_meier.result import KaplanMeierResult

if TYPE_CHECKING:
    from petct.survival.cox_repeated.protocol_sensitivity import ProtocolHazard
    from petct.survival.features.scan_result import ScanResult

# The splits of a number and of a category that need no choice.
_PLAIN_SPLITS = ("median split", "categories")


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
    plain
        Whether it is what a hypothesis of an endpoint and a variable means when nothing else is said: the log-rank test
        of the median split or of the categories, or the variable in a Cox model without further conditions. Only such a
        test can have been declared beforehand.
    """

    procedure: str
    how: str
    n_tests: int
    p: float | None
    plain: bool = False


def hypotheses_of_kaplan_meier(result: KaplanMeierResult, conditions: Sequence[str] = ()) -> tuple[Tested, ...]:
    """The tests of a Kaplan-Meier analysis of groups.

    Parameters
    ----------
    conditions
        What else makes the analysis a different one: entry times, a landmark, a horizon.
    """
    # Labels are rounded for the eye; cut points that differ are other tests.
    cuts = [f"cut at {cut!r}" for cut in result.cut_points]
    groups = f"{result.rule} ({'; '.join(cuts or [curve.group for curve in result.curves])})"
    how = ", ".join((groups, *conditions))
    plain = result.rule in _PLAIN_SPLITS and not conditions
    found = []
    if result.log_rank is not None:
        found.append(Tested(result.log_rank.name, how, 1, result.log_rank.p, plain))
    found += [Tested(test.name, how, 1, test.p) for test in result.weighted_tests]
    if result.trend is not None:
        found.append(Tested("log-rank trend", how, 1, result.trend.p))
    families: list[tuple[str, Sequence[PairwiseTest | MeanContrast]]] = [("log-rank of pairs", result.pairwise)]
    if result.restricted_mean is not None:
        families.append((f"restricted mean to {result.restricted_mean.tau:g}", result.restricted_mean.contrasts))
    for name, family in families:
        if family:
            found.append(Tested(name, how, len(family), _smallest([test.p_adjusted for test in family])))
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


def hypotheses_of_cox(result: CoxResult, scales: Sequence[str], conditions: Sequence[str] = ()) -> tuple[Tested, ...]:
    """The tests of a Cox model.

    Parameters
    ----------
    scales
        What the hazard ratios refer to (``per_sd``, ...): one for all covariates, or one for each.
    conditions
        Strata, penalties and whatever else makes the model another one.
    """
    how = ", ".join((*dict.fromkeys(scales), *conditions))
    found = [
        Tested(
            "Cox",
            how,
            len(result.terms),
            _smallest([term.p for term in result.terms]),
            plain=not conditions,
        )
    ]
    if len(result.terms) > 1:
        found.append(Tested("Cox, all covariates", how, 1, result.overall.p))
    if result.tests:
        found.append(
            Tested("Cox, covariates and non-linearity", how, len(result.tests), _smallest([t.p for t in result.tests]))
        )
    return tuple(found)


def hypotheses_of_scan(result: ScanResult) -> tuple[Tested, ...]:
    """The tests of a scan, and apart from them those of its adjusted version."""
    found = [Tested("scan", "", result.n_tested, result.p_best)]
    adjusted = [row.adjusted.q for row in result.rows if row.adjusted is not None and row.adjusted.q is not None]
    if adjusted:
        found.append(Tested("scan", f"adjusted for {', '.join(result.adjusted_for)}", len(adjusted), min(adjusted)))
    return tuple(found)


def hypothesis_of_protocol(row: ProtocolHazard, organ: str | None) -> Tested:
    """The test of tumour volume under one protocol, of all lesions or of those in an organ."""
    # With the protocol among the variables it is nobody's primary hypothesis: that one is tested by petlake cox.
    how = f"per_doubling, {organ}" if organ else "per_doubling"
    return Tested("Cox, protocol sensitivity", how, 1, row.p)


def _smallest(p_values: Sequence[float | None]) -> float | None:
    return min((p for p in p_values if p is not None), default=None)
