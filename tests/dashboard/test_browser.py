"""The dashboard as a reader opens it: a server, a real browser, another feature, other curves."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from dashboard.data import SNAPSHOT_VARIABLE, STUDY_VARIABLE
from warehouse.catalog import current_id

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-gpu"]
_START_SECONDS = 60
_SHOWN_MS = 30_000
_CURVES = "() => [...document.querySelectorAll('.js-plotly-plot .xy path.js-line')].map(path => path.getAttribute('d'))"


@pytest.fixture
def address(study: Path, tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(REPOSITORY / "dashboard" / "server.py")]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port), "--server.headless", "true"]
    environment = {name: value for name, value in os.environ.items() if name != SNAPSHOT_VARIABLE}
    environment[STUDY_VARIABLE] = str(study)
    log_file = tmp_path / "streamlit.log"
    with (
        log_file.open("w") as log,
        subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log) as server,
    ):
        try:
            until = time.monotonic() + _START_SECONDS
            while not answers(f"http://127.0.0.1:{port}/_stcore/health"):
                assert server.poll() is None, log_file.read_text()
                assert time.monotonic() < until, log_file.read_text()
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)
    assert "Traceback" not in log_file.read_text()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def page() -> Iterator[Page]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on PATH (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser.new_page(viewport={"width": 1280, "height": 1400})
        browser.close()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_test_id("stSelectbox").filter(has_text=label).get_by_role("combobox").click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.mark.browser
def test_another_feature_changes_the_curves(page, address, study):
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    # By the link of a page: the browser must not look for the server below it.
    page.goto(f"{address}/cox")
    page.get_by_role("link", name="Survival").click()
    expect(page.get_by_role("heading", name="Tumour volume, median split")).to_be_visible(timeout=_SHOWN_MS)
    page.wait_for_selector(".js-plotly-plot .xy path.js-line", timeout=_SHOWN_MS)
    before = page.evaluate(_CURVES)
    assert len(before) >= 2

    choose(page, "From", "pet_original, largest")
    expect(page.get_by_role("heading", name="Tumour volume")).to_have_count(0, timeout=_SHOWN_MS)
    # The menu of the next selectbox must not open while the page is drawn anew.
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=_SHOWN_MS)
    choose(page, "Split by", "original_glcm_JointEntropy")
    expect(page.get_by_role("heading", name="original_glcm_JointEntropy, median split")).to_be_visible(
        timeout=_SHOWN_MS
    )
    expect(page.get_by_text("Exploratory").first).to_be_visible(timeout=_SHOWN_MS)
    page.wait_for_function(
        f"before => JSON.stringify(({_CURVES})()) !== before", arg=compact(before), timeout=_SHOWN_MS
    )
    assert len(page.evaluate(_CURVES)) >= 2

    snapshot_id = current_id(study / "lake")
    expect(page.get_by_test_id("stMain").get_by_text(snapshot_id[:12])).to_be_visible()
    assert f"snapshot={snapshot_id[:12]}" in page.url
    assert "variable=original_glcm_JointEntropy" in page.url
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_test_id("stAlert").count() == 0
    assert not complaints


def compact(curves: list[str]) -> str:
    """As JavaScript's JSON.stringify writes them."""
    return "[" + ",".join(f'"{curve}"' for curve in curves) + "]"
