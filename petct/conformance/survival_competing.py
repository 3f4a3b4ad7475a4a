"""Competing risks in the survival exam: cumulative incidence, Gray's test and Fine-Gray, as cmprsk computes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from petct.conformance.survival_reference import Found, Statistic, Table
from petct.survival.cohort.covariates import NumericCovariate
from petct.survival.cohort.groups import split_by_category
from petct.survival.cohort.outcome import BoolArray
from petct.survival.competing.cumulative import CumulativeIncidenceResult, cumulative_incidence
from petct.survival.competing.fine_gray import fine_gray
from petct.survival.competing.outcome import CompetingOutcome

_CAUSES = ("1", "2")


def _complete(table: Table) -> BoolArray:
    """Patients of the models, whom R took for the curves as well."""
    return table.complete(("age", "sex", "hgb"))


def _outcome(table: Table) -> CompetingOutcome:
    codes = table.numbers("event").astype(int)
    return CompetingOutcome(table.numbers("etime"), codes, "month", _CAUSES).subset(_complete(table))


def _incidences(table: Table, variable: str, terms: Sequence[str]) -> CumulativeIncidenceResult:
    kept = _complete(table)
    groups = split_by_category(
        [text for text, there in zip(table.texts(variable), kept, strict=True) if there], variable
    )
    return cumulative_incidence(_outcome(table), groups, landmarks=[float(term) for term in terms])


def incidence(table: Table, variable: str, statistics: Sequence[Statistic]) -> Found:
    """``cuminc`` and its ``timepoints``."""
    terms = sorted({s.term for s in statistics})
    found: Found = {}
    for curve in _incidences(table, variable, terms).curves:
        for term, at in zip(terms, curve.landmarks, strict=True):
            found[f"{curve.group} {curve.cause}", term, "cif"] = at.incidence
            found[f"{curve.group} {curve.cause}", term, "var"] = at.variance
    return found


def gray_tests(table: Table, variable: str, _: Sequence[Statistic]) -> Found:
    """The tests of ``cuminc``."""
    found: Found = {}
    for test in _incidences(table, variable, ()).gray_tests:
        found[test.cause, "", "chisq"] = test.chi_squared
        found[test.cause, "", "p"] = test.p
    return found


def subdistribution_model(table: Table, cause: str, _: Sequence[Statistic]) -> Found:
    """``crr`` of age, male sex and haemoglobin."""
    kept = _complete(table)
    male = np.array([float(text == "M") for text in table.texts("sex")])
    columns = {"age": table.numbers("age"), "male": male, "hgb": table.numbers("hgb")}
    covariates = [NumericCovariate(name, values[kept], scale="as_is") for name, values in columns.items()]
    found: Found = {}
    for term in fine_gray(_outcome(table).of_interest(int(cause)), covariates).terms:
        found["", term.covariate, "coef"] = term.coefficient
        found["", term.covariate, "se"] = term.standard_error
    return found
