"""What ``petlake cox`` prints for people."""

from collections.abc import Sequence

from orchestration import console
from orchestration.analysis_data import AnalysisData
from orchestration.commands.analysis import say_notes
from petct.survival.cox_result import CovariateTest, CoxResult, CoxTerm
from petct.survival.forest_table import ForestTable
from petct.survival.model_comparison import ModelComparison
from petct.survival.pooled_cox import PooledCoxResult, PooledTerm
from petct.survival.results import Suppressed, p_text
from petct.survival.subgroups import SubgroupTable

AnyCoxResult = CoxResult | ForestTable | ModelComparison | SubgroupTable | PooledCoxResult


def say(data: AnalysisData, result: AnyCoxResult, names: Sequence[str], *, plain: bool) -> None:
    """Print a result; ``names`` are the variables it is about, ``plain`` as in ``petct.survival.tested``."""
    console.say(f"{data.title()}: {result.n} patients, {result.n_events} events{data.badge(*names, plain=plain)}")
    if isinstance(result, CoxResult):
        _say_model(result)
    elif isinstance(result, ForestTable):
        _say_forest(result)
    elif isinstance(result, ModelComparison):
        _say_comparison(result)
    elif isinstance(result, SubgroupTable):
        _say_subgroups(result)
    else:
        say_terms(result.terms)
        _say_test(result.overall)
    say_notes(result.notes)


def say_terms(terms: Sequence[CoxTerm | PooledTerm]) -> None:
    """Print hazard ratios with their limits and p-values."""
    console.say_table(
        ("covariate", "scale", "hazard ratio", "95 % CI", "p"),
        [(term.covariate, term.scale, term.hazard_ratio, _span(term.lower, term.upper), _p(term.p)) for term in terms],
    )


def _say_model(result: CoxResult) -> None:
    say_terms(result.terms)
    for test in (*result.tests, result.overall):
        _say_test(test)
    console.say(
        f"Concordance {result.concordance:.3f} (standard error {result.concordance_standard_error:.3f}); "
        f"events per parameter {result.events_per_parameter:.1f}; standard errors: {result.standard_errors}"
        + (f"; {result.penalty}" if result.penalty else "")
    )
    console.say(
        f"Proportional hazards (scaled Schoenfeld residuals): {p_text(result.proportional_hazards.global_test.p)}"
    )


def _say_test(test: CovariateTest) -> None:
    subject = "All covariates" if test.question == "all covariates" else f"{test.covariate}, {test.question}"
    console.say(f"{subject}: {_p(test.p, test.p_suppressed)} ({test.test}, {test.df} df)")


def _say_forest(result: ForestTable) -> None:
    def ratio(term: CoxTerm | None) -> str:
        return "-" if term is None else f"{console.shown(term.hazard_ratio)} ({_span(term.lower, term.upper)})"

    console.say_table(
        ("covariate", "scale", "n", "events", "alone: HR (95 % CI)", "p", "with the others: HR (95 % CI)", "p"),
        [
            (
                row.covariate,
                f"{row.level}, {row.scale}" if row.scale == "reference" else row.scale,
                row.n,
                row.n_events,
                ratio(row.univariable),
                _p(row.univariable.p) if row.univariable else "-",
                ratio(row.multivariable),
                _p(row.multivariable.p) if row.multivariable else "-",
            )
            for row in result.rows
        ],
    )
    _say_test(result.model.overall)


def _say_comparison(result: ModelComparison) -> None:
    say_terms(result.full.terms)
    console.say_table(
        ("model", "AIC", "concordance"),
        [
            (", ".join(result.base), result.aic_base, result.concordance_base),
            (f"with {', '.join(result.added)}", result.aic_full, result.concordance_full),
        ],
    )
    console.say(
        f"Change in concordance {result.concordance_change:+.3f} "
        f"({result.change_lower:+.3f} to {result.change_upper:+.3f})"
    )
    _say_test(result.test)


def _say_subgroups(result: SubgroupTable) -> None:
    say_terms([result.effect])
    console.say_table(
        ("subgroup", "n", "events", "hazard ratio", "95 % CI", "interaction"),
        [
            (
                f"{variable.variable} = {group.level}",
                group.n,
                group.n_events,
                group.hazard_ratio,
                _span(group.lower, group.upper),
                _p(variable.interaction.p) if first else "",
            )
            for variable in result.variables
            for first, group in ((group is variable.subgroups[0], group) for group in variable.subgroups)
        ],
    )
    withheld = [variable.interaction.p_suppressed for variable in result.variables]
    withheld += [group.withheld for variable in result.variables for group in variable.subgroups]
    say_notes(tuple(dict.fromkeys(reason.message for reason in withheld if reason is not None)))


def _p(p: float | None, suppressed: Suppressed | None = None) -> str:
    if p is not None:
        return p_text(p)
    return suppressed.message if suppressed else "-"


def _span(lower: float | None, upper: float | None) -> str:
    return "-" if lower is None else f"{console.shown(lower)} to {console.shown(upper)}"
