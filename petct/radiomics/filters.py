"""pyradiomics' image filters on no more of the image than the lesion's values depend on."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from petct.radiomics.definitions import image_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.image.volume import Box
    from petct.radiomics.feature_sets import FeatureSet, ImageType
    from petct.radiomics.region import Region

# What a recursive Gaussian has seen 12 sigma ago is below the rounding of single precision.
_LOG_MARGIN_SIGMAS = 12
# Beyond the filter's own length, a level: with coif1 (6 taps) 8 voxels.
_WAVELET_MARGIN_VOXELS = 2


def filtered(
    region: Region, image_type: ImageType, feature_set: FeatureSet, largest: Callable[[], float]
) -> Iterator[tuple[str, NDArray[np.generic] | None]]:
    """Name of each image that ``image_type`` makes, and its values in the region's box.

    Parameters
    ----------
    largest
        Largest absolute value of ``region.image``, which the pointwise filters are scaled with.

    Yields
    ------
    None instead of values where the image has too few voxels for the filter, as in pyradiomics.
    """
    names = image_names(image_type, feature_set)
    if image_type.name == "log":
        for name, sigma in zip(names, image_type.sigma_mm, strict=True):
            yield name, _log(region, sigma)
    elif image_type.name == "wavelet":
        bands = _wavelet(region, image_type, feature_set)
        yield from ((name, bands[name]) for name in names)
    else:
        yield names[0], _FILTERS[image_type.name](region, image_type, feature_set, largest)


def _original(region: Region, *_: object) -> NDArray[np.generic]:
    return np.ascontiguousarray(region.image[region.box])


def _log(region: Region, sigma: float) -> NDArray[np.generic] | None:
    size = np.array(region.image.shape)
    spacing = np.array(region.spacing_mm[::-1])
    if size.min() < 4 or not (size >= np.ceil(sigma / spacing) + 1).all():
        return None
    margin = [max(math.ceil(_LOG_MARGIN_SIGMAS * sigma / length), 4) for length in spacing]
    outer, inner = _window(region, margin)
    image = sitk.GetImageFromArray(np.ascontiguousarray(region.image[outer]))
    image.SetSpacing(region.spacing_mm)
    laplacian = sitk.LaplacianRecursiveGaussianImageFilter()
    laplacian.SetNumberOfThreads(1)
    laplacian.SetNormalizeAcrossScale(True)
    laplacian.SetSigma(sigma)
    return np.ascontiguousarray(sitk.GetArrayFromImage(laplacian.Execute(image))[inner])


def _gradient(region: Region, image_type: ImageType, *_: object) -> NDArray[np.generic]:
    outer, inner = _window(region, [2, 2, 2])
    image = sitk.GetImageFromArray(np.ascontiguousarray(region.image[outer]))
    image.SetSpacing(region.spacing_mm)
    gradient = sitk.GradientMagnitudeImageFilter()
    gradient.SetNumberOfThreads(1)
    gradient.SetUseImageSpacing(image_type.use_spacing)
    return np.ascontiguousarray(sitk.GetArrayFromImage(gradient.Execute(image))[inner])


def _wavelet(region: Region, image_type: ImageType, feature_set: FeatureSet) -> dict[str, NDArray[np.generic]]:
    import pywt

    axes = [2, 1, 0]
    if feature_set.texture.force_2d:
        axes.remove(feature_set.texture.force_2d_dimension)
    wavelet = pywt.Wavelet(image_type.wavelet)
    levels = image_type.start_level + image_type.level
    margin = (wavelet.dec_len + _WAVELET_MARGIN_VOXELS) * levels
    outer, inner, padding = [], [], []
    for axis, (part, length) in enumerate(zip(region.box, region.image.shape, strict=True)):
        low, high = part.start - margin, part.stop + margin
        # The transform decimates nothing, but PyWavelets works on pairs of voxels, so pairs must stay what they are.
        low, high = low - low % 2, high + high % 2
        odd = 0
        if axis not in axes:
            low, high = part.start, part.stop
        elif low < 0 or high > length:
            # The image goes on at its other end: the whole axis, and what pyradiomics makes of an odd one.
            low, high, odd = 0, length, length % 2
        outer.append(slice(low, high))
        inner.append(slice(part.start - low, part.stop - low))
        padding.append((0, odd))
    data = np.pad(region.image[tuple(outer)], padding, "wrap")
    within = tuple(inner)
    approximation = "a" * len(axes)
    bands: dict[str, NDArray[np.generic]] = {}
    for level in range(levels):
        decomposition = pywt.swtn(data, wavelet, level=1, start_level=0, axes=tuple(axes))[0]
        data = decomposition.pop(approximation)
        number = level - image_type.start_level + 1
        if number < 1:
            continue
        prefix = "wavelet-" if number == 1 else f"wavelet{number}-"
        for band, values in decomposition.items():
            bands[prefix + band.replace("a", "L").replace("d", "H")] = np.ascontiguousarray(values[within])
    bands[prefix + "L" * len(axes)] = np.ascontiguousarray(data[within])
    return bands


def _square(region: Region, _type: ImageType, _set: FeatureSet, largest: Callable[[], float]) -> NDArray[np.generic]:
    coefficient = 1 / np.sqrt(np.float64(largest()))
    return np.asarray((coefficient * _original(region).astype(np.float64)) ** 2)


def _square_root(
    region: Region, _type: ImageType, _set: FeatureSet, largest: Callable[[], float]
) -> NDArray[np.generic]:
    image = _original(region).astype(np.float64)
    return np.asarray(np.sign(image) * np.sqrt(np.abs(image) * np.float64(largest())))


def _logarithm(region: Region, _type: ImageType, _set: FeatureSet, largest: Callable[[], float]) -> NDArray[np.generic]:
    image = _original(region).astype(np.float64)
    top = np.float64(largest())
    return np.asarray(np.sign(image) * np.log(np.abs(image) + 1) * (top / np.log(top + 1)))


def _exponential(
    region: Region, _type: ImageType, _set: FeatureSet, largest: Callable[[], float]
) -> NDArray[np.generic]:
    top = np.float64(largest())
    return np.asarray(np.exp(np.log(top) / top * _original(region).astype(np.float64)))


def _lbp_2d(region: Region, image_type: ImageType, feature_set: FeatureSet, *_: object) -> NDArray[np.generic]:
    from skimage.feature import local_binary_pattern

    across = feature_set.texture.force_2d_dimension
    margin = [math.ceil(image_type.radius) + 1] * 3
    margin[across] = 0
    outer, inner = _window(region, margin)
    # pyradiomics writes the pattern into the array of the image, whose type it so gets.
    planes = np.moveaxis(np.array(region.image[outer]), across, 0)
    with warnings.catch_warnings():
        # scikit-image doubts that patterns of intensities that are not integers are meant.
        warnings.simplefilter("ignore", UserWarning)
        for plane in planes:
            plane[...] = local_binary_pattern(
                plane, P=image_type.samples, R=image_type.radius, method=image_type.method
            )
    return np.ascontiguousarray(np.moveaxis(planes, 0, across)[inner])


def _window(region: Region, margin: list[int]) -> tuple[Box, Box]:
    """The box with a margin (z, y, x) as far as the image goes, and where the box lies in that."""
    outer, inner = [], []
    for part, length, distance in zip(region.box, region.image.shape, margin, strict=True):
        low = max(part.start - distance, 0)
        outer.append(slice(low, min(part.stop + distance, length)))
        inner.append(slice(part.start - low, part.stop - low))
    return (outer[0], outer[1], outer[2]), (inner[0], inner[1], inner[2])


_FILTERS: dict[str, Callable[[Region, ImageType, FeatureSet, Callable[[], float]], NDArray[np.generic]]] = {
    "original": _original,
    "gradient": _gradient,
    "square": _square,
    "square_root": _square_root,
    "logarithm": _logarithm,
    "exponential": _exponential,
    "lbp_2d": _lbp_2d,
}
