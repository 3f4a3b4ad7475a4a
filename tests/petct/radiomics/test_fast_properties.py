"""Random regions: wherever pyradiomics gives a value the fast engine gives the same, and where it refuses a reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from petct.image.volume import Geometry, Mask, Volume
from petct.radiomics import texture_classes
from petct.radiomics.engines import extract
from petct.radiomics.region import bounding_boxes
from tests.petct.radiomics import identity
from tests.petct.radiomics.identity import Case
from tests.some import some

PARAMETERS = {"setting": {"binWidth": 0.5}}
KINDS = ("one voxel", "line", "plane", "two islands", "border", "hole", "noise", "checkerboard", "whole image")


def region(kind: str, shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """A region of one kind in an image of ``shape`` (z, y, x), each at least 3 voxels wide."""
    mask = np.zeros(shape, dtype=bool)
    z, y, x = (int(rng.integers(1, length - 1)) for length in shape)
    if kind == "one voxel":
        mask[z, y, x] = True
    elif kind == "line":
        mask[z, :, x] = True
    elif kind == "plane":
        axis = int(rng.integers(3))
        mask[tuple(shape[axis] // 2 if other == axis else slice(None) for other in range(3))] = True
        mask &= rng.random(shape) < 0.8
    elif kind == "two islands":
        mask[0:2, 0:2, 0:2] = True
        mask[-2:, -1:, -2:] = True
    elif kind == "border":
        mask[:z, :, x:] = True
    elif kind == "hole":
        mask[:] = True
        mask[z, y, x] = False
    elif kind == "noise":
        mask = rng.random(shape) < rng.uniform(0.05, 0.9)
    elif kind == "checkerboard":
        mask = np.indices(shape).sum(axis=0) % 2 == 0
    else:
        mask[:] = True
    return mask


cases = st.builds(
    lambda kind, shape, spacing, seed: (kind, shape, spacing, seed),
    st.sampled_from(KINDS),
    st.tuples(st.integers(3, 9), st.integers(3, 12), st.integers(3, 10)),
    st.tuples(*[st.sampled_from([0.7, 1.0, 2.03642, 4.0, 5.3])] * 3),
    st.integers(0, 2**16),
)


def case_of(kind: str, shape: tuple[int, int, int], spacing: tuple[float, float, float], seed: int) -> Case:
    rng = np.random.default_rng(seed)
    geometry = Geometry(shape, spacing, (-31.5, 12.25, 7.0))
    image = rng.gamma(2.0, 1.0, shape).astype(np.float32)
    return Case(Volume(image, geometry), Mask(region(kind, shape, rng), geometry))


def assert_identical(case: Case, parameters: dict[str, object] = PARAMETERS) -> None:
    found = identity.features(case, identity.feature_set_of(parameters, "PT"))
    try:
        expected = identity.execute(case, parameters)
    except ValueError as refusal:
        if "No labels found" in str(refusal) and case.mask.array.any():
            # pyradiomics takes a region that fills its image for an empty one; with a frame around it, it does not.
            assert_identical(framed(case), parameters)
            return
        refused = {"ROI_ABSENT", "ROI_TOO_SMALL", "ROI_TOO_FEW_DIMENSIONS"}
        assert {item.status for item in some(found.values())} <= refused
        return
    assert set(expected) == set(found)
    different = {
        name: (value, found[name]) for name, value in expected.items() if not identity.agrees(value, found[name])
    }
    assert not different


def framed(case: Case) -> Case:
    image, mask = np.pad(case.image.array, 1, mode="edge"), np.pad(case.mask.array, 1)
    geometry = Geometry(mask.shape, case.image.geometry.spacing_mm, case.image.geometry.origin_mm)
    return Case(Volume(image, geometry), Mask(mask, geometry))


@given(cases)
@example(("one voxel", (5, 6, 7), (1.0, 1.0, 1.0), 0))
@example(("line", (5, 6, 7), (1.0, 2.0, 3.0), 1))
@example(("plane", (5, 9, 4), (0.7, 4.0, 5.3), 2))
@example(("two islands", (8, 9, 4), (2.0, 2.0, 3.0), 3))
@example(("hole", (3, 12, 5), (1.0, 1.0, 4.0), 4))
@example(("whole image", (4, 4, 6), (1.0, 1.0, 4.0), 5))
def test_any_region_has_pyradiomics_values(drawn: tuple) -> None:
    assert_identical(case_of(*drawn))


@given(cases)
@settings(max_examples=25)
def test_operations_on_whole_arrays_count_what_the_walk_counts(drawn: tuple) -> None:
    """The matrices of large regions, on small ones: nothing but the time depends on which of both ways is taken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texture_classes, "_LARGE_VOXELS", 0)
        patch.setattr(texture_classes, "_MANY_LEVELS", 2)
        assert_identical(case_of(*drawn))


