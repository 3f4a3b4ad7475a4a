"""P-values of a family of tests, adjusted for their number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from petct.errors import SurvivalError
from petct.survival.cohort.outcome import FloatArray

Correction = Literal["holm", "benjamini_hochberg", "bonferroni"]


def adjusted_p_values(p_values: Sequence[float] | FloatArray, correction: Correction) -> FloatArray:
    """Adjust the p-values of one family, as R's ``p.adjust``.

    Parameters
    ----------
    p_values
        Every test of the family, shape (m,), each between 0 and 1.
    correction
        ``holm`` (Holm S, Scand J Stat 1979;6:65) and ``bonferroni`` bound the probability of any false positive,
        ``benjamini_hochberg`` (J R Stat Soc B 1995;57:289) the expected share of them among the positives.

    Returns
    -------
    numpy.ndarray
        Adjusted p-values in the order of the tests, shape (m,).

    Raises
    ------
    SurvivalError
        P_VALUE_INVALID, CORRECTION_UNKNOWN.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise SurvivalError("P_VALUE_INVALID", "A p-value lies between 0 and 1", found=str(p.tolist()))
    if correction not in get_args(Correction):
        raise SurvivalError(
            "CORRECTION_UNKNOWN",
            "There is no such correction for several tests",
            found=correction,
            expected=", ".join(get_args(Correction)),
        )
    m = len(p)
    if correction == "bonferroni" or m == 0:
        return np.minimum(p * m, 1.0)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(m)
    if correction == "holm":
        adjusted[order] = np.maximum.accumulate(p[order] * np.arange(m, 0, -1))
    else:
        steps = p[order] * m / np.arange(1, m + 1)
        adjusted[order] = np.minimum.accumulate(steps[::-1])[::-1]
    return np.minimum(adjusted, 1.0)
