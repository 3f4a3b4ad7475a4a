"""What every test runs in: a home of its own, fixed random numbers, and the real data where they are."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.durations",)

REPOSITORY = Path(__file__).resolve().parent.parent
REAL_DATA = Path(os.environ.get("PETLAKE_DATA") or REPOSITORY.parent / "shared" / "data")

_NOT_PROVED = "not_proved"
_HOME = pytest.StashKey[tempfile.TemporaryDirectory[str]]()

# The files that take longest, in the order in which they are handed out to the processes that share the tests: a long
# one that came last would leave the other processes without work. The first two mostly wait for a server or a browser;
# the third makes the study that some of the others start from.
LONGEST_FIRST = (
    "dashboard/test_journeys.py",
    "orchestration/test_dagster_ui.py",
    "orchestration/test_line_on_sts.py",
    "assets/test_staleness.py",
    "orchestration/test_readers_of_sts.py",
    "orchestration/test_snapshot_identity.py",
    "analyses/test_standing.py",
    "petct/radiomics/test_identity.py",
    "orchestration/test_demo.py",
)

# The same examples every time: a failure is a change of the code, not of the luck. No deadline, because the machine is
# shared and the first example pays for the imports.
settings.register_profile(
    "petlake",
    derandomize=True,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("petlake")


def pytest_configure(config: pytest.Config) -> None:
    """Isolate the run, and the programs that it starts, from the settings and caches of whoever runs it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Begun in the background of a script: Dagster does with SIGTERM what is done with SIGINT, and every program
        # that a test starts would then ignore both.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    home = tempfile.TemporaryDirectory(prefix="petlake-home-", ignore_cleanup_errors=True)
    config.stash[_HOME] = home
    # Nothing has to outlast a power cut here, and the disk would be waited for at every file.
    os.fsync = lambda _: None
    for name in ("DAGSTER_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        os.environ.pop(name, None)
    os.environ.update(
        HOME=home.name,
        DAGSTER_DISABLE_TELEMETRY="yes",
        STREAMLIT_BROWSER_GATHER_USAGE_STATS="false",
        MPLBACKEND="Agg",
    )
    # One list of fonts for all processes that share the tests: making it takes longer than importing matplotlib.
    if not hasattr(config, "workerinput"):
        os.environ["MPLCONFIGDIR"] = str(Path(home.name) / "matplotlib")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    places = {REPOSITORY / "tests" / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the home of the run."""
    config.stash[_HOME].cleanup()


@pytest.fixture(scope="session")
def petlake_data() -> Path:
    """Return the folder of the real data (PETLAKE_DATA, or ../shared/data beside the repository)."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real data at {REAL_DATA}; PETLAKE_DATA says where they are")
    return REAL_DATA


def _needs(item: pytest.Item) -> str | None:
    """Return what a skip of this test may not hide, or None."""
    if "petlake_data" in getattr(item, "fixturenames", ()):
        return "the real data"
    if item.get_closest_marker("browser"):
        return "a browser"
    return None


def _promised(need: str) -> bool:
    return REAL_DATA.is_dir() if need == "the real data" else bool(os.environ.get("PETLAKE_REQUIRE_BROWSER"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test into a failure where what it needs is there, and remember it where it is not."""
    report = yield
    need = _needs(item)
    if need is not None and report.skipped and not hasattr(report, "wasxfail"):
        if _promised(need):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} skipped although {need} must be there: {report.longrepr}"
        else:
            # On the report, which reaches the process that writes the summary when tests run in several.
            report.user_properties.append((_NOT_PROVED, need))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this run did not prove."""
    not_proved = [
        (report.nodeid, need)
        for report in terminalreporter.stats.get("skipped", [])
        for name, need in report.user_properties
        if name == _NOT_PROVED
    ]
    if not_proved:
        terminalreporter.section("NOT PROVED by this run")
        for nodeid, need in not_proved:
            terminalreporter.line(f"{nodeid} (needs {need})")
        terminalreporter.line(f"{len(not_proved)} tests did not run. Real data were looked for at {REAL_DATA}.")
