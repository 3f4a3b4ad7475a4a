"""``petlake scan``: one test a feature, all counted, and the best judged as the best of many."""

import click

from analyses.requests.tested import hypotheses_of_scan
from orchestration import console
from orchestration.analysis_data import Source, load_analysis
from orchestration.commands.analysis import say_notes, source_options
from orchestration.commands.families import Family, family_options, load_family, names_in
from orchestration.ledger import enter_test
from petct.survival.cohort.covariates import CategoricalCovariate, Covariate, NumericCovariate
from petct.survival.cohort.results import as_dict, p_text
from petct.survival.features.scan_result import HazardRatio, ScanResult, ScanRow


@click.command()
@family_options
@click.option("--adjust-for", help="Covariates of a second version, separated by commas, for example tumour_volume_ml.")
@click.option("--stability", is_flag=True, help="Also select by LASSO in half-samples of the patients.")
@click.option("--permutations", type=click.IntRange(min=1), help="[default: 10000, or 50 a feature where that is more]")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the permutations and half-samples.")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many features to print.")
@source_options
def scan(
    features: str | None,
    feature_set: str | None,
    adjust_for: str | None,
    stability: bool,
    permutations: int | None,
    seed: int,
    top: int,
    source: Source,
    as_json: bool,
) -> None:
    """Test every feature of a family: hazard ratios, Benjamini-Hochberg, and the chance that the best is noise.

    \b
    petlake scan --feature-set pet_original__largest
    petlake scan --feature-set pet_original__largest --adjust-for tumour_volume_ml --stability
    petlake scan --csv trial.csv --duration time --event status
    """  # noqa: D301 (click reads the character \b)
    from petct.survival.features.scan import scan as run_scan

    covariates = names_in(adjust_for) or []
    family = load_family(source, features, feature_set, without=covariates)
    result = run_scan(
        family.data.outcome,
        family.table,
        units=family.units,
        adjust_for=_covariates(source, covariates),
        stability=stability,
        n_permutations=permutations,
        seed=seed,
    )
    counted = _enter(source, family, result)
    if as_json:
        console.say_json({**family.data.header(), "ledger": counted, **as_dict(result), "found": result.found})
        return
    _say(family, result, top)
    if counted:
        console.say(f"  {counted}")


def _covariates(source: Source, names: list[str]) -> list[Covariate]:
    if not names:
        return []
    data = load_analysis(source, names)
    return [
        NumericCovariate(name, data.number(name), data.unit(name))
        if data.is_number(name)
        else CategoricalCovariate(name, data.texts(name))
        for name in names
    ]


def _enter(source: Source, family: Family, result: ScanResult) -> str | None:
    """Enter the tests of the family, and apart from them those of its adjusted version."""
    counted = None
    for tested in hypotheses_of_scan(result):
        counted = enter_test(source, family.data, tested, (family.described,), n=result.n, n_events=result.n_events)
    return counted


def _say(family: Family, result: ScanResult, top: int) -> None:
    console.say(
        f"{family.data.title()}: {result.n} patients, {result.n_events} events, {result.n_tested} features tested of "
        f"{result.n_declared}{f' of {family.source_table}' if family.source_table else ''}"
    )
    console.say(f"The best of {result.n_tested} as good as this on noise: {p_text(result.p_best)}")
    columns = ["feature", "n", "HR per SD", "95 % CI", "p alone", "BH", "family-wise", "detectable HR"]
    if result.adjusted_for:
        columns += ["adjusted HR", "95 % CI", "BH", "rho"]
    if result.stability_threshold is not None:
        columns.append("stable %")
    console.say_table(columns, [_cells(family, row, result) for row in result.rows[:top]])
    if len(result.rows) > top:
        console.say(f"  {len(result.rows) - top} more features: --top {len(result.rows)}, or --json")
    say_notes(result.notes)
    for code in dict.fromkeys(reason.code for reason in result.untested):
        names = [family.short(reason.name) for reason in result.untested if reason.code == code]
        console.say(
            f"  not tested, {code}: {', '.join(names[:5])}{f' and {len(names) - 5} more' if len(names) > 5 else ''}"
        )


def _cells(family: Family, row: ScanRow, result: ScanResult) -> list[object]:
    cells: list[object] = [
        family.short(row.name),
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
