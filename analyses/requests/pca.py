"""What ``petlake pca`` and the page Principal components are asked, and the components that answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from analyses.requests.answer import Answer
from analyses.requests.data import AnalysisData
from analyses.requests.family import FamilyRequest
from analyses.requests.options import Whole, option
from analyses.requests.tested import about, several
from petct.errors import SurvivalError
from petct.survival.cohort.covariates import NumericCovariate
from petct.survival.cohort.results import as_dict
from petct.survival.cox.model import cox
from petct.survival.cox.result import CoxResult
from petct.survival.features.pca import PcaResult, pca


@dataclass(frozen=True)
class PcaRequest(FamilyRequest):
    """Principal components of a family of features.

    Parameters
    ----------
    n_in_model
        Components of a Cox model; no model when None.
    """

    command: ClassVar[str] = "pca"

    n_in_model: int | None = option("cox", Whole(least=1), "Also fit a Cox model of this many components.")

    @property
    def needs_outcome(self) -> bool:
        """Only a model looks at survival."""
        return self.n_in_model is not None


def answer_pca(request: PcaRequest, data: AnalysisData) -> Answer:
    """Answer a request.

    Raises
    ------
    SurvivalError
        PCA_COMPONENTS_INVALID, and the codes of ``pca`` and ``cox``.
    """
    table = data.feature_table()
    result = pca(table.values, table.names, data.row_ids)
    if request.n_in_model is None:
        return Answer(request, data.basis, result, result.n, None, beside={"cox": None})
    model = _model(request.n_in_model, data, result)
    test = several("Cox of components", f"PC1 to PC{model.n_parameters}", [term.p for term in model.terms])
    tested = about([test], [request.subject(data)], model.n, model.n_events)
    return Answer(request, data.basis, result, result.n, model.n_events, tested, {"cox": as_dict(model)}, model=model)


def _model(n_in_model: int, data: AnalysisData, result: PcaResult) -> CoxResult:
    if n_in_model > len(result.components):
        raise SurvivalError(
            "PCA_COMPONENTS_INVALID",
            "There are not so many components",
            keyword="--cox",
            found=str(n_in_model),
            expected=f"at most {len(result.components)}",
        )
    complete = np.isin(data.row_ids, result.row_ids)
    scores = [NumericCovariate(each.name, np.array(each.scores)) for each in result.components[:n_in_model]]
    return cox(data.outcome.subset(complete), scores)
