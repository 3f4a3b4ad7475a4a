"""Which hypothesis tests one run of ``petlake cox`` was: for the ledger of its snapshot."""

from collections.abc import Iterator

from orchestration.analysis_data import AnalysisData, Source
from orchestration.commands.cox_report import AnyCoxResult
from orchestration.ledger import enter_test
from petct.survival.cox_result import CoxResult
from petct.survival.forest_table import ForestTable
from petct.survival.model_comparison import ModelComparison
from petct.survival.subgroups import SubgroupTable


def enter_cox(
    source: Source, data: AnalysisData, how: str, variables: tuple[str, ...], result: AnyCoxResult
) -> str | None:
    """Enter the tests of a run into the ledger; the sentence that goes beside its result.

    Parameters
    ----------
    how
        What makes the model another one than that of the same variables.
    variables
        What was tested.
    result
        What was found.
    """
    sentence = None
    for procedure, p_values in _tests(result):
        shown = [p for p in p_values if p is not None]
        sentence = enter_test(
            source,
            data,
            procedure,
            variables,
            how=how,
            n=result.n,
            n_events=result.n_events,
            n_tests=len(p_values),
            p=min(shown, default=None),
        )
    return sentence


def _tests(result: AnyCoxResult) -> Iterator[tuple[str, list[float | None]]]:
    if isinstance(result, ForestTable):
        yield "Cox, each alone", [row.univariable.p for row in result.rows if row.univariable]
        result = result.model
    if isinstance(result, ModelComparison):
        yield "Cox, added to the base", [result.test.p]
        return
    if isinstance(result, SubgroupTable):
        yield "Cox, interaction", [variable.interaction.p for variable in result.variables]
        return
    yield "Cox", [term.p for term in result.terms]
    if isinstance(result, CoxResult) and result.tests:
        yield "Cox, covariates and non-linearity", [test.p for test in result.tests]
