"""A simple person from vertex to mid-thigh: organs as solids with the uptake of 68Ga-DOTATOC and Hounsfield units.

Reference coordinates are x to the patient's left, y to the back, z up from the lower edge of the scan, in mm, for a
person of average build. Uptake follows the ranges published for 68Ga-DOTATOC (liver mean SUV 4.8, 2.3 to 12.4;
spleen 16, 5.4 to 34; pituitary 9.7). Structures without an organ mask stay below SUV 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from petct.image.volume import Geometry
from petct.synthetic.shapes import Barrel, Column, Ellipsoid, Point, Solid

#: Extent of the scan (x, y, z) in mm and the patient coordinate of its lower edge.
EXTENT_MM: Point = (400.0, 304.0, 920.0)
LOWER_EDGE_MM = -700.0

#: Organs with a mask of their own, in the order of their labels (1, 2, ...).
ORGANS = ("liver", "spleen", "kidneys", "bladder", "pituitary", "spine")

AIR_HU = -1000.0


@dataclass(frozen=True)
class Tissue:
    """Solids of one uptake and one density; painted in the order listed, later over earlier."""

    name: str
    solids: tuple[Solid, ...]
    suv: float
    hu: float


@dataclass(frozen=True)
class Anatomy:
    """One person: the tissues below, the organs above, and where lymph node metastases are found."""

    background: tuple[Tissue, ...]
    organs: tuple[Tissue, ...]
    muscle: tuple[Solid, ...]
    stations: tuple[Ellipsoid, ...]

    def organ(self, name: str) -> Tissue:
        """The organ called ``name``, one of ``ORGANS``."""
        return self.organs[ORGANS.index(name)]


def pet_geometry(voxel_mm: float) -> Geometry:
    """The grid of the PET image: cubic voxels, axes along the patient."""
    return _grid((voxel_mm, voxel_mm, voxel_mm))


def ct_geometry(voxel_mm: float) -> Geometry:
    """The grid of the CT: the slices of the PET, pixels three quarters as large."""
    return _grid((0.75 * voxel_mm, 0.75 * voxel_mm, voxel_mm))


def _grid(spacing: Point) -> Geometry:
    nx, ny, nz = (round(extent / step) for extent, step in zip(EXTENT_MM, spacing, strict=True))
    origin = (-(nx - 1) / 2 * spacing[0], -(ny - 1) / 2 * spacing[1], LOWER_EDGE_MM + spacing[2] / 2)
    return Geometry((nz, ny, nx), spacing, origin)


@dataclass(frozen=True)
class _Build:
    """How a person differs from the reference: width, depth and height, and jitter of the organs."""

    scale: Point
    rng: np.random.Generator

    def _place(self, reference: Point, lower_edge: float = LOWER_EDGE_MM) -> Point:
        x, y, z = (value * factor for value, factor in zip(reference, self.scale, strict=True))
        return (x, y, z + lower_edge)

    def ellipsoid(self, centre: Point, semi: Point, jitter: float = 0.0) -> Ellipsoid:
        """An organ; ``jitter`` is the standard deviation of its size (relative) and, times 30 mm, of its place."""
        size = np.clip(self.rng.normal(1.0, jitter, 3), 1 - 2 * jitter, 1 + 2 * jitter)
        shift = np.clip(self.rng.normal(0.0, 30 * jitter, 3), -60 * jitter, 60 * jitter)
        x, y, z = np.asarray(self._place(centre)) + shift
        a, b, c = np.asarray(self._place(semi, 0.0)) * size
        return Ellipsoid((float(x), float(y), float(z)), (float(a), float(b), float(c)))

    def column(self, centre: Point, semi: Point) -> Column:
        """A cylinder without jitter."""
        return Column(self._place(centre), self._place(semi, 0.0))

    def outline(self, shrink_mm: float) -> tuple[Solid, ...]:
        """Head, neck, torso and thighs, ``shrink_mm`` inside the skin."""
        s = shrink_mm
        return (
            self.ellipsoid((0, 0, 806), (78 - s, 98 - s, 100 - s)),
            self.column((0, 8, 716), (60 - s, 60 - s, 50)),
            Barrel(self._place((0, 0, 430)), self._place((178 - s, 116 - s, 268 - s), 0.0)),
            self.column((-88, 0, 110), (82 - s, 84 - s, 116)),
            self.column((88, 0, 110), (82 - s, 84 - s, 116)),
        )


def draw_anatomy(rng: np.random.Generator, height_m: float, body_mass_index: float) -> Anatomy:
    """A person of the given size; organs and uptake vary from person to person.

    Parameters
    ----------
    rng
        Random numbers of this person's anatomy.
    height_m, body_mass_index
        Size (m) and kg/m2; they scale the reference within what fits the scan.
    """
    girth = float(np.clip((body_mass_index / 25.0) ** 0.25, 0.92, 1.04))
    build = _Build((girth, girth, float(np.clip(height_m / 1.78, 0.93, 1.0))), rng)

    def uptake(median: float, sigma: float, low: float, high: float) -> float:
        return float(np.clip(median * np.exp(rng.normal(0.0, sigma)), low, high))

    muscle = build.outline(12.0)
    e = build.ellipsoid
    background = (
        Tissue("fat", build.outline(0.0), 0.25, -100.0),
        Tissue("muscle", muscle, uptake(0.6, 0.1, 0.4, 0.9), 50.0),
        Tissue("lungs", (e((-80, -5, 575), (56, 78, 100)), e((80, -5, 575), (56, 78, 100))), 0.35, -800.0),
        Tissue(
            "heart and vessels",
            (e((25, -35, 540), (42, 40, 45)), build.column((12, 22, 460), (10, 10, 180))),
            1.2,
            45.0,
        ),
        Tissue(
            "bowel", (e((20, -35, 320), (95, 42, 55)), e((0, -15, 262), (90, 45, 30))), uptake(1.7, 0.2, 1.0, 2.6), 35.0
        ),
        Tissue("brain", (e((0, 0, 815), (62, 80, 72)),), 0.15, 35.0),
        Tissue("salivary glands", (e((-60, 8, 772), (11, 16, 20)), e((60, 8, 772), (11, 16, 20))), 2.6, 40.0),
        Tissue("thyroid", (e((-18, -18, 700), (9, 9, 20)), e((18, -18, 700), (9, 9, 20))), 2.0, 90.0),
        Tissue(
            "pelvis and femora",
            (
                e((-95, 25, 228), (30, 38, 42)),
                e((95, 25, 228), (30, 38, 42)),
                build.column((-88, 5, 95), (16, 16, 95)),
                build.column((88, 5, 95), (16, 16, 95)),
            ),
            0.7,
            280.0,
        ),
    )
    organs = (
        Tissue("liver", (e((-70, -15, 440), (84, 70, 62), 0.04),), uptake(4.8, 0.25, 2.5, 8.5), 60.0),
        Tissue("spleen", (e((108, 40, 445), (30, 40, 46), 0.04),), uptake(16.0, 0.35, 6.0, 32.0), 55.0),
        Tissue(
            "kidneys",
            (e((-64, 52, 325), (26, 27, 48), 0.03), e((64, 52, 325), (26, 27, 48), 0.03)),
            uptake(13.0, 0.25, 7.0, 25.0),
            40.0,
        ),
        Tissue("bladder", (e((0, -38, 205), (36, 32, 26), 0.05),), uptake(22.0, 0.5, 8.0, 60.0), 8.0),
        Tissue("pituitary", (e((0, -8, 798), (7, 6, 6), 0.0),), uptake(9.7, 0.25, 5.0, 16.0), 45.0),
        Tissue("spine", (build.column((0, 64, 422), (25, 23, 216)),), uptake(0.9, 0.1, 0.6, 1.3), 220.0),
    )
    stations = (
        e((0, 8, 300), (22, 12, 60)),
        e((10, -42, 312), (45, 14, 36)),
        e((0, -2, 612), (12, 16, 45)),
        e((-48, 5, 240), (8, 8, 16)),
        e((48, 5, 240), (8, 8, 16)),
        e((40, 0, 662), (12, 8, 8)),
    )
    return Anatomy(background, organs, muscle, stations)
