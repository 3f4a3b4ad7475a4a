"""Restricted cubic splines: a covariate whose log hazard may bend between knots and is straight beyond the outer ones.

Basis and percentiles of the knots are Harrell's (Regression Modeling Strategies, 2nd ed. 2015, sections 2.4.5 and
2.4.6), as R's ``rms::rcs``: the covariate itself, and k - 2 cubic parts divided by the squared distance of the outer
knots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from petct.errors import SurvivalError

_PERCENTILES = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95)}


@dataclass(frozen=True, eq=False)
class SplinePart:
    """Place of a design column in a spline.

    Parameters
    ----------
    knots
        Ascending, in the unit of the covariate.
    place
        0 for the straight part, 1, 2, ... for the cubic ones.
    values
        The covariate itself, shape (n,).
    """

    knots: tuple[float, ...]
    place: int
    values: npt.NDArray[np.float64]

    def basis(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Columns of the whole spline at other values, shape (n, k - 1); see ``spline_basis``."""
        return spline_basis(values, self.knots)


def knots_of(values: npt.NDArray[np.float64], n_knots: int, name: str) -> tuple[float, ...]:
    """Knots at the percentiles of the values.

    Raises
    ------
    SurvivalError
        SPLINE_KNOTS when there are not 3 to 5, or two of them coincide.
    """
    if n_knots not in _PERCENTILES:
        raise SurvivalError(
            "SPLINE_KNOTS", "A restricted cubic spline has 3 to 5 knots", keyword=name, found=str(n_knots)
        )
    knots = tuple(float(knot) for knot in np.quantile(values, _PERCENTILES[n_knots]))
    if len(set(knots)) < n_knots:
        raise SurvivalError(
            "SPLINE_KNOTS",
            f"Knots of {name} coincide: too many patients share one value",
            keyword=name,
            found=", ".join(f"{knot:g}" for knot in knots),
            expected=f"{n_knots} different percentiles",
            hint="Use fewer knots, or a straight effect.",
        )
    return knots


def spline_basis(values: npt.NDArray[np.float64], knots: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Columns of the spline.

    Parameters
    ----------
    knots
        Ascending, k of them.

    Returns
    -------
    ndarray
        Shape (n, k - 1): the values, then the cubic parts.
    """
    t = np.asarray(knots)

    def cube(at: float) -> npt.NDArray[np.float64]:
        return np.asarray(np.maximum(values - at, 0.0) ** 3, dtype=np.float64)

    last, before = t[-1], t[-2]
    parts = [
        cube(knot) - cube(before) * (last - knot) / (last - before) + cube(last) * (before - knot) / (last - before)
        for knot in t[:-2]
    ]
    return np.column_stack([values, *(part / (last - t[0]) ** 2 for part in parts)])
