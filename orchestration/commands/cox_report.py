"""What ``petlake cox`` prints for people."""

from collections.abc import Sequence

from analyses.requests.answer import Answer
from orchestration import console
from orchestration.commands.analysis import say_notes
from petct.survival.cohort.results import p_text
from petct.survival.cox.result import CovariateTest, CoxResult, CoxTerm
from petct.survival.cox_repeated.forest_table import ForestTable
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.pooled import PooledCoxResult, PooledTerm
from petct.survival.cox_repeated.subgroups import SubgroupTable
from petct.survival.cox_repeated.validation import CoxValidation


def say_answer(found: Answer) -> None:
    """Print the answer to a request."""
    result = found.result
    console.say(f"{found.basis.title}: {found.n} patients, {found.n_events} events{found.badge}")
    if isinstance(result, CoxResult):
        _say_model(result)
    elif isinstance(result, ForestTable):
        _say_forest(result)
    elif isinstance(result, ModelComparison):
        _say_comparison(result)
    elif isinstance(result, SubgroupTable):
        _say_subgroups(result)
    elif isinstance(result, PooledCoxResult):
        say_terms(result.terms)
        _say_test(result.overall)
    else:
        raise TypeError(f"petlake cox gave a {type(result).__name__}")
    say_notes(result.notes)
    if found.validation is not None:
        _say_validation(found.validation)


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
    if test.p is None:
        reason = test.p_suppressed.message.removeprefix("No p-value: ") if test.p_suppressed else "no test was made."
        console.say(f"{subject}: p withheld: {reason}")
        return
    console.say(f"{subject}: {p_text(test.p)} ({test.test}, {test.df} df)")


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


def _say_validation(found: CoxValidation) -> None:
    """Print the calibration at the horizon and the concordance, both corrected for optimism."""
    c = found.concordance
    console.say(
        f"At {found.time:g} {found.unit}s: predicted {console.shown(found.predicted)}, observed "
        f"{console.shown(found.observed)}. Corrected for optimism ({found.n_resamples} resamples, seed {found.seed}): "
        f"concordance {c.value:.3f} ({_span(found.lower, found.upper)}, in these patients {c.apparent:.3f})"
        + (f", calibration slope {found.slope.value:.2f}" if found.slope else "")
    )
    console.say_table(
        ("risk group", "n", "events", "predicted", "observed", "95 % CI", "observed, corrected"),
        [
            (
                number,
                group.n,
                group.n_events,
                group.predicted,
                group.observed,
                _span(group.lower, group.upper),
                group.corrected,
            )
            for number, group in enumerate(found.groups, 1)
        ],
    )
    say_notes(found.notes)


def _p(p: float | None) -> str:
    return "-" if p is None else p_text(p)


def _span(lower: float | None, upper: float | None) -> str:
    return "-" if lower is None else f"{console.shown(lower)} to {console.shown(upper)}"
