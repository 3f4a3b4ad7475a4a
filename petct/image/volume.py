"""Images and masks with their place in the patient: arrays are (z, y, x), millimetres are (x, y, z) in DICOM's LPS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from petct.errors import MaskError

if TYPE_CHECKING:
    import SimpleITK as sitk
    from numpy.typing import NDArray

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

Box = tuple[slice, slice, slice]
"""A part of a grid: slices (z, y, x) with start and stop."""

_NOWHERE: Box = (slice(0, 0), slice(0, 0), slice(0, 0))


@dataclass(frozen=True)
class Geometry:
    """Where a grid of voxels lies.

    Attributes
    ----------
    shape
        Voxels as (slices, rows, columns), the shape of the array.
    spacing_mm
        Distance of voxel centres along (column, row, slice), that is (x, y, z) of the index.
    origin_mm
        Centre of the first voxel in patient coordinates (LPS), as Image Position (Patient) (0020,0032).
    direction
        3 x 3 matrix, row-major, as SimpleITK: its columns are the unit vectors of the x, y and z index axes.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    direction: tuple[float, ...] = _IDENTITY

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        x, y, z = self.spacing_mm
        return x * y * z / 1000.0

    @property
    def affine(self) -> NDArray[np.float64]:
        """The 4 x 4 matrix from index (x, y, z, 1) to patient coordinates (LPS, mm)."""
        affine = np.eye(4)
        affine[:3, :3] = np.asarray(self.direction).reshape(3, 3) * np.asarray(self.spacing_mm)
        affine[:3, 3] = self.origin_mm
        return affine

    @classmethod
    def from_affine(cls, affine: NDArray[np.float64], shape: tuple[int, int, int]) -> Geometry:
        """The geometry of an array of ``shape`` (z, y, x) with the given ``affine``; the inverse of ``affine``."""
        matrix = np.asarray(affine, dtype=np.float64)
        spacing = np.linalg.norm(matrix[:3, :3], axis=0)
        direction = matrix[:3, :3] / spacing
        x, y, z = (float(value) for value in spacing)
        ox, oy, oz = (float(value) for value in matrix[:3, 3])
        return cls(shape, (x, y, z), (ox, oy, oz), tuple(float(value) for value in direction.ravel()))

    @property
    def is_sheared(self) -> bool:
        """Whether its axes are not perpendicular unit vectors, by more than a thousandth."""
        axes = np.asarray(self.direction).reshape(3, 3)
        return bool(np.abs(axes.T @ axes - np.eye(3)).max() > 1e-3)

    def to_index(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Continuous indices (n, 3) in the order (x, y, z) of points (n, 3) in patient coordinates."""
        rotation = np.asarray(self.direction).reshape(3, 3)
        # The direction is orthonormal, so its transpose is its inverse.
        offsets = np.asarray(points_mm, dtype=np.float64) - np.asarray(self.origin_mm)
        return np.asarray(offsets @ rotation / np.asarray(self.spacing_mm))

    def to_physical(self, index: NDArray[np.float64]) -> NDArray[np.float64]:
        """Patient coordinates (n, 3) of continuous indices (n, 3) in the order (x, y, z)."""
        affine = self.affine
        return np.asarray(np.asarray(index, dtype=np.float64) @ affine[:3, :3].T + affine[:3, 3])

    def cropped(self, box: Box) -> Geometry:
        """The part of the grid in ``box``."""
        z, y, x = (part.start for part in box)
        ox, oy, oz = (float(value) for value in self.to_physical(np.array([[x, y, z]], dtype=np.float64))[0])
        nz, ny, nx = (part.stop - part.start for part in box)
        return Geometry((nz, ny, nx), self.spacing_mm, (ox, oy, oz), self.direction)

    def is_close(self, other: Geometry, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have the same shape and no corner of them differs by more than ``tolerance_mm``."""
        if self.shape != other.shape:
            return False
        last = np.asarray(self.shape[::-1], dtype=np.float64) - 1
        corners = np.array([[x, y, z] for x in (0, last[0]) for y in (0, last[1]) for z in (0, last[2])])
        return bool(np.abs(self.to_physical(corners) - other.to_physical(corners)).max() <= tolerance_mm)


@dataclass(frozen=True, eq=False)
class Volume:
    """An image: values (z, y, x) and their place. The unit is that of the producer (SUV, HU, Bq/ml)."""

    array: NDArray[np.generic]
    geometry: Geometry

    def __post_init__(self) -> None:
        _check_shape(self.array, self.geometry)


@dataclass(frozen=True, eq=False)
class Mask:
    """A region: booleans (z, y, x), True inside, and their place."""

    array: NDArray[np.bool_]
    geometry: Geometry

    def __post_init__(self) -> None:
        _check_shape(self.array, self.geometry)

    @property
    def volume_ml(self) -> float:
        """Volume of all voxels inside, in millilitres."""
        return int(np.count_nonzero(self.array)) * self.geometry.voxel_volume_ml


def _check_shape(array: NDArray[np.generic], geometry: Geometry) -> None:
    if array.shape != geometry.shape:
        raise MaskError(
            "GEOMETRY_SHAPE_MISMATCH",
            "The array does not have the shape of its geometry",
            found=str(array.shape),
            expected=str(geometry.shape),
        )


def to_sitk(array: NDArray[np.generic], geometry: Geometry) -> sitk.Image:
    """The array as a SimpleITK image at its place."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(array.astype(np.uint8) if array.dtype == np.bool_ else array)
    image.SetSpacing(geometry.spacing_mm)
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(geometry.direction)
    return image


def geometry_of(image: sitk.Image) -> Geometry:
    """Where a SimpleITK image of three dimensions lies."""
    columns, rows, slices = image.GetSize()
    return Geometry((slices, rows, columns), image.GetSpacing(), image.GetOrigin(), image.GetDirection())


@dataclass(frozen=True, eq=False)
class MaskPart:
    """A mask without the empty space around it.

    Attributes
    ----------
    box
        Where on its grid it lies; outside of it the mask is False.
    array
        Booleans (z, y, x) of the box.
    """

    box: Box
    array: NDArray[np.bool_]

    def count(self, voxels: tuple[NDArray[np.intp], ...]) -> int:
        """How many of the voxels, given as indices along z, y and x, lie inside the mask."""
        inside = np.ones(len(voxels[0]), dtype=np.bool_)
        for index, side in zip(voxels, self.box, strict=True):
            inside &= (index >= side.start) & (index < side.stop)
        at = tuple(index[inside] - side.start for index, side in zip(voxels, self.box, strict=True))
        return int(np.count_nonzero(self.array[at]))


def cut_out(array: NDArray[np.bool_]) -> MaskPart:
    """The smallest part of a mask (z, y, x) that holds all of it; an empty one where nothing is inside."""
    box: list[slice] = []
    part = array
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        inside = np.flatnonzero(part.any(axis=others))
        if not len(inside):
            return MaskPart(_NOWHERE, array[_NOWHERE])
        box.append(slice(int(inside[0]), int(inside[-1]) + 1))
        part = array[(*box, *[slice(None)] * (2 - axis))]
    return MaskPart((box[0], box[1], box[2]), part)


def resample_mask(mask: Mask, onto: Geometry) -> Mask:
    """The mask on another grid: a voxel is inside when the trilinear value of the mask at its centre is at least 0.5.

    Linear interpolation with a cut at one half keeps the volume where nearest neighbour leaves steps of a whole voxel
    on the finer grid.
    """
    if mask.geometry.is_close(onto):
        return Mask(mask.array, onto)
    part = resample_part(mask, onto)
    array = np.zeros(onto.shape, dtype=np.bool_)
    array[part.box] = part.array
    return Mask(array, onto)


def resample_part(mask: Mask, onto: Geometry) -> MaskPart:
    """``resample_mask``, computed and given only where the mask reaches: a lesion is a small part of an image."""
    part = cut_out(mask.array)
    if part.array.size == 0 or mask.geometry.is_close(onto):
        return part
    source = mask.geometry.cropped(part.box)
    box = _reach(source, onto)
    if any(side.start >= side.stop for side in box):
        return MaskPart(_NOWHERE, np.zeros((0, 0, 0), dtype=np.bool_))
    return MaskPart(box, _interpolated(part.array, source, onto.cropped(box)))


def _reach(source: Geometry, onto: Geometry) -> Box:
    """The voxels of ``onto`` that lie less than a voxel outside of the centres of ``source``."""
    ends = [(-1.0, float(size)) for size in source.shape[::-1]]
    corners = np.array([[x, y, z] for x in ends[0] for y in ends[1] for z in ends[2]])
    index = onto.to_index(source.to_physical(corners))[:, ::-1]
    first = np.maximum(np.floor(index.min(axis=0)).astype(int), 0)
    last = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 1, onto.shape)
    z, y, x = (slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    return (z, y, x)


def _interpolated(array: NDArray[np.bool_], source: Geometry, onto: Geometry) -> NDArray[np.bool_]:
    import SimpleITK as sitk

    # Without padding ITK answers "outside" already half a voxel beyond the last centre; one voxel of zeros makes the
    # border fall off as it does inside.
    padded = sitk.ConstantPad(to_sitk(array.astype(np.float32), source), (1, 1, 1), (1, 1, 1), 0.0)
    target = sitk.Resample(
        padded,
        onto.shape[::-1],
        sitk.Transform(),
        sitk.sitkLinear,
        onto.origin_mm,
        onto.spacing_mm,
        onto.direction,
        0.0,
        sitk.sitkFloat32,
    )
    return np.asarray(sitk.GetArrayFromImage(target) >= 0.5)
