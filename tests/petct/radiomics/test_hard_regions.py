"""Regions that break things: values or coded reasons, in bounded memory, from both engines."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from petct.image.volume import Geometry, Mask, Volume
from petct.radiomics import fast
from petct.radiomics.definitions import definitions_of
from petct.radiomics.engines import extract
from petct.radiomics.extraction import EngineName, Extraction
from petct.radiomics.feature_set_files import load_feature_set
from petct.radiomics.feature_sets import Discretisation, FeatureSet, ImageType, Resampling
from tests.some import some

PET = load_feature_set("pet_original")
FILTERED = replace(
    PET,
    image_types=(ImageType("original"), ImageType("log", sigma_mm=(4.0,)), ImageType("wavelet"), ImageType("square")),
)
ENGINES: tuple[EngineName, ...] = ("fast", "reference")


def uniform(shape: tuple[int, int, int], seed: int = 1) -> Volume:
    rng = np.random.default_rng(seed)
    geometry = Geometry(shape, (4.0, 4.0, 3.0), (-100.0, 50.0, 0.0))
    return Volume(rng.gamma(2.0, 1.5, shape).astype(np.float32), geometry)


def cube(image: Volume, edge: int = 6, start: int = 4) -> Volume:
    labels = np.zeros(image.array.shape, dtype=np.uint16)
    labels[start : start + edge, start : start + edge, start : start + edge] = 1
    return Volume(labels, image.geometry)


def one(image: Volume, labels: Volume, feature_set: FeatureSet, engine: EngineName = "fast") -> Extraction:
    (extraction,) = extract(image, labels, (1,), feature_set, engine)
    assert len(extraction.features) == len(definitions_of(feature_set))
    for feature in some(extraction.features):
        assert (feature.value is None) == (feature.status != "COMPUTED")
        assert feature.value is None or math.isfinite(feature.value)
    return extraction


def statuses(extraction: Extraction, part: str = "") -> set[str]:
    return {str(item.status) for item in extraction.features if item.feature_name.startswith(part)}


def test_sixty_lesions_of_one_label_map_and_one_of_a_single_voxel() -> None:
    image = uniform((60, 90, 100))
    labels = np.zeros(image.array.shape, dtype=np.uint16)
    for number in range(60):
        z, y, x = 4 + 12 * (number % 4), 4 + 16 * (number // 4 % 5), 4 + 24 * (number // 20)
        labels[z : z + 6, y : y + 6, x : x + 6] = number + 1
    labels[labels == 60] = 0
    labels[58, 88, 98] = 60
    found = extract(image, Volume(labels, image.geometry), range(1, 62), PET)
    assert [extraction.label for extraction in found] == list(range(1, 62))
    assert [statuses(extraction) for extraction in found] == [{"COMPUTED"}] * 59 + [{"ROI_TOO_SMALL"}, {"ROI_ABSENT"}]
    assert [extraction.account.n_voxels_segmented for extraction in found] == [216] * 59 + [1, 0]
    # Each as if it were alone.
    alone = Volume((labels == 17).astype(np.uint8), image.geometry)
    assert one(image, alone, PET).features == found[16].features


def test_many_lesions_cost_the_memory_of_one() -> None:
    """Nothing is kept of a lesion but its values: 60 lesions need little more than the largest of them."""
    image = uniform((60, 90, 100))
    labels = np.zeros(image.array.shape, dtype=np.uint8)
    for number in range(20):
        z, y = 4 + 12 * (number % 4), 4 + 16 * (number // 4)
        labels[z : z + 6, y : y + 6, 4:10] = number + 1
    label_map = Volume(labels, image.geometry)
    extract(image, label_map, (1,), PET)

    def peak(wanted: range) -> int:
        tracemalloc.start()
        try:
            extract(image, label_map, wanted, PET)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    of_one, of_all = peak(range(1, 2)), peak(range(1, 21))
    values = 20 * len(definitions_of(PET)) * 300
    assert of_all < of_one + values
    # A copy of the image would be 2.2 MB, its double precision 4.3 MB.
    assert of_one < 4_000_000


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_finite(engine: EngineName, value: float) -> None:
    image = uniform((16, 16, 16))
    image.array[6, 6, 6] = value
    extraction = one(image, cube(image), FILTERED, engine)
    assert statuses(extraction, "original_shape") == {"COMPUTED"}
    assert statuses(extraction, "original_firstorder") == {"IMAGE_NOT_FINITE"}
    assert statuses(extraction, "log") == statuses(extraction, "wavelet") == {"IMAGE_NOT_FINITE"}


def test_a_voxel_that_is_not_finite_beside_the_lesion_takes_only_the_filters_that_see_it() -> None:
    image = uniform((16, 16, 16))
    image.array[7, 7, 11] = np.nan
    extraction = one(image, cube(image), FILTERED)
    assert statuses(extraction, "original") == {"COMPUTED"}
    assert statuses(extraction, "log") == statuses(extraction, "square") == {"IMAGE_NOT_FINITE"}
    resampled = one(image, cube(image), replace(PET, resampling=Resampling((3.0, 3.0, 3.0))))
    assert statuses(resampled, "original_firstorder") == {"IMAGE_NOT_FINITE"}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_constant_region_has_what_is_defined_of_it(engine: EngineName) -> None:
    image = uniform((16, 16, 16))
    image.array[...] = 3.0
    extraction = one(image, cube(image), PET, engine)
    by_status: dict[str, set[str]] = {}
    for feature in extraction.features:
        by_status.setdefault(str(feature.status), set()).add(feature.feature_name.removeprefix("original_"))
    assert set(by_status) == {"COMPUTED", "ROI_FLAT"}
    assert by_status["ROI_FLAT"] == {
        *(f"firstorder_{name}" for name in ("Skewness", "Kurtosis")),
        *(f"glcm_{name}" for name in ("Correlation", "Imc1", "Imc2", "MCC")),
        *(f"ngtdm_{name}" for name in ("Busyness", "Coarseness", "Contrast", "Strength")),
    }


@pytest.mark.parametrize("edge", [8, 40])
def test_four_thousand_bins_have_values_or_a_reason_in_bounded_memory(edge: int) -> None:
    """A small lesion has few of the grey levels, so its matrices stay small; a large one would need gigabytes."""
    image = uniform((48, 48, 48))
    feature_set = replace(PET, discretisation=Discretisation(bin_count=4000))
    tracemalloc.start()
    try:
        extraction = one(image, cube(image, edge), feature_set)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.2 * fast.MEMORY_LIMIT_BYTES
    assert statuses(extraction, "original_firstorder") == {"COMPUTED"}
    assert statuses(extraction, "original_glcm") == ({"COMPUTED"} if edge == 8 else {"OUT_OF_MEMORY"})
    assert statuses(extraction, "original_glrlm") == {"COMPUTED"}


def test_an_outlier_of_a_billion_does_not_ask_for_a_billion_bins() -> None:
    image = uniform((16, 16, 16))
    image.array[6, 6, 6] = 1e9
    extraction = one(image, cube(image), PET)
    assert statuses(extraction, "original_shape") == {"COMPUTED"}
    assert statuses(extraction, "original_glcm") == {"OUT_OF_MEMORY"}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_lesion_may_be_too_small_only_after_resampling(engine: EngineName) -> None:
    image = uniform((16, 16, 16))
    labels = cube(image, 5)
    assert statuses(one(image, labels, PET, engine)) == {"COMPUTED"}
    extraction = one(image, labels, replace(PET, resampling=Resampling((8.0, 8.0, 8.0))), engine)
    assert statuses(extraction) == {"ROI_TOO_SMALL"}
    account = extraction.account
    assert account.n_voxels_segmented == 125
    assert account.n_voxels_resampled is not None
    assert 0 < account.n_voxels_resampled < 64
    assert account.n_voxels is None
    assert account.spacing_mm == (8.0, 8.0, 8.0)


@pytest.mark.parametrize("engine", ENGINES)
def test_undershoot_of_the_spline_is_set_to_zero_and_counted(engine: EngineName) -> None:
    """Beside a hot voxel a B-spline goes below zero; there is no negative uptake."""
    image = uniform((16, 16, 16))
    image.array[...] = 0.1
    image.array[5:8, 5:8, 5:8] = 40.0
    labels = cube(image, 9, 3)
    plain = replace(PET, resampling=Resampling((2.0, 2.0, 2.0)))
    lowest = {item.feature_name: item.value for item in one(image, labels, plain, engine).features}
    assert lowest["original_firstorder_Minimum"] < -1
    clipped = replace(PET, resampling=Resampling((2.0, 2.0, 2.0), minimum=0.0))
    extraction = one(image, labels, clipped, engine)
    values = {item.feature_name: item.value for item in extraction.features}
    assert values["original_firstorder_Minimum"] == 0
    assert extraction.account.n_voxels_below_minimum > 100
    assert clipped.feature_set_id != plain.feature_set_id


def test_both_engines_account_for_the_same_voxels() -> None:
    image = uniform((20, 20, 20))
    labels = cube(image, 7)
    feature_set = load_feature_set("sstr_pet")
    by_fast, by_reference = (one(image, labels, feature_set, engine) for engine in ENGINES)
    assert replace(by_reference.account, engine="fast") == by_fast.account
    expected = {item.feature_name: item.value for item in by_reference.features}
    assert {item.feature_name: item.value for item in by_fast.features} == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_line_has_too_few_dimensions() -> None:
    image = uniform((80, 8, 8))
    mask = np.zeros(image.array.shape, dtype=bool)
    mask[2:72, 3, 3] = True
    labels = Volume(Mask(mask, image.geometry).array.view(np.uint8), image.geometry)
    for engine in ENGINES:
        assert statuses(one(image, labels, PET, engine)) == {"ROI_TOO_FEW_DIMENSIONS"}


def test_an_image_too_small_for_a_filter() -> None:
    image = uniform((3, 16, 16))
    labels = np.zeros(image.array.shape, dtype=np.uint8)
    labels[:, 2:10, 2:10] = 1
    for engine in ENGINES:
        extraction = one(image, Volume(labels, image.geometry), FILTERED, engine)
        assert statuses(extraction, "log") == {"FILTER_NOT_APPLICABLE"}
        assert statuses(extraction, "original_glcm") == statuses(extraction, "wavelet") == {"COMPUTED"}
