"""``petlake sensitivity``: how much the answer depends on the segmentation method."""

from collections.abc import Mapping

import click

from analyses.requests.answer import Answer
from analyses.requests.sensitivity import SensitivityRequest
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands.analysis import answered, say_notes, snapshot_options
from orchestration.commands.options import request_options
from petct.survival.cohort.results import counted, p_text
from petct.survival.cox_repeated.protocol_sensitivity import Agreement, HazardSensitivity, ProtocolSensitivity


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
    _say_burdens(result, names)
    _say_pairs(result, names)
    if found.hazards is not None:
        _say_hazards(found.hazards, names)


def _say_burdens(compared: ProtocolSensitivity, names: Mapping[str, str]) -> None:
    console.say_table(
        ["protocol", "n", "unknown", "without tumour", "median ml", "quartiles ml", "lesions", "median lesions"],
        [
            [
                names[row.protocol],
                row.n,
                row.n_unknown,
                row.n_without_tumour,
                row.median_ml,
                _range(row.lower_quartile_ml, row.upper_quartile_ml),
                row.total_lesions,
                row.median_lesions,
            ]
            for row in compared.protocols
        ],
        title="Tumour volume and lesions",
    )


def _say_pairs(compared: ProtocolSensitivity, names: Mapping[str, str]) -> None:
    console.say()
    console.say_table(
        ["protocols", "n", "Spearman", "95 % CI", "bias ml", "limits ml", "ratio", "limits of ratio", "same count"],
        [
            [
                f"{names[pair.first]} > {names[pair.second]}",
                pair.n,
                pair.spearman,
                _range(pair.spearman_lower, pair.spearman_upper),
                pair.volume.bias if pair.volume else None,
                _limits(pair.volume),
                pair.log_volume.bias if pair.log_volume else None,
                _limits(pair.log_volume),
                f"{pair.same_count} of {pair.n}",
            ]
            for pair in compared.pairs
        ],
        title="Ranks, and Bland-Altman limits of agreement: second minus first in ml, second by first (on logarithms)",
    )
    said = {f"{names[p.first]} > {names[p.second]}: {r.message}" for p in compared.pairs for r in p.reasons}
    say_notes(tuple(sorted(said)))
    for pair in compared.pairs:
        if pair.n_only_first or pair.n_only_second:
            console.say(
                f"  {names[pair.first]} > {names[pair.second]}: tumour under the first only in {pair.n_only_first}, "
                f"under the second only in {pair.n_only_second}; these have no ratio"
            )


def _say_hazards(hazards: HazardSensitivity, names: Mapping[str, str]) -> None:
    console.say()
    console.say_table(
        ["protocol", "n", "events", "HR", "95 % CI", "p", "detectable HR", "scale"],
        [
            [
                names[row.protocol],
                row.n,
                row.n_events,
                row.hazard_ratio,
                _range(row.lower, row.upper),
                None if row.p is None else p_text(row.p).removeprefix("p ").removeprefix("= "),
                row.minimum_detectable_hazard_ratio,
                row.scale if row.refused is None else row.refused.code,
            ]
            for row in hazards.rows
        ],
        title=f"Hazard ratio of tumour volume, {counted(hazards.n, 'patient')} known under all protocols "
        f"({hazards.n_left_out} left out), exploratory",
    )
    for row in hazards.rows:
        reasons = [reason.message for reason in (row.refused, row.p_suppressed) if reason is not None]
        say_notes(tuple(f"{names[row.protocol]}: {note}" for note in (*reasons, *row.notes)))
    say_notes(hazards.notes)


def _limits(agreement: Agreement | None) -> str | None:
    return None if agreement is None else _range(agreement.lower_limit, agreement.upper_limit)


def _range(lower: float | None, upper: float | None) -> str | None:
    return None if lower is None or upper is None else f"{console.shown(lower)} to {console.shown(upper)}"
