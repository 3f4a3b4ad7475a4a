"""Features equal pyradiomics called on the whole image; where there is no value there is a reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import radiomics
from radiomics import featureextractor

from petct.errors import FeatureError
from petct.image.volume import Geometry, Mask, Volume, to_sitk
from petct.radiomics.definitions import ORIGINAL_FEATURES
from petct.radiomics.engines import compute_features
from petct.radiomics.feature_set_files import load_feature_set, packaged_feature_sets
from petct.radiomics.feature_sets import Discretisation
from tests.some import some

GRID = Geometry((24, 30, 28), (3.0, 2.0, 4.0), (-50.0, 20.0, 300.0))
PET = load_feature_set("pet_original")


def phantom(radius: float, centre: tuple[float, float, float] = (12, 15, 14)) -> tuple[Volume, Mask]:
    rng = np.random.default_rng(7)
    array = rng.gamma(4.0, 1.5, GRID.shape).astype(np.float32)
    index = np.indices(GRID.shape).reshape(3, -1).T
    inside = (np.linalg.norm(index - np.array(centre), axis=1) <= radius).reshape(GRID.shape)
    return Volume(array, GRID), Mask(inside, GRID)


@pytest.mark.parametrize("centre", [(12, 15, 14), (3, 3, 3), (22, 28, 26)])
def test_every_value_equals_pyradiomics_on_the_whole_image(centre: tuple[int, int, int]) -> None:
    image, mask = phantom(4.5, centre)
    extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=0.5, additionalInfo=False)
    expected = extractor.execute(to_sitk(image.array, GRID), to_sitk(mask.array, GRID))
    values = {feature.feature_name: feature.value for feature in compute_features(image, mask, PET)}
    assert values == pytest.approx({name: float(value) for name, value in expected.items()}, rel=1e-9)


def test_the_definitions_are_pyradiomics_own_107_features() -> None:
    classes = {name: kind for name, kind in radiomics.getFeatureClasses().items() if name != "shape2D"}
    names = {
        f"original_{kind}_{name}"
        for kind, features in classes.items()
        for name, deprecated in features.getFeatureNames().items()
        if not deprecated
    }
    assert {definition.feature_name for definition in ORIGINAL_FEATURES} == names
    assert len(ORIGINAL_FEATURES) == 107


def test_a_lesion_below_64_voxels_has_a_reason_instead_of_values() -> None:
    image, mask = phantom(2.0)
    assert 1 < np.count_nonzero(mask.array) < 64
    features = compute_features(image, mask, PET)
    assert len(features) == 107
    assert {(feature.value, feature.status) for feature in features} == {(None, "ROI_TOO_SMALL")}


def test_a_flat_region_gives_finite_values_or_reasons() -> None:
    _image, mask = phantom(4.5)
    features = compute_features(Volume(np.full(GRID.shape, 3.0, dtype=np.float32), GRID), mask, PET)
    for feature in some(features):
        assert (feature.value is None) == (feature.status != "COMPUTED")
        assert feature.value is None or np.isfinite(feature.value)


def test_a_lesion_with_voxels_that_are_not_numbers_has_its_shape_and_a_reason_for_the_rest() -> None:
    image, mask = phantom(4.5)
    array = image.array.copy()
    array[12, 15, 14] = np.nan
    features = compute_features(Volume(array, GRID), mask, PET)
    assert {f.status for f in features if "_shape_" in f.feature_name} == {"COMPUTED"}
    assert {f.status for f in features if "_shape_" not in f.feature_name} == {"IMAGE_NOT_FINITE"}


def test_the_id_of_a_feature_set_is_its_settings() -> None:
    assert {"ct_original", "pet_original", "sstr_pet", "fdg_pet", "ct_soft_tissue"} < set(packaged_feature_sets())
    assert replace(PET, description="other words").feature_set_id == PET.feature_set_id
    assert replace(PET, discretisation=Discretisation(bin_width=0.25)).feature_set_id != PET.feature_set_id
    with pytest.raises(FeatureError, match="FEATURE_SET_UNKNOWN"):
        load_feature_set("pet_orignal")
