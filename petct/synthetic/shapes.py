"""Solids whose volume is known exactly, and their voxels on a grid. Millimetres in LPS, order (x, y, z)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from petct.image.volume import Geometry

if TYPE_CHECKING:
    from numpy.typing import NDArray

Point = tuple[float, float, float]


class Solid(Protocol):
    """Something with an inside: ``level`` is at most 1 inside and on the surface, larger outside."""

    def level(self, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Evaluate at coordinates in mm that broadcast against one another."""
        ...

    def bounds(self) -> tuple[Point, Point]:
        """Lowest and highest corner of the box around the solid."""
        ...


@dataclass(frozen=True)
class _Centred:
    centre_mm: Point
    semi_axes_mm: Point

    def bounds(self) -> tuple[Point, Point]:
        """Box around the solid."""
        (x, y, z), (a, b, c) = self.centre_mm, self.semi_axes_mm
        return (x - a, y - b, z - c), (x + a, y + b, z + c)


@dataclass(frozen=True)
class Ellipsoid(_Centred):
    """An ellipsoid with axes along x, y and z."""

    @property
    def volume_ml(self) -> float:
        """Analytic volume, 4/3 pi abc."""
        a, b, c = self.semi_axes_mm
        return float(4.0 / 3.0 * np.pi * a * b * c / 1000.0)

    def level(self, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of squares of the scaled distances from the centre."""
        (cx, cy, cz), (a, b, c) = self.centre_mm, self.semi_axes_mm
        return np.asarray(((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 + ((z - cz) / c) ** 2)

    def surface(self, margin_mm: float, directions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n, 3) in the ``directions`` (n, 3) on the ellipsoid whose semi-axes are longer by ``margin_mm``."""
        return np.asarray(self.centre_mm) + directions * (np.asarray(self.semi_axes_mm) + margin_mm)

    def gap_mm(self, other: Ellipsoid) -> float:
        """A lower bound of the distance between two surfaces.

        The planes perpendicular to the line between the centres that touch each ellipsoid enclose a slab that neither
        enters: its width bounds the distance from below, and is exact for spheres.
        """
        offset = np.asarray(other.centre_mm) - np.asarray(self.centre_mm)
        distance = float(np.linalg.norm(offset))
        if distance == 0.0:
            return -np.inf
        reach = sum(np.linalg.norm(np.asarray(e.semi_axes_mm) * offset / distance) for e in (self, other))
        return distance - float(reach)


@dataclass(frozen=True)
class Column(_Centred):
    """An elliptic cylinder along z."""

    def level(self, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Larger of the scaled squared distances from the axis and from the middle plane."""
        (cx, cy, cz), (a, b, c) = self.centre_mm, self.semi_axes_mm
        return np.maximum(((x - cx) / a) ** 2 + ((y - cy) / b) ** 2, ((z - cz) / c) ** 2)


@dataclass(frozen=True)
class Barrel(_Centred):
    """An elliptic cylinder along z with rounded ends: the torso."""

    def level(self, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Ellipse in plane, eighth power along z."""
        (cx, cy, cz), (a, b, c) = self.centre_mm, self.semi_axes_mm
        return np.asarray(((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 + ((z - cz) / c) ** 8)


def axes_mm(geometry: Geometry) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates of the voxel centres along x, y and z of a grid whose axes are those of the patient."""
    z, y, x = (np.arange(n, dtype=np.float64) for n in geometry.shape)
    (ox, oy, oz), (sx, sy, sz) = geometry.origin_mm, geometry.spacing_mm
    return ox + sx * x, oy + sy * y, oz + sz * z


def voxels(solid: Solid, geometry: Geometry) -> tuple[tuple[slice, slice, slice], NDArray[np.bool_]]:
    """The box (z, y, x) of the grid around the solid, and which of its voxels have their centre inside."""
    low, high = solid.bounds()
    box = []
    for axis, start, stop in zip(axes_mm(geometry), low, high, strict=True):
        box.append(slice(int(np.searchsorted(axis, start)), int(np.searchsorted(axis, stop, side="right"))))
    x, y, z = (axis[part] for axis, part in zip(axes_mm(geometry), box, strict=True))
    inside = solid.level(x[None, None, :], y[None, :, None], z[:, None, None]) <= 1.0
    return (box[2], box[1], box[0]), inside


def paint(target: NDArray[np.generic], solids: Iterable[Solid], geometry: Geometry, value: float) -> None:
    """Set ``value`` in every voxel of ``target`` (z, y, x) whose centre lies in one of the solids."""
    for solid in solids:
        box, inside = voxels(solid, geometry)
        target[box][inside] = value


def directions(n: int) -> NDArray[np.float64]:
    """``n`` unit vectors (n, 3), spread evenly over the sphere (Fibonacci lattice)."""
    index = np.arange(n) + 0.5
    polar, azimuth = np.arccos(1.0 - 2.0 * index / n), np.pi * (1.0 + 5.0**0.5) * index
    return np.stack([np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)], axis=1)
