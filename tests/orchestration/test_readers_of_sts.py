"""Readers of a study that is being computed and published: never an error, never half a patient."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect, sync_playwright

from orchestration.publication import publish
from orchestration.study import load_study
from tests.command_line import PETLAKE
from tests.dashboard.browsing import SHOWN_MS
from tests.orchestration.sts_study import SMALL, Petlake, query
from tests.servers import serving

PAGES = ("", "survival", "cox", "pca")
BROWSER = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-gpu"]
# Between two publications, questions or pages, or half as long as the last one took: without it they would only keep
# the computation from its cores.
PAUSE_S = 0.5
# The longer they take, the more is published and read meanwhile: two publications, three answers and four pages do.
CHANGED = SMALL[:3]
QUESTION = (
    "SELECT count(*) AS patients, count(*) FILTER (l.organ = 'thigh') AS changed, "
    "count(*) FILTER (f.n IS DISTINCT FROM 214 OR m.region IS DISTINCT FROM l.organ) AS halves "
    "FROM patients "
    "LEFT JOIN (SELECT patient_id, count(*) AS n FROM radiomic_features GROUP BY 1) f USING (patient_id) "
    "LEFT JOIN (SELECT patient_id, region FROM pet_metrics WHERE grain = 'organ') m USING (patient_id) "
    "LEFT JOIN (SELECT patient_id, organ FROM lesions WHERE modality = 'PT') l USING (patient_id)"
)


@dataclass
class Seen:
    """What was published and what the readers saw meanwhile."""

    published: list[str] = field(default_factory=list)
    answers: list[dict[str, object]] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)
    """The name of each page that was opened, with what was wrong on it."""
    afterwards: list[dict[str, object]] = field(default_factory=list)


@pytest.fixture(scope="module")
def seen(sts: Path, petlake_process: Petlake, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A study whose lesions are computed again under another name of their organ, published over and over meanwhile.

    `petlake materialize` and a loop of `petlake sql` are programs of their own; an open dashboard goes from page to
    page. What a loop raises fails the test.
    """
    study = tmp_path_factory.mktemp("readers") / "study"
    shutil.copytree(sts, study)
    study_file = study / "study.yaml"
    masks = 'masks: {tumour: ["GTV_Mass*"]'
    text = study_file.read_text(encoding="utf-8")
    assert masks in text
    study_file.write_text(text.replace(masks, masks + ", elsewhere: thigh"), encoding="utf-8")
    found, ended = Seen(), threading.Event()

    def materialize() -> None:
        try:
            petlake_process("materialize", "--study", study, "--patients", ",".join(CHANGED))
        finally:
            ended.set()

    def turns() -> Iterator[None]:
        pause_s = PAUSE_S
        while not ended.wait(pause_s):
            before = time.monotonic()
            yield
            pause_s = max(PAUSE_S, (time.monotonic() - before) / 2)

    def publish_on() -> None:
        settings = load_study(study)
        for _ in turns():
            found.published.append(publish(settings).snapshot_id)

    def ask_on() -> None:
        for _ in turns():
            found.answers += query(petlake_process, study, QUESTION)

    with open_page(study) as visit, ThreadPoolExecutor() as pool:
        loops = [pool.submit(loop) for loop in (materialize, publish_on, ask_on)]
        for _ in turns():
            found.visits.append(visit(PAGES[len(found.visits) % len(PAGES)]))
        for page in PAGES[len(found.visits) :]:
            found.visits.append(visit(page))
        for loop in loops:
            loop.result()
    publish(load_study(study))
    found.afterwards = query(petlake_process, study, QUESTION)
    return found


@contextmanager
def open_page(study: Path) -> Iterator[Callable[[str], str]]:
    """A browser on the dashboard, where there is one: a function that visits a page."""
    chromium = shutil.which("chromium")
    if chromium is None:
        yield lambda path: path
        return
    dashboard = serving(PETLAKE, "dashboard", "--study", study, log=study.parent / "dashboard.log")
    with dashboard as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER)
        page = browser.new_page()
        page.set_default_timeout(SHOWN_MS)
        yield lambda path: path + complaint_of(page, f"{address}/{path}")
        browser.close()


def complaint_of(page: Page, address: str) -> str:
    """What is wrong on a page: nothing, or a text."""
    try:
        page.goto(address)
        expect(page.get_by_test_id("stSidebar")).to_contain_text("20 patients", timeout=SHOWN_MS)
        expect(page.get_by_test_id("stException")).to_have_count(0)
    except (AssertionError, Error) as error:
        return f": {error}"
    return ""


def test_the_study_was_published_over_and_over_while_it_changed(seen: Seen) -> None:
    assert len(seen.published) > 1
    assert seen.afterwards == [{"patients": 20, "changed": len(CHANGED), "halves": 0}]


def test_sql_never_sees_an_error_or_half_a_patient(seen: Seen) -> None:
    assert len(seen.answers) > 2
    assert {(row["patients"], row["halves"]) for row in seen.answers} == {(20, 0)}


@pytest.mark.browser
def test_an_open_dashboard_never_sees_an_error(seen: Seen) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("no chromium: apt-get install chromium")
    assert len(seen.visits) >= len(PAGES)
    assert set(seen.visits) == set(PAGES)
