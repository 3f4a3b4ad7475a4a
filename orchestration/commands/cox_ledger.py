"""Which hypothesis tests one run of ``petlake cox`` was: for the ledger of its snapshot."""

from collections.abc import Iterator

from orchestration.analysis_data import AnalysisData, Source
from orchestration.commands.cox_report import AnyCoxResult
from orchestration.ledger import enter_test
from petct.survival.cox_result import CoxResult
from petct.survival.forest_table import ForestTable
from petct.survival.model_comparison import ModelComparison
from petct.survival.subgroups import SubgroupTable
from petct.survival.tested import Tested, hypotheses_of_cox


def enter_cox(
    source: Source,
    data: AnalysisData,
    scale: str,
    conditions: tuple[str, ...],
    variables: tuple[str, ...],
    result: AnyCoxResult,
) -> str | None:
    """Enter the tests of a run into the ledger; the sentence that goes beside its result.

    Parameters
    ----------
    scale
        What the hazard ratios refer to.
    conditions
        What makes the model another one than that of the same variables.
    variables
        What was tested.
    result
        What was found.
    """
    sentence = None
    for tested in _tests(result, scale, conditions):
        sentence = enter_test(source, data, tested, variables, n=result.n, n_events=result.n_events)
    return sentence


def _tests(result: AnyCoxResult, scale: str, conditions: tuple[str, ...]) -> Iterator[Tested]:
    how = ", ".join((scale, *conditions))
    if isinstance(result, ForestTable):
        yield _tested("Cox, each alone", how, [row.univariable.p for row in result.rows if row.univariable])
        result = result.model
    if isinstance(result, ModelComparison):
        yield _tested("Cox", how, [term.p for term in result.full.terms])
        yield _tested("Cox, added to the base", how, [result.test.p])
    elif isinstance(result, SubgroupTable):
        yield _tested("Cox", how, [result.effect.p])
        yield _tested("Cox, interaction", how, [variable.interaction.p for variable in result.variables])
    elif isinstance(result, CoxResult):
        yield from hypotheses_of_cox(result, [scale], conditions)
    else:
        yield _tested("Cox", how, [term.p for term in result.terms])


def _tested(procedure: str, how: str, p_values: list[float | None]) -> Tested:
    return Tested(procedure, how, len(p_values), min((p for p in p_values if p is not None), default=None))
