"""Hard cases of Cox models and of all that is built on them: a number, or a sentence with a code."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from petct.errors import SurvivalError
from petct.survival.cohort.covariates import CategoricalCovariate, NumericCovariate
from petct.survival.cohort.outcome import Outcome
from petct.survival.cohort.results import as_dict
from petct.survival.cox.curves import functional_form, schoenfeld_curves
from petct.survival.cox.fit import fit_cox
from petct.survival.cox.model import cox
from petct.survival.cox.time_varying import cox_with_therapy
from petct.survival.cox_repeated.model_comparison import compare_models
from petct.survival.cox_repeated.subgroups import subgroup_table
from petct.survival.likelihood.penalised import Firth, Ridge


@dataclass(frozen=True, eq=False)
class Case:
    """Durations, events and a covariate to spoil."""

    d: np.ndarray
    e: np.ndarray
    x: np.ndarray


@dataclass(frozen=True, eq=False)
class Spoilt:
    """What is made of them: an outcome, two covariates and a category."""

    o: Outcome
    x: NumericCovariate
    z: NumericCovariate
    g: CategoricalCovariate


HARD = {
    "no events": lambda c: (c.d, c.e * 0, c.x),
    "all events at one time": lambda c: (c.d * 0 + 5, c.e * 0 + 1, c.x),
    "ties everywhere": lambda c: (np.ceil(c.d / 700), c.e, c.x),
    "perfect separation": lambda c: (c.d, c.e * 0 + 1, 1.0 * (c.d > np.median(c.d))),
    "the order of events": lambda c: (c.d, c.e * 0 + 1, -c.d),
    "constant covariate": lambda c: (c.d, c.e, c.x * 0 + 3),
    "one patient differs": lambda c: (c.d, c.e, 1.0 * (np.arange(len(c.x)) == 0)),
    "negative times": lambda c: (c.d - 50, c.e, c.x),
    "missing times": lambda c: (np.where(np.arange(len(c.d)) == 3, np.nan, c.d), c.e, c.x),
    "missing values": lambda c: (c.d, c.e, c.x * np.nan),
    "too large a number": lambda c: (c.d, c.e, c.x * 1e300),
    "an outlier": lambda c: (c.d, c.e, np.where(np.arange(len(c.x)) == 0, 1e9, c.x)),
    "the last one dies": lambda c: (c.d, 1.0 * (c.d == c.d.max()), c.x),
    "nobody but the early": lambda c: (c.d, 1.0 * (c.d < np.median(c.d)), c.x),
}
ANALYSES = {
    "cox": lambda c: cox(c.o, [c.x, c.z, c.g], permutations=19),
    "strata": lambda c: cox(c.o, [c.x], strata=[c.g], permutations=19),
    "cluster": lambda c: cox(c.o, [c.x], cluster=c.g),
    "firth": lambda c: cox(c.o, [c.x, c.g], penalty=Firth()),
    "ridge": lambda c: cox(c.o, [c.x, c.z, NumericCovariate("x again", c.x.values), c.g], penalty=Ridge()),
    "spline": lambda c: cox(c.o, [NumericCovariate("x", c.x.values, scale="spline")], permutations=19),
    "late entry": lambda c: cox(Outcome(c.o.duration, c.o.event, entry=c.o.duration / 2), [c.x], permutations=19),
    "comparison": lambda c: compare_models(c.o, [c.x], [c.z], permutations=19),
    "subgroups": lambda c: subgroup_table(c.o, c.x, [c.g], permutations=19),
    "therapy": lambda c: cox_with_therapy(c.o, np.where(np.arange(c.o.n) % 2, c.o.duration / 3, np.nan), [c.x]),
    "form": lambda c: functional_form(c.o, c.x, [c.z]),
    "schoenfeld": lambda c: schoenfeld_curves(fit_cox(c.o, [c.x]))[0],
}
REFUSED = {
    "no events": "NO_EVENTS",
    "all events at one time": "NO_COMPARABLE_PAIRS",
    "perfect separation": "COX_SEPARATION",
    "the order of events": "COX_SEPARATION",
    "constant covariate": "COVARIATE_CONSTANT",
    "negative times": "TIME_NEGATIVE",
    "missing times": "TIME_MISSING",
    "missing values": "COX_NO_COMPLETE_CASES",
    "too large a number": "COVARIATE_NOT_FINITE",
    "the last one dies": "COX_TOO_FEW_EVENTS",
}


@pytest.mark.parametrize("case", HARD)
def test_hard_cases_give_numbers_or_a_sentence_with_a_code(case: str) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x, z = rng.normal(size=60), NumericCovariate("z", rng.normal(size=60))
        sex = [str(value) for value in rng.choice(["f", "m"], 60)]
        survival, censoring = rng.exponential(size=60), rng.uniform(0.3, 1.5, 60)
        days = np.ceil(1000 * np.minimum(survival, censoring)) + 1
        duration, event, values = HARD[case](Case(days, (survival <= censoring).astype(float), x))
        codes = {}
        for name, analysis in ANALYSES.items():
            try:
                outcome = Outcome(duration, event)
                spoilt = Spoilt(outcome, NumericCovariate("x", values), z, CategoricalCovariate("sex", sex))
                found = analysis(spoilt)
                json.dumps(as_dict(found), allow_nan=False)
            except SurvivalError as error:
                codes[name] = error.sentence().split(": ")[0]
        # One value far from all others separates or not, as its patient dies early or late.
        if case not in ("one patient differs", "an outlier"):
            assert codes.get("cox") == REFUSED.get(case)
