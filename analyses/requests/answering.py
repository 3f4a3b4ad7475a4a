"""Answering a request, whichever analysis it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from analyses.requests.aft import AftRequest, answer_aft
from analyses.requests.answer import Answer
from analyses.requests.cox import CoxRequest
from analyses.requests.cox_answer import answer_cox
from analyses.requests.data import AnalysisData
from analyses.requests.kaplan_meier import KaplanMeierRequest, answer_kaplan_meier
from analyses.requests.pca import PcaRequest, answer_pca
from analyses.requests.request import Request
from analyses.requests.screen import ScreenRequest, answer_screen
from analyses.requests.sensitivity import SensitivityRequest, answer_sensitivity

_ANSWERS: Mapping[type[Request], Callable[..., Answer]] = {
    KaplanMeierRequest: answer_kaplan_meier,
    CoxRequest: answer_cox,
    AftRequest: answer_aft,
    PcaRequest: answer_pca,
    ScreenRequest: answer_screen,
    SensitivityRequest: answer_sensitivity,
}


def answer(request: Request, data: AnalysisData, **reused: Any) -> Answer:
    """Answer a request: the one computation of page, command, script and bundle.

    Parameters
    ----------
    request
        What is asked.
    data
        What ``load`` read for it.
    reused
        Parts that were computed before, see ``answer_kaplan_meier``.

    Raises
    ------
    SurvivalError, FeatureError, MaskError
        What the analysis refuses.
    """
    decided = {"endpoint": data.basis.endpoint} if data.basis.snapshot_id else {}
    if data.basis.feature_set is not None:
        decided["feature_set"] = data.basis.feature_set
    return _ANSWERS[type(request)](request.completed(**decided), data, **reused)
