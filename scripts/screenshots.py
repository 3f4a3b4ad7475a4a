"""Take the pictures of the documentation: every page of the dashboard, and the asset graph of the Dagster UI.

    .venv/bin/python scripts/screenshots.py --study DIR

DIR is a study with a published snapshot, for example the one that `make demo` leaves in ./demo. Needs Chromium (Debian:
apt-get install chromium). Whatever cannot be taken ends the script with an error; nothing is skipped.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

from warehouse.registry.tables import TABLES

REPOSITORY = Path(__file__).resolve().parent.parent
IMAGES = REPOSITORY / "docs" / "images"
# The first page of the navigation is that of the bare address.
PAGES = {
    path.parent.name: "" if path.parent.name == "study" else path.parent.name
    for path in sorted((REPOSITORY / "dashboard").glob("*/page.py"))
}
# Ending of the file's name, and the colours that the reader's system asks for.
SCHEMES: tuple[tuple[str, Literal["light", "dark"]], ...] = (("", "light"), ("-dark", "dark"))
CHROMIUM_ARGUMENTS = ("--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-gpu")

_WIDTH = 1280
_GRAPH_WIDTH = 1800
_GRAPH_MARGIN = 300
_ASSETS_RECTANGLE = """() => {
    const boxes = [...document.querySelectorAll('foreignObject')].map(element => element.getBoundingClientRect());
    return [
        Math.min(...boxes.map(box => box.left)), Math.min(...boxes.map(box => box.top)),
        Math.max(...boxes.map(box => box.right)), Math.max(...boxes.map(box => box.bottom)),
    ];
}"""
_START_SECONDS = 180
_DRAWN_MS = 60_000


def main() -> None:
    """Take all pictures, or end with the reason why one cannot be taken."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--study", type=Path, required=True, help="study folder with a published snapshot")
    parser.add_argument("--images", type=Path, default=IMAGES, help="folder to write to (default: docs/images)")
    parser.add_argument("--only", choices=("dashboard", "asset-graph"), help="take only these")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("screenshots: chromium is not on PATH; on Debian: apt-get install chromium")
    if not (arguments.study / "study.yaml").is_file():
        sys.exit(f"screenshots: there is no study.yaml in {arguments.study}; make demo makes a study in ./demo")
    arguments.images.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        if arguments.only != "asset-graph":
            dashboard_pictures(browser, arguments.study, arguments.images)
        if arguments.only != "dashboard":
            asset_graph_picture(browser, arguments.study, arguments.images)
        browser.close()


def dashboard_pictures(browser: Browser, study: Path, images: Path) -> None:
    """Write ``dashboard-<page>.png`` and ``dashboard-<page>-dark.png`` of every page, in its full length."""
    with serving("dashboard", study, "/_stcore/health") as address:
        for (name, path), (ending, scheme) in itertools.product(PAGES.items(), SCHEMES):
            page = browser.new_page(viewport={"width": _WIDTH, "height": 900}, color_scheme=scheme)
            page.goto(f"{address}/{path}")
            page.wait_for_selector("[data-testid=stSidebar] [data-testid=stSelectbox]", timeout=_DRAWN_MS)
            wait_until_drawn(page)
            # Streamlit scrolls inside the window: the window becomes as high as the page is long.
            height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
            page.set_viewport_size({"width": _WIDTH, "height": int(height)})
            wait_until_drawn(page)
            save(page, images / f"dashboard-{name}{ending}.png")
            page.close()


def wait_until_drawn(page: Page) -> None:
    """Wait until the script has run and the figures stand still."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=_DRAWN_MS)
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')", timeout=_DRAWN_MS)
    page.wait_for_timeout(1500)


def asset_graph_picture(browser: Browser, study: Path, images: Path) -> None:
    """Write ``asset-graph.png``: the global asset lineage of the Dagster UI, all groups expanded."""
    groups = sorted({table.group for table in TABLES.values()})
    expanded = urllib.parse.quote(",".join(f"global@global:{group}" for group in groups))
    with serving("ui", study, "/server_info") as address:
        page = browser.new_page(viewport={"width": _GRAPH_WIDTH, "height": 1000})
        page.goto(f"{address}/asset-groups?expanded={expanded}")
        wait_for_graph(page)
        # Asked once by a new DAGSTER_HOME.
        skip = page.get_by_role("button", name="Skip")
        if skip.count():
            skip.click()
        page.get_by_text("Hide navigation").click()
        page.reload()
        wait_for_graph(page)
        # The graph fits the width of the window, which is then made as high as the graph.
        heights = page.evaluate("[...document.querySelectorAll('svg')].map(svg => svg.getBoundingClientRect().height)")
        page.set_viewport_size({"width": _GRAPH_WIDTH, "height": int(max(heights)) + _GRAPH_MARGIN})
        page.reload()
        wait_for_graph(page)
        left, top, right, bottom = page.evaluate(_ASSETS_RECTANGLE)
        clip: FloatRect = {"x": left - 25, "y": top - 25, "width": right - left + 50, "height": bottom - top + 50}
        save(page, images / "asset-graph.png", clip)
        page.close()


def wait_for_graph(page: Page) -> None:
    """Wait until the assets are laid out, and their states are there."""
    page.wait_for_selector("foreignObject", timeout=_DRAWN_MS)
    page.get_by_text("radiomic_features").first.wait_for(timeout=_DRAWN_MS)
    page.wait_for_timeout(3000)


def save(page: Page, path: Path, clip: FloatRect | None = None) -> None:
    """Write what the window, or a part of it, shows, and say so."""
    page.screenshot(path=path, clip=clip)
    sys.stdout.write(f"{path}\n")


@contextmanager
def serving(command: str, study: Path, health: str) -> Iterator[str]:
    """Run ``petlake <command>`` on a free port until the block ends; the address once it answers at ``health``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            petlake(command, study, port), cwd=REPOSITORY, stdout=log, stderr=log, start_new_session=True
        )
        try:
            until = time.monotonic() + _START_SECONDS
            while not answers(address + health):
                if process.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    sys.exit(f"screenshots: petlake {command} does not answer:\n{log.read()[-3000:]}")
                time.sleep(0.5)
            yield address
        finally:
            # The whole group: the Dagster UI is a daemon, a web server and a code server.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                try:
                    process.wait(timeout=30)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)


def petlake(command: str, study: Path, port: int) -> Sequence[str]:
    """Return the command line that starts a server."""
    return [
        *(sys.executable, "-c", "from orchestration.cli import main; main()", command),
        *("--study", str(study.resolve()), "--host", "127.0.0.1", "--port", str(port)),
    ]


def answers(address: str) -> bool:
    """Whether a server answers at ``address``."""
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main()
