"""Every key of study.yaml has a meaning in the reference, and stands in the file that `petlake init` writes."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from pydantic import BaseModel, Field

from scripts.reference import study_keys
from scripts.reference.study_keys import Key, keys, keys_of
from tests.some import some

SENTENCES = re.compile(r"[A-Z`].*[^ ] .*\.$")
# Keys of an entry that is one word in the commented file.
ONE_WORD = {"feature_sets[].packaged", "feature_sets[].name", "feature_sets[].minimum_roi_voxels"}


def test_all_levels_are_found() -> None:
    paths = {key.path for key in keys()}

    assert len(paths) == len(keys())
    assert len(paths) > 70
    assert {"study.name", "suv.overrides.weight.unit", "endpoints.*.event", "masks.files[].labels"} <= paths


@pytest.mark.parametrize("key", keys(), ids=lambda key: key.path)
def test_a_key_has_a_meaning(key: Key) -> None:
    assert SENTENCES.match(key.description), key.description


def test_the_commented_file_names_every_key() -> None:
    files = resources.files("orchestration")
    text = "".join(
        (files / name).read_text("utf-8") for name in ("study_template.yaml", "study_template_clinical.yaml")
    )
    words = set(re.findall(r"[a-z_]+", text))

    missing = [key.path for key in keys() if re.split(r"\.|\[\]", key.path)[-1] not in words]
    assert set(missing) <= ONE_WORD


def test_the_page_shows_every_key_and_the_commented_file() -> None:
    page = study_keys.page()

    assert all(f"| `{key.path}` |" in page for key in some(keys()))
    assert "name: my-study" in page


class _Entry(BaseModel):
    size: int = Field(ge=0, description="Size of it.")


class _Model(BaseModel):
    entries: tuple[_Entry, ...] = ()
    named: dict[str, _Entry] = {}
    plain: bool = False


def test_entries_of_lists_and_names_of_ones_own_are_followed() -> None:
    assert [(key.path, key.takes, key.default, key.description) for key in keys_of(_Model)] == [
        ("entries", "list of section", "", ""),
        ("entries[].size", "whole number", "required", "Size of it."),
        ("named", "names, each with section", "", ""),
        ("named.*.size", "whole number", "required", "Size of it."),
        ("plain", "true or false", "`false`", ""),
    ]
