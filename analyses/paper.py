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
    from figures.print_components import components_print
    from figures.print_diagnostics import calibration_print, hazard_check_print
    from figures.print_forest import forest_print, protocol_hazards_print
    from figures.print_scan import volcano_print
    from figures.print_survival import cumulative_incidence_print, kaplan_meier_print

    result, labels = answer.result, names_of(answer.basis.columns.values())
    if isinstance(result, KaplanMeierResult):
        drawn = partial(kaplan_meier_print, result, labels=labels)
        return drawn, partial(numbers.survival_numbers, result)
    if isinstance(result, CumulativeIncidenceResult):
        drawn = partial(cumulative_incidence_print, result, labels=labels)
        return drawn, partial(numbers.incidence_numbers, result)
    if isinstance(result, PcaResult):
        return partial(components_print, result), partial(numbers.component_numbers, result)
    if isinstance(result, ScanResult):
        return partial(volcano_print, result, labels=labels), partial(numbers.scan_numbers, result)
    if isinstance(result, ProtocolSensitivity):
        hazards, names = answer.known_hazards, answer.protocol_names or {}
        drawn = partial(protocol_hazards_print, hazards, names)
        return drawn, partial(numbers.protocol_numbers, result, hazards, names)
    if isinstance(result, AftResult):
        return partial(hazard_check_print, result), partial(numbers.hazard_check_numbers, result)
    if answer.validation is not None:
        judged = answer.validation
        return partial(calibration_print, judged), partial(numbers.calibration_numbers, judged)
    return partial(forest_print, result, labels=labels), partial(numbers.hazard_numbers, result)
