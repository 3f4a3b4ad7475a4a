"""Where the time of the tests goes: at the end of a run, the files that took most of it, and what collecting them took.

Processor time is told beside the time by the clock: it is nearly the same on a busy machine, and it is what the
processes share. It includes the programs that a test started, once they have ended.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator

import pytest

FILES_SHOWN = 15

_PROPERTY = "processor_s"
_SPENT = pytest.StashKey[float]()
_COLLECTED = pytest.StashKey[dict[str, float]]()


def _processor_s() -> float:
    """Of this process, and of the programs that it started and that have ended."""
    return sum(os.times()[:4])


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_COLLECTED] = {}


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    config = session.config
    config.stash[_SPENT] = config.stash[_COLLECTED]["this process"] = _processor_s()
    if hasattr(config, "workeroutput"):
        config.workeroutput[_PROPERTY] = config.stash[_SPENT]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write on each report what was spent since the one before."""
    report = yield
    before = item.config.stash.get(_SPENT, 0.0)
    item.config.stash[_SPENT] = _processor_s()
    # On the report, which reaches the process that writes the summary when tests run in several.
    report.user_properties = [*report.user_properties, (_PROPERTY, item.config.stash[_SPENT] - before)]
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take from a process that shared the tests what it needed to collect them."""
    if _PROPERTY in (output := getattr(node, "workeroutput", {})):
        node.config.stash[_COLLECTED][node.gateway.id] = output[_PROPERTY]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    processor, clock = Counter[str](), Counter[str]()
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        if isinstance(report, pytest.TestReport):
            path = report.nodeid.partition("::")[0]
            clock[path] += report.duration
            processor[path] += sum(value for name, value in report.user_properties if name == _PROPERTY)
    if len(processor) > 1:
        terminalreporter.section("seconds of each file: processor, clock")
        for path, seconds in processor.most_common(FILES_SHOWN):
            terminalreporter.line(f"{seconds:7.1f} {clock[path]:7.1f}  {path}")
        terminalreporter.line(f"{sum(processor.values()):7.1f} {sum(clock.values()):7.1f}  all {len(processor)} files")
        collected = terminalreporter.config.stash[_COLLECTED]
        terminalreporter.line(
            f"{sum(collected.values()):7.1f}          collecting them, in {len(collected)} process(es)"
        )
