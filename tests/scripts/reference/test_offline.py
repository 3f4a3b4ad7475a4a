from __future__ import annotations

from pathlib import Path

import pytest

from scripts.reference.offline import loads_from_elsewhere


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<link rel="stylesheet" href="https://fonts.example/css?family=Roboto">'),
        ("a.html", '<link rel="preconnect" href="//fonts.example">'),
        ("a.html", '<script src="//cdn.example/library.js"></script>'),
        ("a.html", '<img src="https://badges.example/build.svg">'),
        ("a.html", '<div style="background: url(https://images.example/a.png)"></div>'),
        ("a.html", '<pre class="mermaid"><code>graph TD</code></pre>'),
        ("a.css", '@import "https://fonts.example/a.css";'),
        ("a.css", "p {background: url('//images.example/a.png')}"),
    ],
)
def test_what_a_page_loads_from_another_address_is_found(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    assert [found.split(":")[0] for found in loads_from_elsewhere(tmp_path)] == [name]


def test_links_to_other_pages_and_files_of_the_site_are_no_loads(tmp_path: Path) -> None:
    page = '<a href="https://doi.example/10.1">paper</a> <script src="../a.js"></script> <link rel="icon" href="a.svg">'
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    (tmp_path / "a.css").write_text("p {background: url(a.png)}", encoding="utf-8")

    assert loads_from_elsewhere(tmp_path) == []
