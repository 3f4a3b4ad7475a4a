"""Readers of a study that is being computed and published: never an error, never half a patient."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.orchestration.sts_study import SMALL, Petlake, query


@pytest.fixture
def changing(sts: Path, petlake: Petlake, tmp_path: Path) -> Iterator[tuple[Path, threading.Event, ThreadPoolExecutor]]:
    """A study whose lesions are computed again under another name of their organ, published over and over meanwhile.

    The test adds loops to the pool that run until the event is set; what they raise fails it.
    """
    study = tmp_path / "study"
    shutil.copytree(sts, study)
    study_file = study / "study.yaml"
    masks = 'masks: {tumour: ["GTV_Mass*"]'
    text = study_file.read_text(encoding="utf-8")
    assert masks in text
    study_file.write_text(text.replace(masks, masks + ", elsewhere: thigh"), encoding="utf-8")
    ended = threading.Event()

    def publish() -> None:
        while not ended.is_set():
            petlake("snapshot", "publish", "--study", study)

    def materialize() -> None:
        try:
            petlake("materialize", "--study", study, "--patients", ",".join(SMALL))
        finally:
            ended.set()

    with ThreadPoolExecutor() as pool:
        loops = [pool.submit(publish), pool.submit(materialize)]
        yield study, ended, pool
        for loop in loops:
            loop.result()


def test_sql_never_sees_an_error_or_half_a_patient(
    changing: tuple[Path, threading.Event, ThreadPoolExecutor], petlake: Petlake
) -> None:
    study, ended, _ = changing
    question = (
        "SELECT count(*) AS patients, count(*) FILTER (l.organ = 'thigh') AS changed, "
        "count(*) FILTER (f.n IS DISTINCT FROM 214 OR m.region IS DISTINCT FROM l.organ) AS halves "
        "FROM patients "
        "LEFT JOIN (SELECT patient_id, count(*) AS n FROM radiomic_features GROUP BY 1) f USING (patient_id) "
        "LEFT JOIN (SELECT patient_id, region FROM pet_metrics WHERE grain = 'organ') m USING (patient_id) "
        "LEFT JOIN (SELECT patient_id, organ FROM lesions WHERE modality = 'PT') l USING (patient_id)"
    )
    seen = []
    while not ended.is_set():
        (row,) = query(petlake, study, question)
        seen.append(row)
    assert len(seen) > 3
    assert {(row["patients"], row["halves"]) for row in seen} == {(20, 0)}
    petlake("snapshot", "publish", "--study", study)
    (after,) = query(petlake, study, question)
    assert after == {"patients": 20, "changed": len(SMALL), "halves": 0}


@pytest.mark.browser
def test_an_open_dashboard_never_sees_an_error(
    changing: tuple[Path, threading.Event, ThreadPoolExecutor], serve: Callable[..., object]
) -> None:
    study, ended, _ = changing
    chromium = shutil.which("chromium")
    if chromium is None:
        ended.wait()
        pytest.skip("no chromium: apt-get install chromium")
    pages = ["", "survival", "cox", "pca"]
    seen = 0
    with serve("dashboard", "--study", study, health="/_stcore/health") as address, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page()
        while not ended.is_set() or seen < len(pages):
            page.goto(f"{address}/{pages[seen % len(pages)]}")
            expect(page.get_by_test_id("stSidebar")).to_contain_text("20 patients", timeout=60_000)
            expect(page.get_by_test_id("stException")).to_have_count(0)
            seen += 1
        browser.close()
