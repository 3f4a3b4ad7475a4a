"""What pages say: the sentences and labels of a page live in one file, ``golden/PAGE.md``; `make wording` writes them.

A test that is about words compares the page with a section of its file; every other test looks at numbers, codes and
choices. So wording can change at one place, and a change of it is seen as a whole.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

FOLDER = Path(__file__).parent / "golden"
_SECTION = re.compile(r"^## ([^\n]*)\n\n(.*?)\n*(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
# What another commit, other numbers or the tests run before it change.
_CHANGES = (
    (re.compile(r"\b[0-9a-f]{12,}\b"), "ID"),
    (re.compile(r"petlake \d[\w.+]*"), "petlake VERSION"),
    (re.compile(r"[\d,]+ tests? run on this snapshot so far.*"), "N tests run on this snapshot so far"),
)
_TEXTS = {"title", "header", "subheader", "markdown", "caption", "info", "success", "warning", "error", "code"}


def same_wording(app: AppTest, page: str, view: str) -> None:
    """Assert that the main part of a page says what its file says under the name of this view."""
    path = FOLDER / f"{page}.md"
    lines = list(_said(app.main))
    titles = [i for i, line in enumerate(lines) if line.startswith("[title]")]
    # The filter stands above the title of every page.
    said = "\n".join(lines[titles[0] if titles and page != "filter" else 0 :])
    for changing, name in _CHANGES:
        said = changing.sub(name, said)
    sections = dict(_SECTION.findall(path.read_text("utf-8"))) if path.exists() else {}
    if os.environ.get("PETLAKE_WORDING") == "write":
        sections[view] = said
        parts = [f"## {name}\n\n{text.strip()}\n" for name, text in sorted(sections.items())]
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"# What the page {page} says\n\n" + "\n".join(parts), "utf-8")
        return
    other = difflib.unified_diff(
        sections.get(view, "").splitlines(), said.strip().splitlines(), "expected", "said", n=0
    )
    differences = "\n".join(other)
    assert not differences, f"{page}, {view}: if the words are meant to be these, run `make wording`\n{differences}"


def _said(block: Any) -> Iterator[str]:
    for element in block.children.values():
        if hasattr(element, "children"):
            label = getattr(element, "label", None)
            if label:
                yield f"[{element.type}] {label}"
            yield from _said(element)
        elif element.type in _TEXTS:
            text = _STYLE.sub("", str(element.value)).strip()
            if text:
                yield f"[{element.type}] {text}"
        elif label := getattr(element, "label", None):
            hint = getattr(element, "help", None) or getattr(element.proto, "help", "")
            yield f"[{element.type}] {label}" + (f" ({hint})" if hint else "")
