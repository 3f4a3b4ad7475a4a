"""The process pool: every job has an outcome, whatever becomes of its worker."""

from __future__ import annotations

import os

import pytest

from orchestration.engines import WORKERS_VARIABLE, ProcessEngine, default_workers

DEADLY = 3


def square(number: int) -> int:
    if number == DEADLY:
        os._exit(1)
    return number * number


def lost(number: int) -> int:
    return -number


@pytest.mark.parametrize("workers", [1, 2])
def test_each_job_has_its_outcome(workers: int) -> None:
    assert sorted(ProcessEngine(workers).map(square, [1, 2, 4, 5], lost)) == [1, 4, 16, 25]
    assert list(ProcessEngine(workers).map(square, [], lost)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_dies_costs_only_its_own_job(workers: int) -> None:
    assert sorted(ProcessEngine(workers).map(square, [1, 2, DEADLY, 4, 5], lost)) == [-DEADLY, 1, 4, 16, 25]


def test_the_number_of_workers_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKERS_VARIABLE, "3")
    assert default_workers() == 3
    monkeypatch.setenv(WORKERS_VARIABLE, "none")
    assert default_workers() == len(os.sched_getaffinity(0))
