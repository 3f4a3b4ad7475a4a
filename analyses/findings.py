"""The results of a recipe, whichever command it is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.competing.fine_gray import FineGrayResult
from petct.survival.cox.result import CoxResult
from petct.survival.cox_repeated.forest_table import ForestTable
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.pooled import PooledCoxResult
from petct.survival.cox_repeated.protocol_sensitivity import HazardSensitivity, ProtocolSensitivity
from petct.survival.cox_repeated.subgroups import SubgroupTable
from petct.survival.cox_repeated.validation import CoxValidation
from petct.survival.features.pca import PcaResult
from petct.survival.features.scan_result import ScanResult
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.estimate import KaplanMeierResult

AnyResult = (
    KaplanMeierResult
    | CumulativeIncidenceResult
    | CoxResult
    | ForestTable
    | ModelComparison
    | SubgroupTable
    | PooledCoxResult
    | PcaResult
    | ScanResult
    | ProtocolSensitivity
)


@dataclass(frozen=True)
class Findings:
    """What an analysis found.

    Attributes
    ----------
    result
        The main result.
    cut_point
        The search for the cut of a Kaplan-Meier analysis.
    model
        The Cox model of principal components.
    fine_gray, cause_specific
        Models beside a cumulative incidence, by event: each a result, or the sentence of its refusal.
    validation
        Calibration and concordance of a Cox model at a horizon, corrected for optimism.
    hazards, protocol_names
        Hazard ratios beside a comparison of protocols, and what each protocol is called.
    """

    result: AnyResult
    cut_point: CutPointResult | None = None
    model: CoxResult | None = None
    fine_gray: FineGrayResult | str | None = None
    cause_specific: Mapping[str, CoxResult | str] | None = None
    validation: CoxValidation | None = None
    hazards: HazardSensitivity | None = None
    protocol_names: Mapping[str, str] | None = None

    @classmethod
    def of_script(cls, found: Mapping[str, object]) -> Findings:
        """The findings that ``analyse`` of a script returns."""
        return cls(
            found["result"],  # type: ignore[arg-type]
            found.get("cut_point"),  # type: ignore[arg-type]
            found.get("cox"),  # type: ignore[arg-type]
            found.get("fine_gray"),  # type: ignore[arg-type]
            found.get("cause_specific"),  # type: ignore[arg-type]
            found.get("validation"),  # type: ignore[arg-type]
            found.get("hazards"),  # type: ignore[arg-type]
            found.get("names"),  # type: ignore[arg-type]
        )

    def protocol_name(self, protocol: str) -> str:
        """What a protocol is called."""
        return (self.protocol_names or {}).get(protocol, protocol)

    @property
    def n(self) -> int:
        """Patients in the analysis."""
        return self.result.n

    @property
    def n_events(self) -> int | None:
        """Events in it, of interest where several compete; None where no outcome takes part."""
        if isinstance(self.result, PcaResult):
            return None if self.model is None else self.model.n_events
        if isinstance(self.result, CumulativeIncidenceResult):
            return self.result.n_events[0]
        if isinstance(self.result, ProtocolSensitivity):
            return None if self.hazards is None else max((row.n_events for row in self.hazards.rows), default=0)
        return self.result.n_events
