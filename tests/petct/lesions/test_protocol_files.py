"""A user's own protocol: read as the packaged ones are, and refused with the key that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from petct.errors import MaskError
from petct.lesions.protocol import OrganThreshold
from petct.lesions.protocol_files import load_protocol, packaged_protocols, read_protocol
from petct.lesions.thresholds import FixedThreshold, ReferenceThreshold

OWN = """
version: 1
description: SUV of at least 5 outside the spleen.
search: image
threshold: {fixed: {suv: 5}}
within_organs: {liver: {reference: {region: liver, mean_factor: 2, sd_factor: 0}}}
exclude: [spleen]
connectivity: 18
minimum_volume_ml: 1
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_the_protocol_that_it_says(tmp_path: Path) -> None:
    protocol = read_protocol(written(tmp_path, OWN))
    assert (protocol.name, protocol.connectivity, protocol.exclude) == ("own", 18, ("spleen",))
    assert protocol.threshold == FixedThreshold(5)
    assert protocol.within_organs == (OrganThreshold("liver", ReferenceThreshold("liver", 2, 0)),)
    assert protocol.protocol_id.startswith("own-")


@pytest.mark.parametrize("region", ["spleen", "aorta"])
def test_a_threshold_may_be_relative_to_the_spleen_or_the_blood_pool(region: str, tmp_path: Path) -> None:
    text = OWN.replace("{fixed: {suv: 5}}", f"{{reference: {{region: {region}, mean_factor: 2, sd_factor: 2}}}}")
    assert read_protocol(written(tmp_path, text)).threshold == ReferenceThreshold(region, 2, 2)


def test_the_packaged_protocols_keep_the_ids_that_were_published_with() -> None:
    assert {name: load_protocol(name).protocol_id.removeprefix(f"{name}-") for name in packaged_protocols()} == {
        "contours": "be5fb79a",
        "liver_percist": "ee68ac84",
        "percent_40": "b06cd4e5",
        "percent_41": "94c52d99",
        "percent_45": "a910aa39",
        "percent_50": "03103d5d",
        "percent_60": "743e9a38",
        "suv_3": "fc432cef",
        "suv_3_in_contours": "1a14af37",
        "suv_4": "07983786",
        "suv_4_in_contours": "5405c4bc",
    }


@pytest.mark.parametrize(
    ("old", "new", "keyword"),
    [
        ("minimum_volume_ml", "minimum_volume", "minimum_volume"),
        ("connectivity: 18", "connectivity: 8", "connectivity"),
        ("suv: 5", "suv: -5", "threshold.fixed.suv"),
        ("suv: 5", "suv: .nan", "threshold.fixed.suv"),
        ("fixed: {suv: 5}", "share_of_maximum: {share: 41}", "threshold.share_of_maximum.share"),
        ("{fixed: {suv: 5}}", "{fixed: {suv: 5}, share_of_maximum: {share: 0.4}}", "threshold"),
        ("{fixed: {suv: 5}}", "{}", "threshold"),
        ("region: liver,", "region: heart,", "within_organs.liver.reference.region"),
        ("exclude: [spleen]", "exclude: spleen", "exclude"),
        ("version: 1", "", "version"),
        ("threshold: {fixed: {suv: 5}}", "threshold: {share_of_maximum: {share: 0.4}}", "own"),
    ],
)
def test_what_is_wrong_is_refused_with_its_key(old: str, new: str, keyword: str, tmp_path: Path) -> None:
    assert old in OWN
    with pytest.raises(MaskError) as refused:
        read_protocol(written(tmp_path, OWN.replace(old, new)))
    assert (refused.value.code, refused.value.keyword) == ("PROTOCOL_INVALID", keyword)


@pytest.mark.parametrize("text", ["version: [1", "- a\n- b\n", ""])
def test_what_is_not_yaml_settings_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(MaskError, match="PROTOCOL_NOT_YAML"):
        read_protocol(written(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaskError, match="PROTOCOL_FILE_MISSING"):
        read_protocol(tmp_path / "absent.yaml")
