"""``petlake pca``: principal components of features, on a snapshot or on any CSV."""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from analyses.requests.tested import Tested
from orchestration import console
from orchestration.analysis_data import Source
from orchestration.commands.analysis import say_notes, source_options
from orchestration.commands.cox_report import say_terms
from orchestration.commands.families import Family, family_options, load_family
from orchestration.ledger import enter_test
from petct.errors import SurvivalError
from petct.survival.cohort.covariates import NumericCovariate
from petct.survival.cohort.results import as_dict
from petct.survival.cox.model import CoxResult
from petct.survival.cox.model import cox as fit_cox
from petct.survival.features.pca import PcaResult
from petct.survival.features.pca import pca as fit_pca


@click.command()
@family_options
@click.option("--components", type=click.IntRange(min=1), default=5, show_default=True, help="How many to print.")
@click.option(
    "--cox", "n_in_model", type=click.IntRange(min=1), help="Also a Cox model of the first so many components."
)
@click.option("--umap", "umap_file", type=click.Path(dir_okay=False, path_type=Path), help="Write a UMAP: a picture.")
@source_options
def pca(
    features: str | None,
    feature_set: str | None,
    components: int,
    n_in_model: int | None,
    umap_file: Path | None,
    source: Source,
    as_json: bool,
) -> None:
    """Principal components of standardised features: variance explained and loadings.

    \b
    petlake pca --feature-set pet_original__largest
    petlake pca --features suv_max,suv_mean,tumour_volume_ml
    petlake pca --feature-set pet_original__largest --cox 3
    """  # noqa: D301 (click reads the character \b)
    family = load_family(source, features, feature_set, with_outcome=n_in_model is not None)
    result = fit_pca(family.table.values, family.table.names, family.data.row_ids)
    model = None if n_in_model is None else _cox_of_components(family, result, n_in_model)
    counted = None if model is None else _enter(source, family, model)
    if umap_file is not None:
        _write_umap(family, umap_file)
    if as_json:
        fitted = None if model is None else as_dict(model)
        console.say_json({**family.data.header(), "ledger": counted, **as_dict(result), "cox": fitted})
        return
    of = f" of {family.source_table}" if family.source_table else ""
    console.say(f"{family.data.title()}: {result.n} patients, {len(result.features)} features{of}")
    console.say_table(
        ("component", "variance explained %", "cumulative %", "strongest loadings"),
        [
            (
                component.name,
                100 * component.explained_variance_ratio,
                100 * component.cumulative_ratio,
                ", ".join(_strongest(family, result.features, component.loadings)),
            )
            for component in result.components[:components]
        ],
    )
    say_notes(result.notes)
    for dropped in result.dropped_columns:
        console.say(f"  left out, {dropped.name}: {dropped.message}")
    if model is not None:
        _say_cox(model)
    if counted:
        console.say(f"  {counted}")
    if umap_file is not None:
        console.say(f"Wrote {umap_file}: a picture, not a result.")


def _cox_of_components(family: Family, result: PcaResult, n_in_model: int) -> CoxResult:
    if n_in_model > len(result.components):
        raise SurvivalError(
            "PCA_COMPONENTS_INVALID",
            "There are not so many components",
            keyword="--cox",
            found=str(n_in_model),
            expected=f"at most {len(result.components)}",
        )
    has_all = set(result.row_ids)
    outcome = family.data.outcome.subset(np.array([row in has_all for row in family.data.row_ids]))
    return fit_cox(
        outcome, [NumericCovariate(each.name, np.array(each.scores)) for each in result.components[:n_in_model]]
    )


def _enter(source: Source, family: Family, model: CoxResult) -> str | None:
    p = min((term.p for term in model.terms if term.p is not None), default=None)
    tested = Tested("Cox of components", f"PC1 to PC{model.n_parameters}", len(model.terms), p)
    return enter_test(source, family.data, tested, (family.described,), n=model.n, n_events=model.n_events)


def _say_cox(model: CoxResult) -> None:
    console.say(f"Cox model of the components: {model.n} patients, {model.n_events} events")
    say_terms(model.terms)
    say_notes(model.notes)
    console.say(
        f"  Concordance in these patients {model.concordance:.3f}: the components are fitted to them. "
        f"In patients left out: petlake validate --procedure components --size {model.n_parameters}"
    )


def _write_umap(family: Family, file: Path) -> None:
    from petct.survival.features.picture import umap_picture
    from petct.survival.prediction.serialised import write_json

    file.write_text(write_json(umap_picture(family.table, family.data.row_ids)), encoding="utf-8")


def _strongest(family: Family, features: Sequence[str], loadings: Sequence[float]) -> list[str]:
    order = sorted(range(len(features)), key=lambda index: -abs(loadings[index]))[:3]
    return [f"{family.short(features[index])} ({loadings[index]:+.2f})" for index in order]
