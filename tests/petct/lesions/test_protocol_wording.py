"""The rules of protocols in plain words hold every number of their settings."""

from __future__ import annotations

import re

import pytest

from petct.lesions.protocol import protocol_record
from petct.lesions.protocol_files import load_protocol, packaged_protocols
from petct.lesions.protocol_wording import protocol_in_words


def words(name: str) -> str:
    return " ".join(protocol_in_words(protocol_record(load_protocol(name)).settings_json))


def test_contours_are_the_lesions() -> None:
    assert words("contours") == (
        "The contours are the lesions as they were drawn; no threshold is applied. "
        "Voxels that touch by faces, edges or corners are one lesion."
    )


def test_a_share_of_the_maximum_is_that_of_each_part_of_the_contours() -> None:
    assert "inside the contours: voxels with at least 41 % of the largest SUV of each connected part" in words(
        "percent_41"
    )


def test_a_search_of_the_whole_image_says_what_it_excludes() -> None:
    found = words("suv_4")
    assert found.startswith("Searched in the whole image: voxels with an SUV of at least 4. In liver: voxels with")
    assert "1.5 x mean + 2 x SD of healthy liver" in found
    assert "within 8 mm of them" in found
    assert "spleen, stomach, thyroid." in found
    assert "*" not in found
    assert found.endswith("Components below 0.5 ml are not lesions.")


@pytest.mark.parametrize("name", packaged_protocols())
def test_every_packaged_protocol_has_words_with_the_numbers_of_its_name(name: str) -> None:
    assert set(re.findall(r"\d+", name)) <= set(re.findall(r"\d+", words(name)))
    assert len(words(name).split()) > 5
