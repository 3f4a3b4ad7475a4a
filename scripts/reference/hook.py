"""MkDocs hook: the pages of the site that are derived from the code and from the files at the top of the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from scripts.reference import codes, commands, requests, study_keys
from scripts.reference.offline import loads_from_elsewhere

ROOT = Path(__file__).resolve().parent.parent.parent

# Files at the top of the repository that are pages of the site.
TOP = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}

WRITTEN = {
    "reference/commands.md": commands.page,
    "reference/study-yaml.md": study_keys.page,
    "reference/error-codes.md": codes.page,
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every decision into the navigation: their list is the folder."""
    decisions = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    nav: list[dict[str, Any]] = config.nav or []
    for entry in nav:
        if "Decisions" in entry:
            entry["Decisions"] = [entry["Decisions"], *(f"decisions/{name}" for name in decisions)]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files below docs/."""
    for name, page in TOP.items():
        files.append(File.generated(config, page, content=_as_page((ROOT / name).read_text("utf-8"))))
    for name, write in WRITTEN.items():
        files.append(File.generated(config, name, content=write()))
    files.append(File.generated(config, "favicon.svg", abs_src_path=str(ROOT / "dashboard" / "favicon.svg")))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the requests where a page wants them."""
    return markdown.replace(requests.MARK, requests.sections()) if requests.MARK in markdown else markdown


def on_post_build(config: MkDocsConfig) -> None:
    """Fail when the built pages load anything from another address."""
    found = loads_from_elsewhere(Path(config.site_dir))
    if found:
        raise PluginError("The site loads from another address: " + ", ".join(found))


def _as_page(text: str) -> str:
    """Turn the links of a file at the top of the repository into links of a page of the site."""
    text = re.sub(r"\]\(docs/", "](", text)
    for name, page in TOP.items():
        text = text.replace(f"]({name}", f"]({page}")
    return text
