"""What ``petlake sensitivity`` and the page Protocols are asked: how much the answer depends on the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from analyses.requests.answer import Answer
from analyses.requests.data import AnalysisData
from analyses.requests.options import Shape, option
from analyses.requests.request import Request
from analyses.requests.tested import about, hypothesis_of_protocol
from petct.errors import SurvivalError
from petct.survival.cohort.results import as_dict
from petct.survival.cox_repeated.protocol_sensitivity import (
    HazardSensitivity,
    ProtocolBurden,
    compare_protocols,
    hazard_ratios,
)

_VARIABLE = "tumour_volume_ml"


@dataclass(frozen=True)
class SensitivityRequest(Request):
    """One cohort under every protocol of the study.

    Parameters
    ----------
    organ
        Only the lesions in this organ; all lesions when None.
    """

    command: ClassVar[str] = "sensitivity"
    of_one_variable: ClassVar[bool] = False

    organ: str | None = option(
        "organ",
        Shape(),
        "Analyse only the lesions in this organ.  [default: all lesions]",
        label="Lesions",
        key="protocol_organ",
    )


def answer_sensitivity(request: SensitivityRequest, data: AnalysisData) -> Answer:
    """Answer a request; without an outcome, or with one that is refused, without hazard ratios.

    Raises
    ------
    MaskError
        PROTOCOLS_TOO_FEW.
    """
    result = compare_protocols([ProtocolBurden(b.protocol_id, b.volume_ml, b.n_lesions) for b in data.burdens])
    names = {burden.protocol_id: burden.name for burden in data.burdens}
    hazards, refused = None, None
    try:
        hazards = _hazards(data)
    except SurvivalError as error:
        refused = f"No hazard ratios. {error.sentence()}"
    tested = [
        test
        for row in (hazards.rows if hazards else ())
        if row.refused is None
        for test in about([hypothesis_of_protocol(row, request.organ)], [_VARIABLE, row.protocol], row.n, row.n_events)
    ]
    n_events = None if hazards is None else max((row.n_events for row in hazards.rows), default=0)
    return Answer(
        request,
        data.basis,
        result,
        result.n,
        n_events,
        tuple(tested),
        {
            "names": names,
            "organ": request.organ,
            "hazards": None if hazards is None else as_dict(hazards),
            "hazards_refused": refused,
        },
        hazards=hazards,
        hazards_refused=refused,
        protocol_names=names,
    )


def _hazards(data: AnalysisData) -> HazardSensitivity:
    outcome = data.outcome
    position = {patient_id: row for row, patient_id in enumerate(data.burdens[0].patient_ids)}
    rows = [position[patient_id] for patient_id in data.row_ids]
    known = [ProtocolBurden(b.protocol_id, b.volume_ml[rows], b.n_lesions[rows]) for b in data.burdens]
    return hazard_ratios(known, outcome)
