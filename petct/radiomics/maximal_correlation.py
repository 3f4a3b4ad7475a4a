"""The maximal correlation of a symmetric co-occurrence matrix, with pyradiomics' epsilon, as a symmetric problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def second_eigenvalue(matrix: NDArray[np.float64], epsilon: float) -> tuple[float, float]:
    """Second largest eigenvalue of pyradiomics' Q, and the size of what is neglected in it.

    Q(i, j) is the sum over k of P(i, k) P(j, k) / (p(i) p(k) + epsilon). Without epsilon its eigenvalues are the
    squared ones of P with row and column divided by the square roots of their sums. Epsilon matters where a grey level
    is so rare that its probability squared is not far above it, and is followed to first order.

    Parameters
    ----------
    matrix
        P: probabilities of pairs of levels, symmetric, (levels, levels).

    Returns
    -------
    eigenvalue, neglected
        ``neglected`` is about the second order; infinite or not a number where another eigenvalue is equal.
    """
    sums = matrix.sum(axis=1)
    inverse = np.zeros(sums.size)
    np.divide(1.0, np.sqrt(sums), out=inverse, where=sums > 0)
    values, vectors = np.linalg.eigh(matrix * inverse[:, None] * inverse[None, :])
    # All are followed: epsilon may change their order.
    left, right = matrix @ (vectors * inverse[:, None] ** 3), matrix @ (vectors * inverse[:, None])
    squares = values**2 - epsilon * np.sum(left * right * inverse[:, None] ** 4, axis=0)
    order = np.argsort(squares)
    second, others = order[-2], np.delete(order, -2)
    left, right = left[:, second], right[:, second]
    squared = abs(np.sum((matrix @ (vectors[:, second] * inverse**5)) * right * inverse**6))
    # How far epsilon turns the vector towards the others: the further, the closer their values.
    onto = vectors[:, others].T @ (inverse**3 * (matrix @ (inverse**4 * right)))
    back = vectors[:, others].T @ (inverse * (matrix @ (inverse**4 * left)))
    with np.errstate(divide="ignore", invalid="ignore"):
        turned = np.sum(np.abs(onto * back / (values[second] ** 2 - values[others] ** 2)))
    return float(squares[second]), float(epsilon**2 * (squared + turned))
