"""Tables of models: Cox models and what is made of several of them, their calibration, models of survival times."""

from __future__ import annotations

from collections.abc import Sequence

from analyses.tables.table import Cell, Estimate, Limits, Table, p_cell, table
from petct.survival.cohort.results import SIGNIFICANCE_LEVEL
from petct.survival.competing.fine_gray import FineGrayTerm
from petct.survival.cox.result import CovariateTest, CoxResult, CoxTerm
from petct.survival.cox_repeated.forest_table import ForestTable
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.pooled import PooledTerm
from petct.survival.cox_repeated.subgroups import SubgroupTable
from petct.survival.cox_repeated.validation import CoxValidation
from petct.survival.with_lifelines.aft_result import TITLES, AftResult

Term = CoxTerm | PooledTerm | FineGrayTerm


def hazard_ratios(terms: Sequence[Term]) -> Table:
    """Hazard ratios with their limits and p-values; of a Fine-Gray model those of the subdistribution."""
    return table(
        terms,
        ("Covariate", "", lambda term: term.covariate),
        ("Compared", "", lambda term: term.scale),
        ("Hazard ratio", ".2f", _ratio),
        ("95 % CI", ".2f", lambda term: Limits(term.lower, term.upper)),
        ("p", "", lambda term: p_cell(term.p)),
    )


def _ratio(term: Term) -> float:
    return term.subdistribution_hazard_ratio if isinstance(term, FineGrayTerm) else term.hazard_ratio


def coefficients(result: CoxResult) -> Table:
    """The same of a Cox model, with coefficients, and what would have been seen beside ratios that are null."""
    # The error of a coefficient that a ridge shrank is not that of a test.
    shrunken = result.penalty is not None and result.penalty.startswith("ridge")

    def detectable(term: CoxTerm) -> float | None:
        null = term.p is None or term.p >= SIGNIFICANCE_LEVEL
        return term.minimum_detectable_hazard_ratio if null and not shrunken else None

    ratios = hazard_ratios(result.terms)
    more = table(
        result.terms,
        ("Detectable", ".2f", detectable),
        ("Log HR", ".4f", lambda term: term.coefficient),
        ("SE", ".4f", lambda term: term.standard_error),
    )
    rows = [(*left, *right) for left, right in zip(ratios.rows, more.rows, strict=True)]
    return Table([*ratios.columns, *more.columns], rows)


def joint_tests(tests: Sequence[CovariateTest]) -> Table:
    """Tests of several coefficients together."""
    return table(
        tests,
        ("Covariate", "", lambda test: test.covariate),
        ("Question", "", lambda test: test.question),
        ("χ²", ".2f", lambda test: test.chi_squared),
        ("df", "", lambda test: test.df),
        ("p", "", lambda test: p_cell(test.p)),
    )


def alone_and_together(found: ForestTable) -> Table:
    """Each covariate alone and with the others."""

    def ratio(term: CoxTerm | None) -> Estimate | None:
        return None if term is None else Estimate(term.hazard_ratio, term.lower, term.upper)

    def p(term: CoxTerm | None) -> str | None:
        return None if term is None else p_cell(term.p)

    return table(
        found.rows,
        ("Covariate", "", lambda row: row.covariate),
        ("Compared", "", lambda row: f"{row.level}, reference" if row.scale == "reference" else row.scale),
        ("n", "", lambda row: row.n),
        ("Events", "", lambda row: row.n_events),
        ("Alone: HR (95 % CI)", ".2f", lambda row: ratio(row.univariable)),
        ("p", "", lambda row: p(row.univariable)),
        ("With the others: HR (95 % CI)", ".2f", lambda row: ratio(row.multivariable)),
        ("p ", "", lambda row: p(row.multivariable)),
    )


def both_models(result: ModelComparison) -> Table:
    """A base, and the same with what is added."""
    base = (", ".join(result.base), result.aic_base, result.concordance_base)
    full = (f"with {', '.join(result.added)}", result.aic_full, result.concordance_full)
    return Table([("Model", ""), ("AIC", ".1f"), ("Concordance", ".3f")], [base, full])


def subgroups(found: SubgroupTable) -> Table:
    """An effect in every subgroup, and the test of its interaction beside the first level of a variable."""
    rows: list[tuple[Cell, ...]] = []
    for variable in found.variables:
        test: tuple[Cell, Cell] = (p_cell(variable.interaction.p), variable.interaction.df)
        for group in variable.subgroups:
            limits = Limits(group.lower, group.upper)
            rows.append((variable.variable, group.level, group.n, group.n_events, group.hazard_ratio, limits, *test))
            test = (None, None)
    counts = [(name, "") for name in ("Variable", "Level", "n", "Events")]
    return Table([*counts, ("Hazard ratio", ".2f"), ("95 % CI", ".2f"), ("p of the interaction", ""), ("df", "")], rows)


def risk_groups(result: CoxValidation) -> Table:
    """Groups of predicted risk: predicted, corrected for optimism, and observed share with the event."""
    return table(
        list(enumerate(result.groups, 1)),
        ("Risk group", "", lambda row: row[0]),
        ("n", "", lambda row: row[1].n),
        ("Events", "", lambda row: row[1].n_events),
        ("Predicted", ".1%", lambda row: row[1].predicted),
        ("Corrected", ".1%", lambda row: row[1].corrected),
        ("Observed", ".1%", lambda row: "unknown" if row[1].observed is None else row[1].observed),
        (f"{result.confidence:.0%} CI", ".1%", lambda row: Limits(row[1].lower, row[1].upper)),
    )


def time_ratios(result: AftResult) -> Table:
    """Time ratios of every distribution, the p-value of each covariate beside its coefficients."""
    p_of = {(model.distribution, test.covariate): test.p for model in result.models for test in model.tests}
    return table(
        [(model.distribution, term) for model in result.models for term in model.terms],
        ("Distribution", "", lambda row: TITLES[row[0]]),
        ("Covariate", "", lambda row: row[1].covariate),
        ("Compared", "", lambda row: row[1].scale),
        ("Time ratio", ".2f", lambda row: row[1].time_ratio),
        (f"{result.confidence:.0%} CI", ".2f", lambda row: Limits(row[1].lower, row[1].upper)),
        ("p of the covariate", "", lambda row: p_cell(p_of[row[0], row[1].covariate])),
    )


def distributions(result: AftResult) -> Table:
    """How well every distribution fits."""
    return table(
        result.models,
        ("Distribution", "", lambda model: TITLES[model.distribution]),
        ("AIC", ".1f", lambda model: model.aic),
        ("AIC difference", ".1f", lambda model: model.aic_difference),
        ("Concordance", ".3f", lambda model: model.concordance),
        ("Scale of log time", ".3f", lambda model: model.scale),
    )
