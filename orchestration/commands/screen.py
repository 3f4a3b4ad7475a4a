"""``petlake screen``: one test per feature, corrected for their number."""

import click

from analyses.requests.answer import Answer
from analyses.requests.data import Basis
from analyses.requests.screen import ScreenRequest
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands.analysis import answered, say_notes, source_options
from orchestration.commands.options import request_options
from petct.survival.cohort.results import p_text
from petct.survival.features.scan_result import HazardRatio, ScanResult, ScanRow


@click.command()
@request_options(ScreenRequest)
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Print this many features.")
@source_options
def screen(request: ScreenRequest, top: int, source: Source, as_json: bool) -> None:
    """Test every feature of a family: hazard ratios, Benjamini-Hochberg, and the probability that the best is chance.

    \b
    petlake screen --feature-set pet_original__largest
    petlake screen --feature-set pet_original__largest --adjust-for tumour_volume_ml --stability
    petlake screen --csv trial.csv --duration time --event status
    """  # noqa: D301 (click reads the character \b)
    found, ledger, _ = answered(source, request)
    if as_json:
        console.say_json(found.as_json(ledger))
        return
    if isinstance(found.result, ScanResult):
        _say(found, found.result, top)
    say_notes(tuple(filter(None, [ledger])))


def _say(found: Answer, result: ScanResult, top: int) -> None:
    feature_set = found.basis.feature_set
    console.say(
        f"{found.basis.title}: {result.n} patients, {result.n_events} events, {result.n_tested} features tested of "
        f"{result.n_declared}{f' of {feature_set}' if feature_set else ''}"
    )
    console.say(f"The best of {result.n_tested} as good as this on noise: {p_text(result.p_best)}")
    columns = ["feature", "n", "HR per SD", "95 % CI", "uncorrected p", "BH", "family-wise", "detectable HR"]
    if result.adjusted_for:
        columns += ["adjusted HR", "95 % CI", "BH", "rho"]
    if result.stability_threshold is not None:
        columns.append("stable %")
    console.say_table(columns, [_cells(row, result, found.basis) for row in result.rows[:top]])
    if len(result.rows) > top:
        console.say(f"  {len(result.rows) - top} more features: --top {len(result.rows)}, or --json")
    say_notes(result.notes)
    for code in dict.fromkeys(reason.code for reason in result.untested):
        names = [found.basis.short(reason.name) for reason in result.untested if reason.code == code]
        console.say(
            f"  not tested, {code}: {', '.join(names[:5])}{f' and {len(names) - 5} more' if len(names) > 5 else ''}"
        )


def _cells(row: ScanRow, result: ScanResult, basis: Basis) -> list[object]:
    cells: list[object] = [
        basis.short(row.name),
        row.n,
        row.hazard_ratio.value if row.hazard_ratio else row.reason.code if row.reason else None,
        _limits(row.hazard_ratio),
        p_text(row.p).removeprefix("p = ").removeprefix("p "),
        row.q,
        row.p_familywise,
        row.minimum_detectable_hazard_ratio,
    ]
    adjusted = row.adjusted
    if adjusted is not None:
        ratio = adjusted.hazard_ratio
        cells += [
            ratio.value if ratio else adjusted.reason.code if adjusted.reason else None,
            _limits(ratio),
            adjusted.q,
            adjusted.spearman,
        ]
    if result.stability_threshold is not None:
        cells.append(None if row.stability is None else 100 * row.stability)
    return cells


def _limits(ratio: HazardRatio | None) -> str | None:
    return None if ratio is None else f"{console.shown(ratio.lower)} to {console.shown(ratio.upper)}"
