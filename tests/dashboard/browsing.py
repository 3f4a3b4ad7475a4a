"""A reader's browser in the tests: a server, pages whose complaints are kept, and the ways to act on them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboard.data import SNAPSHOT_VARIABLE, STUDY_VARIABLE
from tests.servers import serving

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-gpu"]
# What is never shown is waited for so long; a busy machine takes a minute for a page.
SHOWN_MS = 300_000
_SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
_NO_SKELETON = "() => !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')"


def served(study: Path, log_file: Path) -> AbstractContextManager[str]:
    """Run the dashboard of a study until the block ends; its address. Its log may hold no traceback."""
    environment = {name: value for name, value in os.environ.items() if name != SNAPSHOT_VARIABLE}
    return serving(
        *(sys.executable, "-m", "streamlit", "run", REPOSITORY / "dashboard" / "server.py"),
        *("--server.address", "127.0.0.1", "--server.headless", "true"),
        port_option="--server.port",
        log=log_file,
        environment={**environment, STUDY_VARIABLE: str(study)},
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; the test is skipped where there is none."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on PATH (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Reader:
    """One reader with a session of its own, and what the browser complained about."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, link: str = "") -> None:
        """Open a page by its link, and wait until it is drawn."""
        self.page.goto(f"{self.address}/{link}")
        expect(self.page.get_by_test_id("stSidebar")).to_contain_text("patients", timeout=SHOWN_MS)
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run and nothing on the page is of the run before."""
        self.page.wait_for_selector(_SETTLED, timeout=SHOWN_MS)
        self.page.wait_for_function(_NO_SKELETON, timeout=SHOWN_MS)

    def choose(self, label: str, option: str) -> None:
        """Choose in a selectbox, when the page is drawn: a menu must not open while it is drawn anew."""
        self.settle()
        self.page.get_by_test_id("stSelectbox").filter(has_text=label).get_by_role("combobox").first.click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def sees(self, text: str) -> None:
        """Wait for a text in the main part of the page."""
        expect(self.page.get_by_test_id("stMain").get_by_text(text).first).to_be_visible(timeout=SHOWN_MS)

    def download(self, name: str) -> bytes:
        """What the button of this name gives."""
        with self.page.expect_download(timeout=SHOWN_MS) as waiting:
            self.page.get_by_role("button", name=name, exact=True).first.click()
        return Path(waiting.value.path()).read_bytes()

    def check(self) -> None:
        """Neither a traceback on the page nor an error in the console."""
        assert self.page.get_by_test_id("stException").count() == 0
        assert not self.complaints


def reader(browser: Browser, address: str, *, dark: bool = False) -> Reader:
    """A reader in a context of its own: no cookie and no cache is shared."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 1400}, color_scheme="dark" if dark else "light", accept_downloads=True
    )
    context.set_default_timeout(SHOWN_MS)
    found = Reader(context.new_page(), address)
    found.page.on("console", lambda said: found.complaints.append(said.text) if said.type == "error" else None)
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    return found
