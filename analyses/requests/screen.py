"""What ``petlake screen`` and the page Features are asked: one test per feature, all of them counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from analyses.requests.answer import Answer
from analyses.requests.covariates import covariates
from analyses.requests.data import AnalysisData
from analyses.requests.family import FamilyRequest
from analyses.requests.options import NAMES, Flag, Whole, option
from analyses.requests.tested import hypotheses_of_scan


@dataclass(frozen=True)
class ScreenRequest(FamilyRequest):
    """A test of every feature of a family.

    Parameters
    ----------
    adjust_for
        Covariates of a second version of each test.
    stability
        Also select by LASSO in half-samples of the patients.
    permutations, seed
        As for ``petct.survival.features.scan.scan``.
    """

    command: ClassVar[str] = "screen"

    adjust_for: tuple[str, ...] = option(
        "adjust-for",
        NAMES,
        "Also run each test adjusted for these covariates, for example tumour_volume_ml, separated by commas. These "
        "tests are counted separately.",
        default=(),
        label="Also adjusted for",
        key="scan_adjusted_for",
        columns=True,
    )
    stability: bool = option(
        "stability",
        Flag(),
        "Also select features by the LASSO in random halves of the patients (stability selection).",
        default=False,
    )
    permutations: int | None = option(
        "permutations",
        Whole(least=1),
        "Use this many permutations per test.  [default: 10000, or 50 per feature if that is more]",
    )
    seed: int = option("seed", Whole(least=0), "Set the seed of permutations and half-samples.", default=0)


def answer_screen(request: ScreenRequest, data: AnalysisData) -> Answer:
    """Answer a request; raises what ``petct.survival.features.scan.scan`` refuses."""
    from petct.survival.features.scan import scan

    # Features and covariates keep their names: the ledger has the same words wherever the analysis is run.
    columns = replace(data.table, labels={})
    result = scan(
        data.outcome,
        data.feature_table(),
        units={name: columns.unit(name) for name in data.features},
        adjust_for=covariates(columns, request.adjust_for),
        stability=request.stability,
        n_permutations=request.permutations,
        seed=request.seed,
    )
    answer = Answer.of(request, data, result, hypotheses_of_scan(result), [request.subject(data)])
    return replace(answer, beside={"found": list(result.found)})
