"""Whether a built site loads anything from another address: it must be readable without a network."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

_LOADED = {"img", "script", "iframe", "source", "video", "audio", "embed", "object"}
_LINKS_LOADED = {"stylesheet", "icon", "preconnect", "dns-prefetch", "preload", "prefetch", "manifest", "modulepreload"}
_ELSEWHERE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_CSS = re.compile(r"(?:@import\s*|url\(\s*)[\"']?((?:https?:)?//[^\"')]+)", re.IGNORECASE)


def loads_from_elsewhere(site: Path) -> list[str]:
    """Return what the pages and style sheets below ``site`` load from another address, as ``file: address``."""
    found = []
    for path in sorted(site.rglob("*")):
        if path.suffix == ".html":
            parser = _Loads()
            parser.feed(path.read_text("utf-8"))
            addresses = parser.addresses
        elif path.suffix == ".css":
            addresses = _CSS.findall(path.read_text("utf-8"))
        else:
            continue
        found += [f"{path.relative_to(site).as_posix()}: {address}" for address in addresses]
    return found


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        address = ""
        if tag in _LOADED:
            address = values.get("src") or values.get("data") or ""
        elif tag == "link" and _LINKS_LOADED & set(values.get("rel", "").split()):
            address = values.get("href", "")
        if _ELSEWHERE.match(address):
            self.addresses.append(address)
        self.addresses += _CSS.findall(values.get("style", ""))
        # The theme fetches this diagram library from a content network as soon as a page has such a diagram.
        if "mermaid" in values.get("class", "").split():
            self.addresses.append("the library of mermaid diagrams")
