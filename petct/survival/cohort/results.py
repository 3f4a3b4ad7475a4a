"""What every result has in common: withheld p-values, and the form that goes into JSON and comes back from it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import TypeVar

import numpy as np
from scipy.special import chdtrc, fdtrc, ndtri

from petct.errors import FeatureError

T = TypeVar("T")

SMALLEST_ARM = 10
"""Arms with fewer patients show no p-value."""

SIGNIFICANCE_LEVEL = 0.05

CONFIDENCE = 0.95
"""Level of all intervals."""

TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
"""Quantiles at the limits of an interval from resamples."""

NORMAL_QUANTILE = float(ndtri(0.5 + CONFIDENCE / 2.0))
"""Half the width of an interval in standard errors: 1.96."""

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True)
class Suppressed:
    """Why a p-value is not shown.

    Parameters
    ----------
    code
        For example ``ARM_TOO_SMALL``.
    message
        The same as a sentence.
    """

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class AnalysisResult:
    """What every analysis of survival says.

    Parameters
    ----------
    unit
        Unit of all times.
    n, n_events
        Patients in the analysis, and events among them.
    notes
        Sentences a reader of the numbers has to know.
    """

    unit: str
    n: int
    n_events: int
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class IntervalResult(AnalysisResult):
    """An analysis with intervals; ``confidence`` is their level."""

    confidence: float = CONFIDENCE


@dataclass(frozen=True, kw_only=True)
class Term:
    """One coefficient of a model, and what its ratio compares.

    Parameters
    ----------
    covariate, level, reference
        What it belongs to; level and reference of a category.
    scale
        What the ratio compares, for example ``per SD (11.2 ml)`` or ``G3 vs G1``.
    coefficient, standard_error
        Logarithm of the ratio.
    lower, upper
        Confidence limits of the ratio.
    """

    covariate: str
    level: str | None
    reference: str | None
    scale: str
    coefficient: float
    standard_error: float
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class TermWithTest(Term):
    """A coefficient with a test of its own.

    Parameters
    ----------
    z
        Coefficient over standard error.
    p
        None exactly when ``p_suppressed`` says why.
    """

    z: float
    p: float | None
    p_suppressed: Suppressed | None

    @property
    def wald_p(self) -> float:
        """Wald's p as R prints it: not shown, because it is too small too often with skewed covariates (ADR 0021)."""
        return chi_squared_p(self.z**2, 1)


def small_arm(label: str, n: int) -> Suppressed | None:
    """Return the reason to withhold a p-value when an arm of ``n`` patients is too small for one."""
    if n >= SMALLEST_ARM:
        return None
    return Suppressed(
        "ARM_TOO_SMALL",
        f"No p-value: group '{label}' has {counted(n, 'patient')}, fewer than the minimum of {SMALLEST_ARM}.",
    )


def chi_squared_p(statistic: float, df: int) -> float:
    """Upper tail probability of the chi-squared distribution."""
    return float(chdtrc(df, max(statistic, 0.0)))


def f_p(chi_squared: float, df: int, denominator_df: int) -> float:
    """Upper tail probability of ``chi_squared / df`` in the F distribution; the denominator counts at least 1."""
    return float(fdtrc(df, max(denominator_df, 1), max(chi_squared, 0.0) / df))


def p_text(p: float) -> str:
    """Return a p-value as papers print it: ``p = 0.031``, ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def p_or_withheld(p: float | None) -> str:
    """Return a p-value as ``p_text``, or that it is withheld."""
    return "p withheld" if p is None else p_text(p)


def counted(n: int, noun: str) -> str:
    """Return ``1 patient``, ``2 patients``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def without(n_missing: int, what: str, n: int) -> list[str]:
    """Note of the patients who were left out for lack of ``what``, ``n`` remaining; empty where there are none."""
    return [f"{counted(n_missing, 'patient')} without {what} left out: n = {n}."] if n_missing else []


def as_dict(result: object) -> dict[str, JsonValue]:
    """Return a result as nested dictionaries and lists of plain values, ready for ``json.dumps``.

    Parameters
    ----------
    result
        Any result dataclass of this package.

    Raises
    ------
    TypeError
        ``result`` is no dataclass, or holds something that JSON has no form for.
    """
    if not is_dataclass(result) or isinstance(result, type):
        raise TypeError(f"not a result: {type(result).__name__}")
    return {field.name: _plain(getattr(result, field.name)) for field in fields(result)}


def _plain(value: object) -> JsonValue:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TypeError("a result holds a number that is not finite")
        return float(value)
    if is_dataclass(value):
        return as_dict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a result holds a {type(value).__name__}")


def write_json(fitted: object) -> str:
    """Return a dataclass of plain values as JSON; numbers keep every bit."""
    return json.dumps(as_dict(fitted), allow_nan=False)


def read_json(kind: type[T], text: str | bytes) -> T:
    """Return the dataclass that ``write_json`` wrote.

    Raises
    ------
    FeatureError
        JSON_INVALID when the text is not such an object, or one of its fields is not what it must be.
    """
    # Loaded here: most commands read no fitted object, and pydantic takes a moment.
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FeatureError(
            "JSON_INVALID",
            f"This is not a {kind.__name__} as petlake writes it",
            keyword=where or None,
            found=first["msg"],
            hint="Use the file as it was written; fit it again when it comes from another version.",
        ) from None
