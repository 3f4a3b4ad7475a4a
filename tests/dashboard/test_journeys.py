"""What a reader does in a browser: five journeys, five readers at once, and pages for those who cannot see them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from click.testing import CliRunner
from playwright.sync_api import Browser, expect

from orchestration.commands.km import km
from tests.dashboard.browsing import REPOSITORY, SHOWN_MS, Reader, chromium, reader, served
from tests.some import some
from warehouse.snapshots.catalog import current_id

pytestmark = pytest.mark.browser

# The first page of the navigation is that of the bare address.
PAGES = ["", *sorted({path.parent.name for path in (REPOSITORY / "dashboard").glob("*/page.py")} - {"study"})]
CURVES = "() => [...document.querySelectorAll('.js-plotly-plot .xy path.js-line')].map(path => path.getAttribute('d'))"
AXE = """async () => (await axe.run({resultTypes: ['violations']})).violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.html.slice(0, 150)} ${node.failureSummary}`))"""


@pytest.fixture(scope="module")
def address(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(study, tmp_path_factory.mktemp("journeys") / "streamlit.log") as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Reader]:
    """A reader of this test, who must not have seen an error at its end."""
    found = reader(browser, address)
    yield found
    found.check()
    found.page.context.close()


def test_split_and_take_the_figure_away(visitor: Reader, study: Path) -> None:
    """By links between pages: another feature, other curves, the address of the view, and its files."""
    page = visitor.page
    visitor.open("cox")
    page.get_by_role("link", name="Survival").click()
    expect(page.get_by_role("heading", name="Tumour volume, median split")).to_be_visible(timeout=SHOWN_MS)
    page.wait_for_selector(".js-plotly-plot .xy path.js-line", timeout=SHOWN_MS)
    before = page.evaluate(CURVES)
    assert len(before) >= 2

    visitor.choose("From", "pet_original, largest")
    expect(page.get_by_role("heading", name="Tumour volume")).to_have_count(0, timeout=SHOWN_MS)
    visitor.choose("Split by", "original_glcm_JointEntropy")
    expect(page.get_by_role("heading", name="original_glcm_JointEntropy, median split")).to_be_visible(timeout=SHOWN_MS)
    visitor.sees("Exploratory")
    page.wait_for_function(f"before => JSON.stringify(({CURVES})()) !== before", arg=compact(before), timeout=SHOWN_MS)
    snapshot_id = current_id(study / "lake")
    visitor.sees(snapshot_id[:12])
    assert f"snapshot={snapshot_id[:12]}" in page.url
    assert "variable=original_glcm_JointEntropy" in page.url

    page.get_by_text("Export: figure, numbers, methods, script").first.click()
    svg = ElementTree.fromstring(visitor.download("SVG"))
    assert svg.tag.endswith("svg")
    assert visitor.download("PDF").startswith(b"%PDF")
    rows = list(csv.DictReader(io.StringIO(visitor.download("CSV").decode())))
    assert len(rows) > 10
    script = visitor.download("Python").decode()
    assert snapshot_id in script
    compile(script, "script.py", "exec")
    assert not violations(visitor)


def test_a_model_and_its_forest(visitor: Reader) -> None:
    page = visitor.page
    visitor.open("cox")
    labels = ".js-plotly-plot .ytick text"
    page.wait_for_selector(labels, timeout=SHOWN_MS)
    before = page.locator(labels).count()
    covariates = page.get_by_test_id("stMultiSelect").filter(has_text="Covariates").get_by_role("combobox").first
    covariates.click()
    covariates.press_sequentially("age")
    page.get_by_role("option", name="Age (year)", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.locator(labels)).not_to_have_count(before, timeout=SHOWN_MS)
    visitor.settle()
    assert "covariates=" in page.url
    # The link of the view draws the same model for another reader.
    other = reader(page.context.browser, visitor.address)
    other.open(page.url.removeprefix(f"{visitor.address}/"))
    other.page.wait_for_selector(labels, timeout=SHOWN_MS)
    assert other.page.locator(labels).all_text_contents() == page.locator(labels).all_text_contents()
    other.check()
    other.page.context.close()


def test_a_lasso_around_components_splits_the_survival(visitor: Reader) -> None:
    page = visitor.page
    plot = scores(visitor)
    draw_lasso(visitor, plot["x"] + 5, plot["y"] + 5, plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] - 5)
    expect(page.get_by_role("heading", name=re.compile(r"selected patients? against \d+ others"))).to_be_visible(
        timeout=SHOWN_MS
    )
    visitor.sees("Kaplan-Meier, OS")
    visitor.sees("Exploratory")
    visitor.settle()
    picked = re.findall(r"P\d{3}", page.url)
    heading = page.get_by_role("heading", name=re.compile("selected patient")).inner_text()
    assert heading.startswith(f"{len(set(picked))} selected")
    assert 0 < len(set(picked)) < 44


def test_from_an_outlier_to_the_patient(visitor: Reader) -> None:
    """A lasso around the outermost point of the scores, and the link in the patient's row.

    The rows are drawn on a canvas: the link is opened by its address.
    """
    page = visitor.page
    scores(visitor)
    boxes = [point.bounding_box() for point in page.locator(".js-plotly-plot").first.locator(".point").all()]
    box = max((box for box in boxes if box), key=lambda box: box["x"])
    draw_lasso(visitor, box["x"] - 3, box["y"] - 3, box["x"] + box["width"] + 3, box["y"] + box["height"] + 3)
    expect(page.get_by_role("heading", name="1 selected patient against")).to_be_visible(timeout=SHOWN_MS)
    visitor.settle()
    (patient,) = set(re.findall(r"P\d{3}", page.url))
    visitor.open(f"patient?patient={patient}")
    expect(page.get_by_role("heading", name="Patient", exact=True)).to_be_visible(timeout=SHOWN_MS)
    expect(page.get_by_role("combobox", name="Patient", exact=True)).to_have_value(patient, timeout=SHOWN_MS)
    visitor.sees("Position in the cohort")
    assert f"patient={patient}" in page.url


def test_a_query_and_its_file(visitor: Reader) -> None:
    visitor.open("sql")
    page = visitor.page
    query = page.get_by_role("textbox", name="Query")
    query.fill("SELECT patient_id, tumour_volume_ml FROM cohort ORDER BY 1 LIMIT 5")
    query.press("Control+Enter")
    visitor.sees("5 rows")
    visitor.settle()
    rows = list(csv.DictReader(io.StringIO(visitor.download("CSV").decode())))
    assert [row["patient_id"] for row in rows] == [f"P{number:03}" for number in range(1, 6)]
    assert all(float(row["tumour_volume_ml"]) > 0 for row in some(rows))
    query.fill("DROP TABLE cohort")
    query.press("Control+Enter")
    visitor.sees("SQL_NOT_READ_ONLY")


def test_five_readers_see_each_their_own_cohort(browser: Browser, address: str, study: Path) -> None:
    """Five sessions at once, each with a filter of its own: all are opened before the first one is read."""
    ages = range(58, 68, 2)
    expected = {}
    for age in ages:
        where = f"age>={age}"
        arguments = ["--study", str(study), "--by", "tumour_volume_ml", "--where", where, "--json"]
        expected[age] = json.loads(CliRunner().invoke(km, arguments, catch_exceptions=False).output)
    readers = {age: reader(browser, address) for age in ages}
    for age, one in readers.items():
        one.page.goto(f"{address}/survival?where=age%3E%3D{age}", wait_until="commit")
    for age, one in readers.items():
        found = expected[age]
        one.sees(f"{found['n']} patients, {found['n_events']} events")
        assert f"{age}" in one.page.url
    # All at once ask for another split, and keep their cohorts.
    for one in readers.values():
        one.page.get_by_test_id("stMain").get_by_text("Tertiles", exact=True).first.click(no_wait_after=True)
    for age, one in readers.items():
        found = expected[age]
        expect(one.page.get_by_role("heading", name=re.compile("tertiles|thirds"))).to_be_visible(timeout=SHOWN_MS)
        one.settle()
        headings = one.page.get_by_test_id("stHeading").all_inner_texts()
        assert any(f"{found['n']} patients, {found['n_events']} events" in text for text in headings)
        one.check()
        one.page.context.close()
    assert len({found["n"] for found in expected.values()}) > 3


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_serious_violation(browser: Browser, address: str, *, dark: bool) -> None:
    visitor = reader(browser, address, dark=dark)
    found = {}
    for page in PAGES:
        visitor.open(page)
        found[page] = violations(visitor)
    assert found == {page: [] for page in PAGES}
    visitor.check()
    visitor.page.context.close()


def scores(visitor: Reader) -> dict[str, float]:
    """Open the components; where their scores are drawn, in pixels of the window."""
    visitor.open("pca")
    chart = visitor.page.locator(".js-plotly-plot").first
    chart.locator(".scatterlayer .point").first.wait_for(timeout=SHOWN_MS)
    visitor.settle()
    place = chart.locator(".nsewdrag").first.bounding_box()
    assert place is not None
    return dict(place)


def draw_lasso(visitor: Reader, left: float, top: float, right: float, bottom: float) -> None:
    mouse = visitor.page.mouse
    mouse.move(left, top)
    mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 1)):
        mouse.move(x, y, steps=6)
    mouse.up()


def violations(visitor: Reader) -> list[str]:
    """Serious and critical violations on the page as it is now."""
    visitor.settle()
    visitor.page.evaluate(AXE_SCRIPT)
    return visitor.page.evaluate(AXE)  # type: ignore[no-any-return]


def compact(curves: list[str]) -> str:
    """As JavaScript's JSON.stringify writes them."""
    return "[" + ",".join(f'"{curve}"' for curve in curves) + "]"