@given(
    cases, st.sampled_from(["bspline", "linear", "nearest"]), st.tuples(*[st.sampled_from([0.0, 1.0, 2.0, 3.0])] * 3)
)
@settings(max_examples=25)
def test_any_region_has_pyradiomics_values_on_another_grid(
    drawn: tuple, interpolator: str, spacing: tuple[float, float, float]
) -> None:
    kind, shape, own, seed = drawn
    # A voxel of 5.3 mm cut into voxels of 1 mm would only take time; 4 mm to 2 mm is a tie for the nearest neighbour.
    own = tuple(min(value, 4.0) for value in own)
    names = {"bspline": "sitkBSpline", "linear": "sitkLinear", "nearest": "sitkNearestNeighbor"}
    setting = {"binWidth": 0.5, "interpolator": names[interpolator], "resampledPixelSpacing": list(spacing)}
    if max(spacing) == 0:
        setting.pop("resampledPixelSpacing")
    assert_identical(case_of(kind, shape, own, seed), {"setting": setting})


# pyradiomics refuses a region of several slices where its two-dimensional shape is asked for, too.
CLASSES = {name: [] for name in ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")}
OPTIONS = (
    {"binWidth": 0.5, "force2D": True},
    {"binCount": 16},
    {"binWidth": 0.25, "weightingNorm": "euclidean", "distances": [1, 2]},
    {"binWidth": 0.5, "symmetricalGLCM": False, "gldm_a": 1, "voxelArrayShift": 100},
    {"binWidth": 0.5, "resegmentRange": [0.5, 4.0]},
    {"binWidth": 0.5, "resegmentRange": [-1.5, 1.5], "resegmentMode": "sigma", "resegmentShape": True},
    {"binWidth": 0.5, "resegmentRange": [0.2], "resegmentMode": "relative"},
    {"binWidth": 0.5, "normalize": True, "normalizeScale": 10, "removeOutliers": 2.0},
)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: next(reversed(options)))
def test_every_option_has_pyradiomics_values(
    options: dict[str, object], large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(texture_classes, "_LARGE_VOXELS", 0)
    parameters = {"setting": options, "featureClass": CLASSES}
    assert_identical(case_of("hole", (7, 9, 8), (2.0, 2.0, 3.0), 11), parameters)


FILTERS = (
    {"Wavelet": {"wavelet": "coif1", "level": 2, "start_level": 1}},
    {"Wavelet": {"wavelet": "db4"}},
    {"LoG": {"sigma": [1.0, 2.5], "binWidth": 0.1}},
    {"Gradient": {"gradientUseSpacing": False}, "LBP2D": {"lbp2DRadius": 2.0, "lbp2DSamples": 9, "binWidth": 1.0}},
    {"Square": {}, "SquareRoot": {}, "Logarithm": {"binCount": 8}, "Exponential": {}},
)


@pytest.mark.parametrize("force_2d", [False, True])
@pytest.mark.parametrize("filters", FILTERS, ids=lambda filters: next(iter(filters)))
@pytest.mark.parametrize("corner", [0, 17])
def test_every_filter_has_pyradiomics_values(filters: dict[str, object], corner: int, force_2d: bool) -> None:
    """In an odd and long image, so that the crop is one, with the region in its middle and at its border."""
    rng = np.random.default_rng(5)
    shape = (37, 49, 61)
    mask = np.zeros(shape, dtype=bool)
    mask[corner : corner + 5, corner : corner + 6, corner + 4 : corner + 8] = True
    geometry = Geometry(shape, (2.0, 2.0, 3.0), (0.0, 0.0, 0.0))
    image = rng.gamma(2.0, 1.0, shape).astype(np.float32)
    parameters = {"setting": {"binWidth": 0.5, "force2D": force_2d}, "imageType": filters, "featureClass": CLASSES}
    assert_identical(Case(Volume(image, geometry), Mask(mask, geometry)), parameters)


def test_what_is_not_covered_falls_back_to_execute_and_says_so() -> None:
    """The shape within a slice, and interpolators whose reach is not known."""
    case = case_of("border", (3, 9, 8), (2.0, 2.0, 3.0), 4)
    mask = case.mask.array.copy()
    mask[0], mask[2] = False, False
    mask[1, 2:7, 1:6] = True
    case = Case(case.image, Mask(mask, case.mask.geometry))
    assert_identical(case, {"setting": {"binWidth": 0.5, "force2D": True}})
    labels = Volume(mask.astype(np.uint8), case.mask.geometry)
    feature_set = identity.feature_set_of({"setting": {"force2D": True}}, "PT")
    (extraction,) = extract(case.image, labels, (1,), feature_set)
    assert (extraction.account.engine, extraction.account.reference_classes) == ("fast", ("shape2d",))
    setting = {"interpolator": "sitkLanczosWindowedSinc", "resampledPixelSpacing": [1.0, 1.0, 2.0], "binWidth": 0.5}
    assert_identical(case_of("border", (7, 9, 8), (2.0, 2.0, 3.0), 4), {"setting": setting})


def test_bounding_boxes_are_found_in_one_pass() -> None:
    labels = np.zeros((6, 7, 8), dtype=np.uint16)
    labels[1:3, 2:4, 5] = 3
    labels[5, 6, 7] = 300
    assert bounding_boxes(labels) == {
        3: (slice(1, 3), slice(2, 4), slice(5, 6)),
        300: (slice(5, 6), slice(6, 7), slice(7, 8)),
    }
    assert bounding_boxes(labels * 0) == {}
