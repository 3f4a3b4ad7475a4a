"""lifelines itself, loaded when it is first needed: it takes seconds to load, and most commands never need it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits


class Stopped(Exception):  # noqa: N818 (an outcome, which is reported)
    """lifelines gave up, and says why in one line."""


def version() -> str:
    """The version of lifelines that is installed."""
    return metadata.version("lifelines")


@cache
def lifelines() -> Any:
    """The package, with ``statistics``, ``utils`` and ``exceptions``."""
    with warnings.catch_warnings():
        # It uses deprecated names of pandas and numpy.
        warnings.simplefilter("ignore")
        import lifelines.exceptions
        import lifelines.statistics
        import lifelines.utils
    return lifelines


def attempt(compute: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call something of lifelines, without its warnings; raises ``Stopped`` when it cannot do it with these data."""
    stops = (ValueError, ArithmeticError, AssertionError, NotImplementedError, LookupError)
    failures = (lifelines().exceptions.StatError, *stops)
    # Its matrices are small: more threads would only wait for each other, minutes of it on a busy machine.
    with warnings.catch_warnings(), np.errstate(all="ignore"), threadpool_limits(limits=1, user_api="blas"):
        warnings.simplefilter("ignore")
        try:
            return compute(*arguments, **options)
        except failures as error:
            said = str(error).strip() or type(error).__name__
            raise Stopped(said.splitlines()[0]) from error
