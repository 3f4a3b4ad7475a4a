"""What answers a request: the result, the tests that it was, and whether one of them was declared beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from analyses.requests.data import AnalysisData, Basis
from analyses.requests.request import Request
from analyses.requests.tested import Tested, about
from petct.errors import SurvivalError
from petct.survival.cohort.results import as_dict

if TYPE_CHECKING:
    from analyses.requests.competing import CompetingModels
    from petct.survival.competing.cumulative import CumulativeIncidenceResult
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
    from petct.survival.kaplan_meier.result import KaplanMeierResult
    from petct.survival.with_lifelines.aft_result import AftResult

    AnyCoxResult = CoxResult | ForestTable | ModelComparison | SubgroupTable | PooledCoxResult
    Counted = KaplanMeierResult | AnyCoxResult | AftResult | ScanResult
    AnyResult = Counted | CumulativeIncidenceResult | PcaResult | ProtocolSensitivity

R = TypeVar("R")
Standing = Literal["primary", "exploratory"]


@dataclass(frozen=True)
class Answer:
    """The answer to a request.

    Attributes
    ----------
    request
        What was asked, with the endpoint and the feature set that the snapshot chose for it.
    basis
        What it was made on.
    result
        The main result.
    n, n_events
        Patients in it, and their events, of interest where several compete; None where no outcome takes part.
    tested
        The hypothesis tests that it was, for the ledger.
    beside
        What JSON has beside the result: the other results below.
    cut_point
        The search for the cut of a Kaplan-Meier analysis.
    competing
        Models beside a cumulative incidence.
    validation
        Calibration and concordance of a Cox model at a horizon, corrected for optimism.
    model
        The Cox model of principal components.
    hazards, hazards_refused, protocol_names
        Hazard ratios beside a comparison of protocols, or why there are none, and what each protocol is called.
    """

    request: Request
    basis: Basis
    result: AnyResult
    n: int
    n_events: int | None
    tested: tuple[Tested, ...] = ()
    beside: Mapping[str, Any] = field(default_factory=dict)
    cut_point: CutPointResult | None = None
    competing: CompetingModels | None = None
    validation: CoxValidation | None = None
    model: CoxResult | None = None
    hazards: HazardSensitivity | None = None
    hazards_refused: str | None = None
    protocol_names: Mapping[str, str] | None = None

    @classmethod
    def of(
        cls,
        request: Request,
        data: AnalysisData,
        result: Counted,
        tests: Iterable[Tested],
        subject: Sequence[str | None],
    ) -> Answer:
        """The answer whose result counts patients and events; ``subject`` are the variables of its tests, if any."""
        variables = [name for name in subject if name is not None]
        tested = about(tests, variables, result.n, result.n_events) if variables else ()
        return cls(request, data.basis, result, result.n, result.n_events, tested)

    @property
    def declared(self) -> Standing | None:
        """Whether one of its tests was declared in study.yaml; None where nothing was tested, and for a CSV.

        The one rule for badge, ledger, methods, checklists and bundle.
        """
        if not self.tested or self.basis.snapshot_id is None:
            return None
        return "primary" if any(self.basis.is_primary(test) for test in self.tested) else "exploratory"

    @property
    def badge(self) -> str:
        """The standing of the analysis, to be put after its size; nothing where nothing was tested."""
        return {"primary": ", primary hypothesis", "exploratory": ", exploratory", None: ""}[self.declared]

    @property
    def command_line(self) -> str:
        """The command as it is typed."""
        return self.request.command_line(self.basis.conditions)

    def result_as(self, kind: type[R]) -> R:
        """The result, where it is known which kind of result the request has."""
        if not isinstance(self.result, kind):
            raise TypeError(f"{self.request.command} gave a {type(self.result).__name__}, not a {kind.__name__}")
        return self.result

    @property
    def known_hazards(self) -> HazardSensitivity:
        """The hazard ratios under the protocols; raises ``SurvivalError`` HAZARDS_NONE where there are none."""
        if self.hazards is None:
            raise SurvivalError("HAZARDS_NONE", self.hazards_refused or "No hazard ratios.")
        return self.hazards

    def protocol_name(self, protocol: str) -> str:
        """What a protocol is called."""
        return (self.protocol_names or {}).get(protocol, protocol)

    def numbers(self) -> dict[str, Any]:
        """All results, ready for JSON."""
        return {**as_dict(self.result), **self.beside}

    def as_json(self, ledger: str | None) -> dict[str, Any]:
        """What the command prints with ``--json``; ``ledger`` is the sentence of ``enter``."""
        return {**self.basis.as_json(), "declared": self.declared, **self.numbers(), "ledger": ledger}
