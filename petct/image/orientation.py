"""Turning images the way readers look at them: head up, the patient's left on the right of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from petct.image.volume import Geometry, Volume

if TYPE_CHECKING:
    from numpy.typing import NDArray

    T = TypeVar("T", bound=np.generic)

# Patient coordinates are (x, y, z) = (left, back, head). A turned array runs (head to feet, front to back, right to
# left): its sagittal, coronal and axial slices then are pictures as they hang in a reading room.
_SIGN = (1.0, 1.0, -1.0)


@dataclass(frozen=True)
class Upright:
    """How an array (z, y, x) of some geometry is turned so that it runs head to feet, front to back, right to left.

    Axes of the image that are oblique to the patient count as the patient axis they are nearest to; nothing is
    interpolated.

    Attributes
    ----------
    axes
        Axes of the array that become the axes of the turned one.
    flipped
        Which axes of the turned array run the other way.
    geometry
        The grid of the turned array; its direction may be left-handed.
    """

    axes: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    geometry: Geometry

    def turn(self, array: NDArray[T]) -> NDArray[T]:
        """The turned array (head to feet, front to back, right to left); a view, not a copy."""
        steps = tuple(slice(None, None, -1 if flipped else 1) for flipped in self.flipped)
        return array.transpose(self.axes)[steps]


def upright(geometry: Geometry) -> Upright:
    """How arrays of ``geometry`` are turned; DICOM's Image Orientation (Patient) (0020,0037) may be any."""
    direction = np.asarray(geometry.direction).reshape(3, 3)
    # Index axis (x, y, z) that runs along each patient axis: the assignment with the largest cosines in all.
    along = max(permutations(range(3)), key=lambda axes: sum(abs(direction[p, axes[p]]) for p in range(3)))
    backwards = [direction[p, along[p]] * _SIGN[p] < 0 for p in range(3)]
    size = geometry.shape[::-1]
    first = [0.0, 0.0, 0.0]
    for p in range(3):
        first[along[p]] = float(size[along[p]] - 1) if backwards[p] else 0.0
    columns = np.stack([direction[:, along[p]] * (-1.0 if backwards[p] else 1.0) for p in range(3)], axis=1)
    ox, oy, oz = (float(value) for value in geometry.to_physical(np.array([first]))[0])
    sx, sy, sz = (geometry.spacing_mm[along[p]] for p in range(3))
    nx, ny, nz = (size[along[p]] for p in range(3))
    turned = Geometry((nz, ny, nx), (sx, sy, sz), (ox, oy, oz), tuple(float(value) for value in columns.ravel()))
    axes = (2 - along[2], 2 - along[1], 2 - along[0])
    return Upright(axes, (backwards[2], backwards[1], backwards[0]), turned)


def turned(volume: Volume) -> Volume:
    """The image, turned; its array is a view of that of ``volume``."""
    how = upright(volume.geometry)
    array: NDArray[Any] = how.turn(volume.array)
    return Volume(array, how.geometry)
