"""The three peaks: IBSI's published values, every sphere counted out, and blobs whose peak is known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from petct.image.volume import Geometry, Volume
from petct.lesions.intensity_peaks import SPHERE_RADIUS_MM, intensity_peaks

SIGMA_MM = 7.0


def test_the_digital_phantom_has_ibsi_s_peaks(petlake_data: Path) -> None:
    """Reference values 2.6 (local) and 3.1 (global), published with two digits."""
    folder = petlake_data / "ibsi" / "digital_phantom" / "nifti"
    image = sitk.ReadImage(str(folder / "image" / "phantom.nii.gz"))
    region = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "mask" / "mask.nii.gz"))) > 0
    array = sitk.GetArrayFromImage(image)
    shape = (array.shape[0], array.shape[1], array.shape[2])
    volume = Volume(array, Geometry(shape, image.GetSpacing(), image.GetOrigin()))
    peaks = intensity_peaks(volume, np.argwhere(region))
    assert (round(peaks.local, 1), round(peaks.global_, 1)) == (2.6, 3.1)


@given(
    array=npst.arrays(np.float64, (4, 5, 6), elements=st.floats(0, 50)),
    region=npst.arrays(bool, (4, 5, 6)).filter(np.any),
    spacing=st.tuples(*[st.sampled_from([2.0, 3.1, 4.0, 6.5])] * 3),
)
def test_whole_voxel_peaks_equal_every_sphere_counted_out(
    array: np.ndarray, region: np.ndarray, spacing: tuple[float, float, float]
) -> None:
    peaks = intensity_peaks(Volume(array, Geometry((4, 5, 6), spacing, (0, 0, 0))), np.argwhere(region))
    places = np.argwhere(np.ones_like(region)) * spacing[::-1]
    means = {}
    for centre in np.argwhere(region):
        near = np.linalg.norm(places - centre * spacing[::-1], axis=1) <= SPHERE_RADIUS_MM
        means[tuple(centre)] = array.ravel()[near].mean()
    highest = [mean for centre, mean in means.items() if array[centre] == array[region].max()]
    assert peaks.global_ == pytest.approx(max(means.values()), rel=1e-12)
    assert peaks.local == pytest.approx(max(highest), rel=1e-12)
    assert peaks.local <= peaks.global_ * (1 + 1e-12)


@pytest.mark.parametrize("spacing", [(4.0, 4.0, 4.0), (4.07, 4.07, 3.0), (2.0, 2.0, 2.0), (5.0, 5.0, 3.27)])
@pytest.mark.parametrize("offset", [(0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.3, 0.5, 0.1)])
def test_the_free_peak_of_a_blob_is_that_of_the_blob_wherever_the_voxels_are(
    spacing: tuple[float, float, float], offset: tuple[float, float, float]
) -> None:
    grid = Geometry((24, 24, 24), spacing, (0.0, 0.0, 0.0))
    centre = (np.array([11.0, 11.0, 11.0]) + offset) * spacing
    blob = gaussian(grid, centre)
    assert intensity_peaks(blob, np.argwhere(blob.array > 0.4)).percist == pytest.approx(gaussian_peak(), rel=0.01)


def test_the_maximum_misses_a_blob_between_voxels_by_more_than_a_tenth() -> None:
    """What the free peak is for."""
    grid = Geometry((24, 24, 24), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0))
    assert gaussian(grid, np.full(3, 46.0)).array.max() < 0.9


def test_a_blob_at_the_edge_of_the_image_has_the_mean_of_what_is_there() -> None:
    grid = Geometry((12, 12, 12), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0))
    uniform = Volume(np.full(grid.shape, 3.0), grid)
    peaks = intensity_peaks(uniform, np.array([[0, 0, 0]]))
    assert (peaks.local, peaks.global_, peaks.percist) == pytest.approx((3.0, 3.0, 3.0))


def gaussian(grid: Geometry, centre_mm: np.ndarray) -> Volume:
    z, y, x = np.indices(grid.shape)
    points = np.stack([x, y, z], axis=-1) * grid.spacing_mm
    return Volume(np.exp(-((points - centre_mm) ** 2).sum(axis=-1) / (2 * SIGMA_MM**2)), grid)


def gaussian_peak() -> float:
    """Mean of the blob over the sphere around its centre, by quadrature over the radius."""
    radius = (np.arange(20_000) + 0.5) / 20_000 * SPHERE_RADIUS_MM
    return float((np.exp(-(radius**2) / (2 * SIGMA_MM**2)) * radius**2).sum() / (radius**2).sum())


def test_the_sphere_holds_a_cubic_centimetre() -> None:
    assert 4 / 3 * math.pi * SPHERE_RADIUS_MM**3 == pytest.approx(1000)
