"""pyradiomics' GLCM class with two of its steps done in fewer operations."""

from __future__ import annotations

from radiomics.glcm import RadiomicsGLCM


class FastGLCM(RadiomicsGLCM):  # type: ignore[misc]
    """The same features from the same matrix.

    pyradiomics sums the matrix along its diagonals with one mask a diagonal, and finds the maximal correlation
    coefficient as an eigenvalue of a matrix that is not symmetric, once a direction.
    """
