"""Metastases of known volume, uptake and texture, placed so that connected components count them exactly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from petct.image.volume import Geometry
from petct.synthetic.anatomy import Anatomy
from petct.synthetic.shapes import Column, Ellipsoid, Solid, directions, voxels

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIRECTIONS = directions(80)
_N_WAVES = 24
_CANDIDATES = 48
_ROUNDS = 40


class Site(StrEnum):
    """Where a lesion is."""

    LIVER = "liver"
    BONE = "bone"
    LYMPH_NODE = "lymph_node"


#: The organ mask that contains the lesions of a site; lymph nodes have none.
ORGAN_MASK_OF_SITE = {Site.LIVER: "liver", Site.BONE: "spine", Site.LYMPH_NODE: ""}


@dataclass(frozen=True)
class Texture:
    """Intrinsic heterogeneity: a sum of plane waves, known at every point, that multiplies the lesion's uptake.

    Attributes
    ----------
    grade
        ``homogeneous``, ``moderate`` or ``marked``.
    amplitude
        Standard deviation of the uptake over the lesion's voxels relative to its mean: 0, 0.15 or 0.30.
    wavelength_mm
        Length of the waves; the sum of many with random directions is an isotropic random field.
    seed
        Of the directions and phases.
    """

    grade: str
    amplitude: float
    wavelength_mm: float
    seed: int

    def field(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (n,) at the points (n, 3) of one lesion in mm, with mean 0 and standard deviation 1 over them."""
        rng = np.random.default_rng(self.seed)
        heading = rng.normal(size=(_N_WAVES, 3))
        heading *= (2.0 * np.pi / self.wavelength_mm) / np.linalg.norm(heading, axis=1, keepdims=True)
        phase = rng.uniform(0.0, 2.0 * np.pi, _N_WAVES)
        waves = np.cos(points_mm @ heading.T + phase).sum(axis=1)
        return np.asarray((waves - waves.mean()) / (waves.std() or 1.0))


@dataclass(frozen=True)
class Lesion:
    """One metastasis.

    Attributes
    ----------
    number
        Counted from 1 within the patient: its label in the voxelised truth, and ``Lesion 01`` in the contours.
    suv_mean
        Mean SUV over its voxels in the image before blur and noise, exactly.
    hu
        Mean Hounsfield units.
    """

    number: int
    site: Site
    shape: Ellipsoid
    suv_mean: float
    hu: float
    texture: Texture

    @property
    def name(self) -> str:
        """Name of the region in the contours; it tells nothing of the organ."""
        return f"Lesion {self.number:02d}"


_GRADES = (("homogeneous", 0.0), ("moderate", 0.15), ("marked", 0.30))
#: Median radius and largest radius in mm.
_RADII = {Site.LIVER: (15.0, 36.0), Site.BONE: (12.5, 18.0), Site.LYMPH_NODE: (12.0, 17.0)}


def draw_lesions(rng: np.random.Generator, anatomy: Anatomy, geometry: Geometry, *, liver: bool) -> tuple[Lesion, ...]:
    """Metastases of one patient, at least one.

    No lesion leaves its organ (lymph nodes: stays in soft tissue, clear of all organs), and the surfaces of any two are
    at least three voxels and 12 mm apart. Each centre is drawn until the number of voxel centres inside is within 1.5 %
    of the analytic volume, or the nearest whole number: the voxelised truth then is a truth of the same size.

    Parameters
    ----------
    rng
        Random numbers of this patient's lesions.
    liver
        Whether the patient has liver metastases.
    """
    burden, avidity = rng.normal(0.0, 0.35), rng.normal(0.0, 0.3)
    sites = [Site.LIVER] * (1 + min(int(rng.poisson(2.2)), 7)) if liver else []
    sites += [Site.BONE] * (1 + min(int(rng.poisson(1.5)), 5)) if rng.random() < 0.45 else []
    sites += [Site.LYMPH_NODE] * (1 + min(int(rng.poisson(1.2)), 4)) if rng.random() < 0.6 else []
    placed: list[Lesion] = []
    for site in sites or [Site.LYMPH_NODE]:
        median, largest = _RADII[site]
        radius = _draw_radius(rng, median * float(np.exp(burden)), largest)
        shape = _place(rng, site, radius, anatomy, geometry, [lesion.shape for lesion in placed])
        if shape is None:
            continue
        suv = float(np.clip(18.0 * np.exp(avidity + rng.normal(0.0, 0.3)), 8.0, 70.0))
        grade, amplitude = _GRADES[int(rng.integers(len(_GRADES)))]
        texture = Texture(grade, amplitude, float(rng.uniform(14.0, 26.0)), int(rng.integers(2**32)))
        hu = {Site.LIVER: 40.0, Site.BONE: 420.0, Site.LYMPH_NODE: 30.0}[site] + float(rng.normal(0.0, 8.0))
        # Liver metastases must stand out from the liver they lie in, as those chosen for radionuclide therapy do.
        suv = max(suv, 2.0 * anatomy.organ("liver").suv) if site is Site.LIVER else suv
        placed.append(Lesion(len(placed) + 1, site, shape, round(suv, 3), round(hu, 1), texture))
    return tuple(placed)


