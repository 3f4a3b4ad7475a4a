"""What petlake and pyradiomics find in a prepared phantom, under the names of IBSI's reference values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from petct.conformance.ibsi_preparation import Configuration, Phantom, Prepared
from petct.image.volume import Geometry, Mask, Volume, cut_out
from petct.radiomics.ibsi import IBSI_FEATURES
from petct.radiomics.prepared_classes import TextureClass, first_order_values, own_levels, shape_values, texture_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TEXTURES: tuple[TextureClass, ...] = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")
# Matrices with directions: one value per direction and their mean, or one matrix of all of them.
_MERGING = dict.fromkeys(("glcm", "glrlm"), ((False, "_avg"), (True, "_comb")))
_NORMALISED = "GrayLevelNonUniformityNormalized"

Values = dict[str, float]
"""Values by IBSI tag."""


def processing_values(phantom: Phantom, prepared: Prepared) -> Values:
    """What IBSI calls diagnostic: size, spacing and intensities of image and region at each step of the processing."""
    values: Values = {}
    for step, image in (("init", phantom.image), ("interp", prepared.image)):
        values |= _along_axes(f"img_dim_{{}}_{step}_img", image.array.shape)
        values |= _along_axes(f"vox_dim_{{}}_{step}_img", image.geometry.spacing_mm[::-1])
        values |= _intensities(f"{{}}_int_{step}_img", image.array)
    steps = (
        ("init", phantom.image, phantom.mask, phantom.mask),
        ("interp", prepared.image, prepared.morphological, prepared.morphological),
        ("reseg", prepared.image, prepared.intensity, prepared.morphological),
    )
    for step, image, intensity, morphological in steps:
        values |= _along_axes(f"int_mask_dim_{{}}_{step}_roi", intensity.array.shape)
        for name, mask in (("int", intensity), ("morph", morphological)):
            box = [int(np.ptp(along)) + 1 for along in np.nonzero(mask.array)]
            values |= _along_axes(f"{name}_mask_bb_dim_{{}}_{step}_roi", box)
            values[f"{name}_mask_vox_count_{step}_roi"] = int(np.count_nonzero(mask.array))
        values |= _intensities(f"int_mask_{{}}_int_{step}_roi", image.array[intensity.array])
    return values


def region_values(prepared: Prepared, configuration: Configuration, shape: Mapping[str, float] | None = None) -> Values:
    """Shape and first-order features.

    Parameters
    ----------
    shape
        What ``shape_features`` gives, where it is known already: it is the slowest part.
    """
    image, intensity, morphological = _cropped(prepared)
    first_order = first_order_values(
        image, intensity, bin_width=configuration.bin_width, bin_count=configuration.bin_count
    )
    return _tagged("shape", shape or shape_values(morphological)) | _tagged("firstorder", first_order)


def shape_features(prepared: Prepared) -> dict[str, float]:
    """Shape features under pyradiomics' names."""
    return shape_values(_cropped(prepared)[2])


def pyradiomics_levels(prepared: Prepared, configuration: Configuration) -> NDArray[np.int_]:
    """The grey levels that pyradiomics gives the prepared image."""
    return own_levels(
        prepared.image, prepared.intensity, bin_width=configuration.bin_width, bin_count=configuration.bin_count
    )


def texture_features(
    prepared: Prepared, configuration: Configuration, levels: NDArray[np.int_], n_levels: int | None = None
) -> Values:
    """Texture features of ``levels`` (z, y, x), aggregated in every way that the configuration asks for.

    ``n_levels`` is the number of grey levels for the features that divide by it; by default the highest of the region
    that is looked at, which in 2D is a slice.
    """
    whole = (levels[cut_out(prepared.morphological.array).box], _cropped(prepared)[1])
    values: Values = {}
    for dimension in configuration.dimensions:
        regions = _slices(*whole) if dimension == "2D" else [whole]
        for texture in _TEXTURES:
            for merge, suffix in _MERGING.get(texture, ((False, ""),)):
                found = [
                    texture_values(
                        texture, inside, mask, in_plane=dimension != "3D", merge_directions=merge, n_levels=n_levels
                    )
                    for inside, mask in regions
                ]
                if texture == "gldm":
                    found = [
                        _with_normalised(of_region, region)
                        for of_region, (_, region) in zip(found, regions, strict=True)
                    ]
                mean = {name: float(np.mean([of_region[name] for of_region in found])) for name in found[0]}
                values |= _tagged(texture, mean, f"_{dimension}{suffix}")
    return values


def _with_normalised(of_region: Mapping[str, float], region: Mask) -> dict[str, float]:
    """Add what pyradiomics leaves out of the dependence matrix; in 2D it does not follow from means over slices."""
    return {**of_region, _NORMALISED: of_region["GrayLevelNonUniformity"] / int(np.count_nonzero(region.array))}


def feature_tag(feature_class: str, name: str) -> str | None:
    """The tag of a feature as petlake's feature sets aggregate it: in 3D, as the mean over the directions."""
    tag = IBSI_FEATURES[feature_class, name].tag
    if tag is None or feature_class in ("shape", "firstorder"):
        return tag
    return f"{tag}_3D{'_avg' if feature_class in _MERGING else ''}"


def _tagged(feature_class: str, values: Mapping[str, float], suffix: str = "") -> Values:
    tags = {name: feature.tag for (of_class, name), feature in IBSI_FEATURES.items() if of_class == feature_class}
    tags[_NORMALISED] = "ngl_glnu_norm" if feature_class == "gldm" else tags.get(_NORMALISED)
    return {f"{tags[name]}{suffix}": value for name, value in values.items() if tags[name] is not None}


def _slices(levels: NDArray[np.int_], mask: Mask) -> list[tuple[NDArray[np.int_], Mask]]:
    """Each slice that holds a voxel of the region, as a volume of one slice."""
    _, rows, columns = mask.array.shape
    grid = Geometry((1, rows, columns), mask.geometry.spacing_mm, mask.geometry.origin_mm, mask.geometry.direction)
    return [(levels[k : k + 1], Mask(mask.array[k : k + 1], grid)) for k in range(len(levels)) if mask.array[k].any()]


def _cropped(prepared: Prepared) -> tuple[Volume, Mask, Mask]:
    """Image, intensity mask and morphological mask within the region's bounding box, which is all that counts."""
    box = cut_out(prepared.morphological.array).box
    image = prepared.image
    geometry = image.geometry.cropped(box)
    return (
        Volume(image.array[box], geometry),
        Mask(prepared.intensity.array[box], geometry),
        Mask(prepared.morphological.array[box], geometry),
    )


def _along_axes(name: str, sizes: Sequence[float]) -> Values:
    """One value an axis; ``sizes`` are in the order of an array, (z, y, x)."""
    return {name.format(axis): float(size) for axis, size in zip("zyx", sizes, strict=True)}


def _intensities(name: str, array: NDArray[np.generic]) -> Values:
    values = np.asarray(array, dtype=np.float64)
    return {
        name.format("mean"): float(values.mean()),
        name.format("min"): float(values.min()),
        name.format("max"): float(values.max()),
    }
