"""What ``petlake cox`` prints for people."""

from analyses.requests.answer import Answer
from analyses.tables import models
from orchestration import console
from orchestration.commands.analysis import say_notes
from petct.survival.cohort.results import p_text
from petct.survival.cox.result import CovariateTest, CoxResult
from petct.survival.cox_repeated.forest_table import ForestTable
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.pooled import PooledCoxResult
from petct.survival.cox_repeated.subgroups import SubgroupTable
from petct.survival.cox_repeated.validation import CoxValidation


def say_answer(found: Answer) -> None:
    """Print the answer to a request."""
    result = found.result
    console.say(f"{found.basis.title}: {found.n} patients, {found.n_events} events{found.badge}")
    if isinstance(result, CoxResult):
        _say_model(result)
    elif isinstance(result, ForestTable):
        console.say_result(models.alone_and_together(result))
        _say_test(result.model.overall)
    elif isinstance(result, ModelComparison):
        _say_comparison(result)
    elif isinstance(result, SubgroupTable):
        _say_subgroups(result)
    elif isinstance(result, PooledCoxResult):
        console.say_result(models.hazard_ratios(result.terms))
        _say_test(result.overall)
    else:
        raise TypeError(f"petlake cox gave a {type(result).__name__}")
    say_notes(result.notes)
    if found.validation is not None:
        _say_validation(found.validation)


def _say_model(result: CoxResult) -> None:
    console.say_result(models.coefficients(result))
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


def _say_comparison(result: ModelComparison) -> None:
    console.say_result(models.hazard_ratios(result.full.terms))
    console.say_result(models.both_models(result))
    console.say(
        f"Change in concordance {result.concordance_change:+.3f} "
        f"({result.change_lower:+.3f} to {result.change_upper:+.3f})"
    )
    _say_test(result.test)


def _say_subgroups(result: SubgroupTable) -> None:
    console.say_result(models.hazard_ratios([result.effect]))
    console.say_result(models.subgroups(result))
    withheld = [variable.interaction.p_suppressed for variable in result.variables]
    withheld += [group.withheld for variable in result.variables for group in variable.subgroups]
    say_notes(tuple(dict.fromkeys(reason.message for reason in withheld if reason is not None)))


def _say_validation(found: CoxValidation) -> None:
    """Print the calibration at the horizon and the concordance, both corrected for optimism."""
    c = found.concordance
    console.say(
        f"At {found.time:g} {found.unit}s: predicted {console.shown(found.predicted)}, observed "
        f"{console.shown(found.observed)}. Corrected for optimism ({found.n_resamples} resamples, seed {found.seed}): "
        f"concordance {c.value:.3f} ({console.shown(found.lower)} to {console.shown(found.upper)}, in these patients "
        f"{c.apparent:.3f})" + (f", calibration slope {found.slope.value:.2f}" if found.slope else "")
    )
    console.say_result(models.risk_groups(found))
    say_notes(found.notes)
