"""The survival exam: every statistic that R computed on five public data sets, computed again and compared.

The reference files are ``r_survival_shared.csv`` and ``r_survival_more_shared.csv`` (survival 3.5-3, maxstat 0.7,
riskRegression, cmprsk 2.2), the data sets lie beside them. Counts and cut-points must be equal; Kaplan-Meier, log-rank,
restricted means, Cox models and cox.zph within 1e-6 relative, their p-values within 1e-5 relative on the log scale;
maxstat, Uno's C, AUC(t), Brier(t), cumulative incidence, Gray's test and Fine-Gray within 1e-4 relative.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from petct.conformance import survival_competing, survival_curves, survival_models
from petct.conformance.exam import Exam, ExamLine, Verdict
from petct.conformance.survival_reference import Found, Reference, Statistic, Table
from petct.errors import PetctError

if TYPE_CHECKING:
    from pathlib import Path

Compute = Callable[[Table, str, Sequence[Statistic]], Found]


@dataclass(frozen=True)
class Family:
    """Analyses of one kind.

    Attributes
    ----------
    pattern
        Names of its analyses; what is in parentheses is handed to ``compute``.
    compute
        Data set, what was in parentheses, and the statistics wanted, to what petlake finds.
    tolerance
        Relative.
    p_on_log_scale
        Whether p-values are compared by their logarithms.
    """

    pattern: str
    compute: Compute
    tolerance: float = 1e-6
    p_on_log_scale: bool = True


def _loose(pattern: str, compute: Compute) -> Family:
    return Family(pattern, compute, tolerance=1e-4, p_on_log_scale=False)


FAMILIES = (
    Family(r"km:(.*)", survival_curves.kaplan_meier_curves),
    Family(r"logrank:(.*)", survival_curves.log_rank_test),
    Family(r"logrank_rho:(.*)", survival_curves.weighted_log_rank_tests),
    Family(r"reverse_km()", survival_curves.follow_up),
    _loose(r"maxstat:(.*)", survival_curves.searched_cut),
    Family(r"cox:([^;]*)", survival_models.cox_model),
    Family(r"cox:(.*;zph:.*)", survival_models.proportional_hazards_tests),
    Family(r"cox_strata()", survival_models.stratified_model),
    Family(r"cox_robust()", survival_models.robust_model),
    Family(r"cox_cluster()", survival_models.clustered_model),
    Family(r"cox_truncated()", survival_models.truncated_model),
    Family(r"baseline()", survival_models.baseline),
    Family(r"martingale()", survival_models.martingale),
    Family(r"harrell_c()", survival_models.harrell_concordance),
    _loose(r"uno_c()", survival_models.uno_concordance_of_model),
    _loose(r"auc_t()", survival_models.area_under_curve),
    _loose(r"brier_t()", survival_models.brier_score),
    _loose(r"cuminc:(.*)", survival_competing.incidence),
    _loose(r"gray:(.*)", survival_competing.gray_tests),
    _loose(r"finegray:(.*)", survival_competing.subdistribution_model),
)


def run(folder: Path) -> Exam:
    """Examine every statistic of the reference files in ``folder``.

    An analysis that petlake refuses, or has no function for, fails in all of its lines, which say why.

    Raises
    ------
    PetctError
        EXAM_DATA_MISSING without a reference file, EXAM_LIST_INVALID for one that is not laid out as published.
    """
    reference = Reference(folder)
    return Exam(
        "survival",
        tuple(
            line
            for (dataset, analysis), statistics in reference.analyses().items()
            for line in _examine(reference, dataset, analysis, statistics)
        ),
    )


def _examine(reference: Reference, dataset: str, analysis: str, statistics: Sequence[Statistic]) -> list[ExamLine]:
    for family in FAMILIES:
        matched = re.fullmatch(family.pattern, analysis)
        if matched is None:
            continue
        try:
            found = family.compute(reference.table(dataset), matched.group(1), statistics)
        except PetctError as error:
            return [statistic.line(None, None, Verdict.FAIL, error.sentence()) for statistic in statistics]
        return [
            statistic.judge(found, family.tolerance, p_on_log_scale=family.p_on_log_scale) for statistic in statistics
        ]
    return [statistic.line(None, None, Verdict.FAIL, "petlake has no such analysis") for statistic in statistics]
