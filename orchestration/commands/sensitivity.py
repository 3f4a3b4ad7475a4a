"""``petlake sensitivity``: how much the answer depends on the segmentation method."""

from collections.abc import Mapping

import click

from analyses.requests.answer import Answer
from analyses.requests.sensitivity import SensitivityRequest
from analyses.tables import protocols
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands.analysis import answered, say_notes, snapshot_options
from orchestration.commands.options import request_options
from petct.survival.cohort.results import counted
from petct.survival.cox_repeated.protocol_sensitivity import ProtocolSensitivity


@click.command()
@request_options(SensitivityRequest)
@snapshot_options
def sensitivity(request: SensitivityRequest, source: Source, as_json: bool) -> None:
    """Compare the segmentation methods of the study: volumes, lesions, ranks, agreement, hazard ratios.

    \b
    petlake sensitivity
    petlake sensitivity --organ liver --endpoint OS --json

    Each hazard ratio is entered into the ledger of tests, as exploratory.
    """  # noqa: D301 (click reads the character \b)
    found, ledger, _ = answered(source, request)
    if as_json:
        console.say_json(found.as_json(ledger))
        return
    if isinstance(found.result, ProtocolSensitivity):
        _say(found, found.result, found.protocol_names or {})
    say_notes(tuple(filter(None, [found.hazards_refused, ledger])))


def _say(found: Answer, result: ProtocolSensitivity, names: Mapping[str, str]) -> None:
    selection = found.basis.selection
    of = f", {selection.sentence}" if selection is not None and selection.conditions else ""
    lesions = getattr(found.request, "organ", None) or "all lesions"
    console.say(
        f"{found.basis.source.capitalize()}{of}: {counted(result.n, 'patient')}, {len(names)} protocols, {lesions}"
    )
    console.say_result(protocols.burdens(result, names), title="Tumour volume and lesions")
    console.say()
    console.say_result(
        protocols.pairs(result, names),
        title="Ranks, and Bland-Altman limits of agreement: second minus first in ml, second by first (on logarithms)",
    )
    say_notes(protocols.pair_notes(result, names))
    hazards = found.hazards
    if hazards is not None:
        console.say()
        console.say_result(
            protocols.hazards(hazards, names),
            title=f"Hazard ratio of tumour volume, {counted(hazards.n, 'patient')} known under all protocols "
            f"({hazards.n_left_out} left out), exploratory",
        )
        say_notes([*protocols.withheld(hazards, names), *protocols.notes_of_models(hazards, names)])
