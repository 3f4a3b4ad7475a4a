"""The reference of codes: each code that the source gives has a sentence."""

from __future__ import annotations

import re

from scripts.reference import codes
from tests.some import some


def test_every_code_is_explained() -> None:
    said = {use.code for use in codes.uses() if use.sentences}
    silent = {use.code for use in codes.uses()} - said
    assert len(said) > 400
    assert silent == set(codes.MEANINGS)


def test_every_code_has_a_row_on_the_page() -> None:
    # A page without rows would have everything.
    rows = dict(
        re.findall(r"^\| <span id=\"[a-z0-9_]+\">`([A-Z0-9_]+)`</span> \| (.*) \|$", codes.page(), re.MULTILINE)
    )
    assert set(rows) == {use.code for use in codes.uses()}
    for code, meaning in some(rows.items()):
        assert re.match(r"\S+ \S", meaning), code
