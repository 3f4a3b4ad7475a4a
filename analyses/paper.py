"""The figure of an answer, as it is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.naming import names_of
from analyses.requests.answer import Answer
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.cox_repeated.protocol_sensitivity import ProtocolSensitivity
from petct.survival.features.pca import PcaResult
from petct.survival.features.scan_result import ScanResult
from petct.survival.kaplan_meier.result import KaplanMeierResult
from petct.survival.with_lifelines.aft_result import AftResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def figure_of(answer: Answer) -> Figure:
    """Return the figure of an answer, its variables called as people read them.

    Raises
    ------
    SurvivalError
        HAZARDS_NONE for a comparison of protocols without hazard ratios.
    """
    # matplotlib is loaded only where something is drawn.
    from figures import print as paper

    result, labels = answer.result, names_of(answer.basis.columns.values())
    if isinstance(result, KaplanMeierResult):
        return paper.kaplan_meier_print(result, labels=labels)
    if isinstance(result, CumulativeIncidenceResult):
        return paper.cumulative_incidence_print(result, labels=labels)
    if isinstance(result, PcaResult):
        return paper.components_print(result)
    if isinstance(result, ScanResult):
        return paper.volcano_print(result, labels=labels)
    if isinstance(result, ProtocolSensitivity):
        return paper.protocol_hazards_print(answer.known_hazards, answer.protocol_names or {})
    if isinstance(result, AftResult):
        return paper.hazard_check_print(result)
    if answer.validation is not None:
        return paper.calibration_print(answer.validation)
    return paper.forest_print(result, labels=labels)
