"""``petlake sensitivity``: how much the answer depends on the threshold protocol."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyses.requests.tested import hypothesis_of_protocol
from orchestration import console
from orchestration.analysis_data import AnalysisData, Source, load_analysis
from orchestration.commands.analysis import WHERE_OPTION, say_notes
from orchestration.ledger import enter_test
from orchestration.study import lake_root
from petct.errors import SurvivalError
from petct.survival.cohort.results import as_dict, counted, p_text
from petct.survival.cox_repeated.protocol_sensitivity import (
    Agreement,
    HazardSensitivity,
    ProtocolBurden,
    ProtocolHazard,
    ProtocolSensitivity,
    compare_protocols,
    hazard_ratios,
)
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.queries.protocol_queries import TumourBurden, tumour_burdens

if TYPE_CHECKING:
    from collections.abc import Sequence

_VARIABLE = "tumour_volume_ml"


@click.command()
@console.STUDY_OPTION
@console.SNAPSHOT_OPTION
@click.option("--endpoint", default=None, help="Endpoint of the hazard ratios.  [default: the study's only one, or OS]")
@click.option("--organ", default=None, help="Only the lesions in this organ.  [default: all lesions]")
@WHERE_OPTION
@console.JSON_OPTION
def sensitivity(
    study_folder: Path,
    snapshot_id: str | None,
    endpoint: str | None,
    organ: str | None,
    conditions: tuple[str, ...],
    as_json: bool,
) -> None:
    """One cohort under every protocol of the study: volumes, lesions, ranks, agreement, hazard ratios.

    \b
    petlake sensitivity
    petlake sensitivity --organ liver --endpoint OS --json

    Each hazard ratio is entered into the ledger of tests, as exploratory.
    """  # noqa: D301 (click reads the character \b)
    source = Source(study_folder, snapshot_id, endpoint, None, None, None, conditions)
    with open_snapshot(lake_root(study_folder), snapshot_id) as snapshot:
        selection = snapshot.selection(conditions)
        burdens = tumour_burdens(snapshot, organ, selection.patient_ids)
        title = f"Snapshot {snapshot.id[:12]}{f', {selection.sentence}' if conditions else ''}"
        # Both are read from this one, whatever is published meanwhile.
        source = replace(source, snapshot_id=snapshot.id)
    compared = compare_protocols([_burden(burden) for burden in burdens])
    hazards, refused, ledger = _hazards(source, burdens, organ)
    if as_json:
        console.say_json(
            {
                "snapshot_id": source.snapshot_id,
                "organ": organ,
                "cohort": selection.summary,
                "names": {burden.protocol_id: burden.name for burden in burdens},
                **as_dict(compared),
                "hazards": None if hazards is None else as_dict(hazards),
                "hazards_refused": refused,
                "ledger": ledger,
            }
        )
        return
    console.say(f"{title}: {counted(compared.n, 'patient')}, {len(burdens)} protocols, {organ or 'all lesions'}")
    names = {burden.protocol_id: burden.name for burden in burdens}
    _say_burdens(compared, names)
    _say_pairs(compared, names)
    if hazards is not None:
        _say_hazards(hazards, names)
    say_notes(tuple(filter(None, [refused, ledger])))


def _burden(burden: TumourBurden, rows: Sequence[int] | None = None) -> ProtocolBurden:
    chosen = slice(None) if rows is None else list(rows)
    return ProtocolBurden(burden.protocol_id, burden.volume_ml[chosen], burden.n_lesions[chosen])


def _hazards(
    source: Source, burdens: Sequence[TumourBurden], organ: str | None
) -> tuple[HazardSensitivity | None, str | None, str | None]:
    """The hazard ratios, or why there are none, and the sentence of the ledger."""
    try:
        data = load_analysis(source, [_VARIABLE])
    except SurvivalError as error:
        return None, f"No hazard ratios. {error.sentence()}", None
    position = {patient_id: index for index, patient_id in enumerate(burdens[0].patient_ids)}
    rows = [position[patient_id] for patient_id in data.row_ids]
    result = hazard_ratios([_burden(burden, rows) for burden in burdens], data.outcome)
    ledger = None
    for row in result.rows:
        if row.refused is None:
            ledger = _enter(source, data, row, organ)
    return result, None, ledger


def _enter(source: Source, data: AnalysisData, row: ProtocolHazard, organ: str | None) -> str | None:
    tested = hypothesis_of_protocol(row, organ)
    return enter_test(source, data, tested, (_VARIABLE, row.protocol), n=row.n, n_events=row.n_events)


def _say_burdens(compared: ProtocolSensitivity, names: dict[str, str]) -> None:
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


def _say_pairs(compared: ProtocolSensitivity, names: dict[str, str]) -> None:
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


def _say_hazards(hazards: HazardSensitivity, names: dict[str, str]) -> None:
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
