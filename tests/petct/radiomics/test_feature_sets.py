"""Feature sets from YAML and from pyradiomics' parameter files; what cannot be meant is refused with its key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from petct.errors import FeatureError
from petct.radiomics.definitions import definitions_of, definitions_of_all
from petct.radiomics.feature_set_files import (
    load_feature_set,
    packaged_feature_sets,
    parse_feature_set,
    read_feature_set,
)
from petct.radiomics.feature_sets import Discretisation, ImageType, library_versions

PARAMETERS = """
setting:
  binWidth: 10
  resampledPixelSpacing: [1, 1, 0]
  interpolator: sitkLinear
  padDistance: 7
  minimumROISize: 99
  resegmentRange: [-3, 3]
  resegmentMode: sigma
  label: 1
  geometryTolerance: 0.001
imageType:
  Original: {}
  LoG: {sigma: [2.0, 4.0], binCount: 32}
featureClass:
  shape: [MeshVolume, Sphericity]
  glcm:
"""


@pytest.mark.parametrize("name", packaged_feature_sets())
def test_a_packaged_feature_set_is_complete(name: str) -> None:
    feature_set = load_feature_set(name)
    assert feature_set.name == name
    assert feature_set.minimum_roi_voxels == 64
    assert feature_set.modality == ("CT" if name.startswith("ct") else "PT")
    names = [definition.feature_name for definition in definitions_of(feature_set)]
    assert len(set(names)) == len(names)
    assert len(names) == (
        107 if not name.endswith("_filtered") else 107 + 93 * (len(feature_set.image_types[1].sigma_mm) + 8)
    )
    if feature_set.modality == "PT" and feature_set.resampling is not None:
        assert feature_set.resampling.minimum == 0
        width = feature_set.discretisation.bin_width
        assert width is not None
        assert width <= (1.0 if "sstr" in name else 0.5)


def test_two_feature_sets_share_their_definitions() -> None:
    first, second = load_feature_set("sstr_pet"), load_feature_set("sstr_pet_filtered")
    assert first.feature_set_id != second.feature_set_id
    assert definitions_of_all([first, second]) == definitions_of(second)


def test_the_id_is_that_of_settings_and_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    feature_set = load_feature_set("pet_original")
    assert replace(feature_set, description="other words").feature_set_id == feature_set.feature_set_id
    # An option of a filter that is not used changes nothing.
    assert replace(feature_set, image_types=(ImageType(level=3),)).feature_set_id == feature_set.feature_set_id
    others = [
        replace(feature_set, discretisation=Discretisation(bin_width=0.25)),
        replace(feature_set, discretisation=Discretisation(bin_count=64)),
        replace(feature_set, image_types=(ImageType("wavelet"),)),
        replace(feature_set, image_types=(ImageType("wavelet", level=2),)),
        replace(feature_set, minimum_roi_voxels=10),
        replace(feature_set, version=2),
    ]
    assert len({item.feature_set_id for item in (feature_set, *others)}) == 7
    before = feature_set.feature_set_id
    newer = {**library_versions(), "pyradiomics": "3.0.2"}
    monkeypatch.setattr("petct.radiomics.feature_sets.library_versions", lambda: newer)
    assert feature_set.feature_set_id != before


def test_a_parameter_file_of_pyradiomics_is_translated(tmp_path: Path) -> None:
    path = tmp_path / "exampleCT.yaml"
    path.write_text(PARAMETERS, encoding="utf-8")
    feature_set = read_feature_set(path, modality="CT", name=None)
    assert (feature_set.name, feature_set.modality) == ("exampleCT", "CT")
    assert feature_set.discretisation == Discretisation(bin_width=10)
    assert feature_set.resampling is not None
    assert feature_set.resampling.spacing_mm == (1.0, 1.0, 0.0)
    assert (feature_set.resampling.interpolator, feature_set.resampling.pad_voxels) == ("linear", 7)
    assert feature_set.resegmentation is not None
    assert (feature_set.resegmentation.range, feature_set.resegmentation.mode) == ((-3.0, 3.0), "sigma")
    # pyradiomics refuses a region of exactly that size, too.
    assert feature_set.minimum_roi_voxels == 100
    names = [definition.feature_name for definition in definitions_of(feature_set)]
    assert names[:2] == ["original_shape_MeshVolume", "original_shape_Sphericity"] or set(names[:2]) == {
        "original_shape_MeshVolume",
        "original_shape_Sphericity",
    }
    assert len(names) == 2 + 3 * 24
    log = feature_set.image_types[1]
    assert (log.name, log.sigma_mm, log.discretisation) == ("log", (2.0, 4.0), Discretisation(bin_count=32))


def test_a_parameter_file_does_not_say_its_modality(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(PARAMETERS, encoding="utf-8")
    with pytest.raises(FeatureError, match="modality") as refused:
        read_feature_set(path)
    assert refused.value.code == "FEATURE_SET_INVALID"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("setting: {binWdth: 5}", "setting.binWdth"),
        ("setting: {preCrop: true}\nimageType: {Wavelet: {}}", "setting.preCrop"),
        ("imageType: {LBP3D: {}}", "imageType.LBP3D"),
        ("imageType: {LoG: {sigma: [1], resampledPixelSpacing: [1, 1, 1]}}", "imageType.LoG.resampledPixelSpacing"),
        ("setting: {interpolator: sitkGaussians, resampledPixelSpacing: [1, 1, 1]}", "setting.interpolator"),
        ("setting: {}\nvoxelSetting: {kernelRadius: 2}", "voxelSetting.kernelRadius"),
        ("setting: {}\nsettings: {}", "settings"),
        ("setting: [binWidth]", "setting"),
        ("imageType: {Original: 5}", "imageType.Original"),
        ("featureClass: {glcm: Contrast}", "featureClass.glcm"),
    ],
)
def test_a_parameter_without_a_counterpart_is_refused_with_its_key(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FeatureError) as refused:
        read_feature_set(path, modality="PT")
    assert (refused.value.code, refused.value.keyword) == ("PARAMETER_NOT_SUPPORTED", key)
    assert "params.yaml" in refused.value.message


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"modality": "MR"}, "modality"),
        ({"discretisation": {}}, "discretisation"),
        ({"discretisation": {"bin_width": 1, "bin_count": 5}}, "discretisation"),
        ({"discretisation": {"bin_width": -1}}, "discretisation"),
        ({"image_types": {"wavelet": {"discretisation": {"bin_count": 0}}}}, "image_types.wavelet"),
        ({"resampling": {"spacing_mm": [1, 1]}}, "resampling.spacing_mm.2"),
        ({"resampling": {"spacing_mm": [0, 0, 0]}}, "resampling.spacing_mm"),
        ({"image_types": {"log": {}}}, "image_types.log.sigma_mm"),
        ({"image_types": ["laws"]}, "image_types.0.name"),
        ({"image_types": []}, "image_types"),
        ({"image_types": 5}, "image_types"),
        ({"resegmentation": {"range": []}}, "resegmentation.range"),
        ({"minimum_roi_voxels": 0}, "minimum_roi_voxels"),
        ({"bin_width": 1}, "bin_width"),
    ],
)
def test_a_feature_set_that_cannot_be_meant_is_refused_with_its_key(content: dict[str, object], key: str) -> None:
    with pytest.raises(FeatureError) as refused:
        parse_feature_set("mine", {"modality": "PT", "discretisation": {"bin_width": 1}, **content})
    assert (refused.value.code, refused.value.keyword) == ("FEATURE_SET_INVALID", key)


def test_a_name_is_one_that_tables_can_have() -> None:
    with pytest.raises(FeatureError, match="names tables"):
        parse_feature_set("my-set", {"modality": "PT", "discretisation": {"bin_width": 1}})


def test_a_feature_that_is_unknown_or_given_up_is_refused() -> None:
    content = {"modality": "PT", "discretisation": {"bin_width": 1}, "feature_classes": {"glcm": ["Dissimilarity"]}}
    with pytest.raises(FeatureError, match="FEATURE_UNKNOWN"):
        parse_feature_set("mine", content)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match="FEATURE_SET_FILE_MISSING"):
        read_feature_set(tmp_path / "none.yaml")
    path = tmp_path / "mine.yaml"
    for text in ("[", "just words"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(FeatureError, match="FEATURE_SET_NOT_YAML"):
            read_feature_set(path)
