"""The answer to a request computed again by lifelines, for the commands and the pages that offer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.requests.answer import Answer
from analyses.requests.cox import CoxRequest
from analyses.requests.cox_answer import fitted
from analyses.requests.data import AnalysisData
from analyses.requests.kaplan_meier import KaplanMeierRequest, compared_groups
from analyses.requests.request import Request
from petct.errors import SurvivalError
from petct.survival.cox.result import CoxResult
from petct.survival.kaplan_meier.result import KaplanMeierResult
from petct.survival.kaplan_meier.split_rules import weighting_of

if TYPE_CHECKING:
    from petct.survival.with_lifelines.comparison import LifelinesCheck


def refuse_unchecked(request: Request) -> None:
    """Raise ``SurvivalError`` LIFELINES_UNSUPPORTED for an analysis that lifelines is not asked to repeat."""
    if isinstance(request, KaplanMeierRequest):
        reason = "lifelines moves tied times of competing events at random, and has neither Gray's test nor Fine-Gray"
        asked = "--competing" if request.competing else ""
    else:
        reason = "Only one Cox model at a time is compared with lifelines"
        asked = ", ".join(request.kinds) if isinstance(request, CoxRequest) else f"petlake {request.command}"
    if asked:
        raise SurvivalError("LIFELINES_UNSUPPORTED", reason, keyword=asked, hint="Leave it out for the comparison.")


def check_with_lifelines(found: Answer, data: AnalysisData) -> LifelinesCheck:
    """Compute an answer again by lifelines, and compare every number that both have.

    Parameters
    ----------
    found, data
        The answer, and the data that it was given.

    Raises
    ------
    SurvivalError
        LIFELINES_UNSUPPORTED.
    """
    request, result = found.request, found.result
    refuse_unchecked(request)
    # pandas and lifelines are loaded only here.
    if isinstance(request, KaplanMeierRequest) and isinstance(result, KaplanMeierResult):
        from petct.survival.with_lifelines.kaplan_meier import check_kaplan_meier

        outcome, grouping, _, _ = compared_groups(request, data, found.cut_point)
        return check_kaplan_meier(outcome, grouping, result, [weighting_of(name) for name in request.weights])
    if isinstance(request, CoxRequest) and isinstance(result, CoxResult):
        from petct.survival.with_lifelines.cox import check_cox

        return check_cox(fitted(request, data), result)
    raise TypeError(f"petlake {request.command} gave a {type(result).__name__}")
