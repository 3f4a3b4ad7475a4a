"""The figure of an answer, as it is printed, and the table of what it draws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from analyses import numbers
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
    return _shown(answer)[0]()


def numbers_of(answer: Answer) -> pd.DataFrame:
    """Return what the figure of an answer draws; raises as ``figure_of``."""
    return _shown(answer)[1]()


def _shown(answer: Answer) -> tuple[Callable[[], Figure], Callable[[], pd.DataFrame]]:
    """What makes figure and table: one place for every kind of result."""
    # matplotlib is loaded only where something is drawn.
    from figures import print as paper

    result, labels = answer.result, names_of(answer.basis.columns.values())
    if isinstance(result, KaplanMeierResult):
        drawn = partial(paper.kaplan_meier_print, result, labels=labels)
        return drawn, partial(numbers.survival_numbers, result)
    if isinstance(result, CumulativeIncidenceResult):
        drawn = partial(paper.cumulative_incidence_print, result, labels=labels)
        return drawn, partial(numbers.incidence_numbers, result)
    if isinstance(result, PcaResult):
        return partial(paper.components_print, result), partial(numbers.component_numbers, result)
    if isinstance(result, ScanResult):
        return partial(paper.volcano_print, result, labels=labels), partial(numbers.scan_numbers, result)
    if isinstance(result, ProtocolSensitivity):
        hazards, names = answer.known_hazards, answer.protocol_names or {}
        drawn = partial(paper.protocol_hazards_print, hazards, names)
        return drawn, partial(numbers.protocol_numbers, result, hazards, names)
    if isinstance(result, AftResult):
        return partial(paper.hazard_check_print, result), partial(numbers.hazard_check_numbers, result)
    if answer.validation is not None:
        judged = answer.validation
        return partial(paper.calibration_print, judged), partial(numbers.calibration_numbers, judged)
    return partial(paper.forest_print, result, labels=labels), partial(numbers.hazard_numbers, result)
