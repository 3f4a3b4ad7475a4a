"""``petlake pca``: principal components of features, on a snapshot or on any CSV."""

from collections.abc import Sequence
from pathlib import Path

import click

from analyses.requests.data import AnalysisData, Basis
from analyses.requests.pca import PcaRequest
from analyses.tables.models import hazard_ratios
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands.analysis import answered, say_notes, source_options
from orchestration.commands.options import request_options
from petct.survival.cox.result import CoxResult
from petct.survival.features.pca import PcaResult


@click.command()
@request_options(PcaRequest)
@click.option(
    "--components", type=click.IntRange(min=1), default=5, show_default=True, help="Print this many components."
)
@click.option(
    "--umap",
    "umap_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a UMAP figure to this file. It needs umap-learn.",
)
@source_options
def pca(request: PcaRequest, components: int, umap_file: Path | None, source: Source, as_json: bool) -> None:
    """Compute principal components of standardised features: explained variance and loadings.

    \b
    petlake pca --feature-set pet_original__largest
    petlake pca --features suv_max,suv_mean,tumour_volume_ml
    petlake pca --feature-set pet_original__largest --cox 3
    """  # noqa: D301 (click reads the character \b)
    found, ledger, data = answered(source, request)
    if umap_file is not None:
        _write_umap(data, umap_file)
    if as_json:
        console.say_json(found.as_json(ledger))
        return
    if isinstance(found.result, PcaResult):
        _say(found.result, found.basis, components)
    if found.model is not None:
        _say_cox(found.model)
    say_notes(tuple(filter(None, [ledger])))
    if umap_file is not None:
        console.say(f"Wrote {umap_file}: a picture, not a result.")


def _say(result: PcaResult, basis: Basis, n_components: int) -> None:
    of = f" of {basis.feature_set}" if basis.feature_set else ""
    console.say(f"{basis.title}: {result.n} patients, {len(result.features)} features{of}")
    console.say_table(
        ("component", "variance explained %", "cumulative %", "strongest loadings"),
        [
            (
                component.name,
                100 * component.explained_variance_ratio,
                100 * component.cumulative_ratio,
                ", ".join(_strongest(component.loadings, result.features, basis)),
            )
            for component in result.components[:n_components]
        ],
    )
    say_notes(result.notes)
    for dropped in result.dropped_columns:
        console.say(f"  left out, {dropped.name}: {dropped.message}")


def _say_cox(model: CoxResult) -> None:
    console.say(f"Cox model of the components: {model.n} patients, {model.n_events} events")
    console.say_result(hazard_ratios(model.terms))
    say_notes(model.notes)
    console.say(
        f"  Concordance in these patients {model.concordance:.3f}: the components are fitted to them. "
        f"In patients left out: petlake validate --procedure components --size {model.n_parameters}"
    )


def _write_umap(data: AnalysisData, file: Path) -> None:
    from petct.survival.cohort.results import write_json
    from petct.survival.features.picture import umap_picture

    file.write_text(write_json(umap_picture(data.feature_table(), data.row_ids)), encoding="utf-8")


def _strongest(loadings: Sequence[float], features: Sequence[str], basis: Basis) -> list[str]:
    order = sorted(range(len(features)), key=lambda index: -abs(loadings[index]))[:3]
    return [f"{basis.short(features[index])} ({loadings[index]:+.2f})" for index in order]
