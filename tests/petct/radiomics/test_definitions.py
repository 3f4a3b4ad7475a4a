"""What a feature is called and counted in, unfiltered and filtered."""

from __future__ import annotations

from petct.radiomics.definitions import ORIGINAL_FEATURES, definitions_of
from petct.radiomics.feature_set_files import load_feature_set
from tests.some import some

UNITS = {definition.feature_name: definition.unit for definition in ORIGINAL_FEATURES}


def test_every_unfiltered_feature_has_a_unit() -> None:
    assert all(UNITS.values())
    assert UNITS["original_firstorder_Mean"] == "image unit"
    assert UNITS["original_firstorder_Energy"] == "(image unit)2"
    assert UNITS["original_shape_SurfaceArea"] == "mm2"
    assert UNITS["original_firstorder_Skewness"] == UNITS["original_glcm_Contrast"] == "1"


def test_a_filtered_intensity_has_no_unit_and_a_shape_keeps_its_own() -> None:
    filtered = definitions_of(load_feature_set("fdg_pet_filtered"))
    units = {definition.feature_name: definition.unit for definition in filtered}
    images = {definition.image_type for definition in filtered} - {"original"}
    assert images
    for image in some(images):
        assert units[f"{image}_firstorder_Mean"] is None
        assert units[f"{image}_firstorder_Kurtosis"] == units[f"{image}_glrlm_RunEntropy"] == "1"
    assert units["original_shape_MeshVolume"] == "mm3"
    assert {d.ibsi_id for d in filtered if d.name == "Kurtosis"} == {"IPH6"}
