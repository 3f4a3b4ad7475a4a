"""Two ways to do the same work, timed side by side in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Paired:
    """Medians over the rounds: seconds of CPU time and of wall time, and their ratios within a round."""

    ours_cpu_s: float
    theirs_cpu_s: float
    cpu_ratio: float
    ours_wall_s: float
    theirs_wall_s: float
    wall_ratio: float
    rounds: int


def paired(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = 5) -> Paired:
    """Time both in every round, the one that begins changing from round to round; one round before is not counted."""
    times: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for number in range(rounds + 1):
        order = [("ours", ours), ("theirs", theirs)]
        for name, work in order if number % 2 else reversed(order):
            cpu, wall = time.process_time(), time.perf_counter()
            work()
            if number:
                times[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu_ratios = [a[0] / b[0] for a, b in zip(times["ours"], times["theirs"], strict=True)]
    wall_ratios = [a[1] / b[1] for a, b in zip(times["ours"], times["theirs"], strict=True)]
    return Paired(
        statistics.median(cpu for cpu, _ in times["ours"]),
        statistics.median(cpu for cpu, _ in times["theirs"]),
        statistics.median(cpu_ratios),
        statistics.median(wall for _, wall in times["ours"]),
        statistics.median(wall for _, wall in times["theirs"]),
        statistics.median(wall_ratios),
        rounds,
    )
