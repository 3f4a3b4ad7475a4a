"""Engines: where the work on patients is done."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from assets.engine import Job, Outcome

# Loaded once by the fork server, so that a worker starts warm: imports cost more than a small patient.
_PRELOAD = ["assets.work", "petct.radiomics.fast"]
WORKERS_VARIABLE = "PETLAKE_WORKERS"


@dataclass(frozen=True)
class ProcessEngine:
    """A pool of warm worker processes on this machine.

    Attributes
    ----------
    workers
        Number of processes; by default ``PETLAKE_WORKERS``, or one a core.
    """

    workers: int | None = None

    def map(
        self, function: Callable[[Job], Outcome], jobs: Sequence[Job], lost: Callable[[Job], Outcome]
    ) -> Iterator[Outcome]:
        """Yield the outcome of each job as it is done; the pool ends with the iteration.

        A worker that dies takes its pool with it. The jobs that were not done are then tried one by one, each in a
        process of its own, and only the one that dies again is lost.
        """
        remaining = list(jobs)
        if not remaining:
            return
        pool = _pool(min(self.workers or default_workers(), len(remaining)))
        try:
            running = {pool.submit(function, job): job for job in jobs}
            for future in as_completed(running):
                outcome = future.result()
                remaining.remove(running[future])
                yield outcome
            pool.shutdown()
        except BrokenProcessPool:
            pool.shutdown()
            for job in remaining:
                yield _alone(function, job, lost)
        except BaseException:
            # Stopped from the keyboard, or nobody wants the rest: what waits is not begun.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _pool(workers: int) -> ProcessPoolExecutor:
    # Read by NumPy when the fork server loads it: the cores are shared out among the workers already.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread_each)


def _alone(function: Callable[[Job], Outcome], job: Job, lost: Callable[[Job], Outcome]) -> Outcome:
    try:
        with _pool(1) as pool:
            return pool.submit(function, job).result()
    except BrokenProcessPool:
        return lost(job)


def default_workers() -> int:
    """``PETLAKE_WORKERS`` where it is set, otherwise one worker a core that this process may use."""
    asked = os.environ.get(WORKERS_VARIABLE, "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else len(os.sched_getaffinity(0))


def _one_thread_each() -> None:
    """One thread in ITK, too; Ctrl-C is for the parent, which lets them finish."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