def _draw_radius(rng: np.random.Generator, median: float, largest: float) -> float:
    """Lognormal; one in twelve lesions is small, the others hold 64 voxels of 4 mm and so have radiomic features."""
    radius, moderate, small = median * np.exp(rng.normal(0.0, 0.3)), rng.uniform(10.3, 13.0), rng.uniform(7.5, 9.5)
    if rng.random() < 1 / 12:
        return float(small)
    return float(min(radius, largest) if radius > 10.3 else moderate)


def _place(
    rng: np.random.Generator,
    site: Site,
    radius: float,
    anatomy: Anatomy,
    geometry: Geometry,
    others: list[Ellipsoid],
) -> Ellipsoid | None:
    """An ellipsoid of about ``radius`` where there is room, smaller when there is none; None when the site is full."""
    stretch = np.exp(np.clip(rng.normal(0.0, 0.12, 3), -0.25, 0.25))
    semi = radius * stretch / np.cbrt(np.prod(stretch))
    gap = max(12.0, 3.0 * geometry.spacing_mm[0])
    best: tuple[float, Ellipsoid] | None = None
    for attempt in range(_ROUNDS):
        for centre in _candidates(rng, site, anatomy):
            a, b, c = (float(value) for value in semi)
            shape = Ellipsoid((float(centre[0]), float(centre[1]), float(centre[2])), (a, b, c))
            if any(shape.gap_mm(other) < gap for other in others) or not _has_room(shape, site, anatomy):
                continue
            expected = shape.volume_ml / geometry.voxel_volume_ml
            error = abs(int(np.count_nonzero(voxels(shape, geometry)[1])) - expected)
            if error <= max(0.5, 0.015 * expected):
                return shape
            if best is None or error < best[0]:
                best = (error, shape)
        if best is None and attempt % 4 == 3 and radius * 0.9 > 7.0:
            radius, semi = radius * 0.9, semi * 0.9
    return best[1] if best else None


def _candidates(rng: np.random.Generator, site: Site, anatomy: Anatomy) -> NDArray[np.float64]:
    if site is Site.LYMPH_NODE:
        region: Solid = anatomy.stations[int(rng.integers(len(anatomy.stations)))]
    else:
        region = anatomy.organ(ORGAN_MASK_OF_SITE[site]).solids[0]
    low, high = region.bounds()
    points = rng.uniform(low, high, size=(_CANDIDATES, 3))
    if isinstance(region, Column):
        # A vertebral body is hardly wider than a lesion: look near the axis.
        points[:, :2] = np.asarray(region.centre_mm[:2]) + rng.normal(0.0, 3.0, size=(_CANDIDATES, 2))
    return np.asarray(points[region.level(*points.T) <= 1.0])


def _has_room(shape: Ellipsoid, site: Site, anatomy: Anatomy) -> bool:
    if site is not Site.LYMPH_NODE:
        points = shape.surface(1.0, _DIRECTIONS).T
        return bool(np.all(anatomy.organ(ORGAN_MASK_OF_SITE[site]).solids[0].level(*points) <= 1.0))
    points = shape.surface(8.0, _DIRECTIONS).T
    inside = np.min([solid.level(*points) for solid in anatomy.muscle], axis=0) <= 1.0
    clear = all(np.all(solid.level(*points) > 1.0) for organ in anatomy.organs for solid in organ.solids)
    return bool(np.all(inside) and clear)
