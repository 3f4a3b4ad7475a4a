"""What ``petlake aft`` and the page Cox are asked of accelerated failure time models; lifelines fits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from analyses.requests.answer import Answer
from analyses.requests.data import AnalysisData
from analyses.requests.model import ModelRequest
from analyses.requests.options import Choice, Listed, option
from analyses.requests.tested import several
from petct.survival.with_lifelines.aft_result import DISTRIBUTIONS, TITLES, Distribution


@dataclass(frozen=True)
class AftRequest(ModelRequest):
    """Accelerated failure time models of some distributions.

    Parameters
    ----------
    covariates, scale, scale_of, splines, knots, at_zero, categories, references, entry
        As for ``ModelRequest``.
    distributions
        Distributions of the survival times.
    """

    command: ClassVar[str] = "aft"
    # study.yaml declares log-rank tests and Cox models: every such model is exploratory.
    of_one_variable: ClassVar[bool] = False

    distributions: tuple[Distribution, ...] = option(
        "distributions",
        Listed("NAME,NAME,...", each=Choice(words=DISTRIBUTIONS)),
        "Fit models with these distributions of the survival times, separated by commas.",
        default=DISTRIBUTIONS,
        label="Distributions of the survival times",
    )

    def check(self) -> None:
        """Refuse what has no place in the model; distributions are named once, in one order."""
        super().check()
        asked = self.distributions or DISTRIBUTIONS
        object.__setattr__(self, "distributions", tuple(each for each in DISTRIBUTIONS if each in asked))


def answer_aft(request: AftRequest, data: AnalysisData) -> Answer:
    """Answer a request; raises what ``accelerated_failure_time`` refuses."""
    # pandas and lifelines are loaded only for this analysis.
    from petct.survival.with_lifelines.aft import accelerated_failure_time

    result = accelerated_failure_time(
        request.outcome(data), request.model(data.table), distributions=request.distributions
    )
    how = ", ".join((request.scale, *request.conditions))
    tests = [
        several(f"AFT, {TITLES[model.distribution]}", how, [test.p for test in model.tests]) for model in result.models
    ]
    return Answer.of(request, data, result, tests, request.covariates)
