"""What every request has: its words, its columns, and whether it is another test than a declared hypothesis means."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, ClassVar, Self

from analyses.requests.options import NAMES, Option, Pairs, Shape, options_of
from petct.errors import SurvivalError

FORMER_COMMANDS = {"scan": "screen"}
"""What commands were called in the release before, and in analyses that it saved."""


@dataclass(frozen=True)
class Request:
    """An analysis of a snapshot or of a CSV: a constructed request is valid, and equal analyses are equal requests.

    Parameters
    ----------
    endpoint
        The outcome; None for the only one of the study, or OS.

    Raises
    ------
    SurvivalError
        OPTION_INVALID and the codes of single options; OPTION_MISSING; what ``check`` of the analysis refuses.
    """

    command: ClassVar[str]
    """The command of the analysis."""

    of_one_variable: ClassVar[bool] = True
    """Whether it may be the test of one variable that study.yaml can declare."""

    # Spelled out, so that a type checker sees that it is given by name only.
    endpoint: str | None = field(
        default=None,
        kw_only=True,
        metadata={
            "option": Option("endpoint", Shape(), "Analyse this endpoint of the study.  [default: its only one, or OS]")
        },
    )

    def __post_init__(self) -> None:
        """Bring every value into its one form, and refuse what does not exist."""
        for each in options_of(type(self)):
            value = getattr(self, each.field)
            if value is not None or each.default is not None:
                object.__setattr__(self, each.field, each.shape.check(value, each.name))
            if each.required and value == each.default:
                raise SurvivalError("OPTION_MISSING", "The analysis needs this option", keyword=f"--{each.name}")
        self.check()

    def check(self) -> None:
        """Refuse options that do not go together."""

    @property
    def needs_outcome(self) -> bool:
        """Whether the analysis looks at survival."""
        return True

    @property
    def given(self) -> Iterator[tuple[Option, Any]]:
        """The options that are not as they are where nothing is said, with their values."""
        for each in options_of(type(self)):
            value = getattr(self, each.field)
            if value != each.default:
                yield each, value

    @property
    def columns(self) -> tuple[str, ...]:
        """Analysis columns that it names, each once."""
        return tuple(dict.fromkeys(name for each, value in self.given if each.columns for name in _names(value)))

    @property
    def conditions(self) -> tuple[str, ...]:
        """What makes it another test than that of the same variables, in the words of the ledger."""
        said = (str(each.another).format(_said(each, value), **vars(self)) for each, value in self._another)
        return tuple(filter(None, said))

    @property
    def is_another_test(self) -> bool:
        """Whether it is another test than the one that a hypothesis of an endpoint and a variable means.

        That one is the log-rank test of the median split or of the categories, or the variable in a Cox model without
        further conditions. This is the one rule: badge, ledger, methods, checklists and bundle follow from it.
        """
        return not self.of_one_variable or any(True for _ in self._another)

    @property
    def _another(self) -> Iterator[tuple[Option, Any]]:
        return ((each, value) for each, value in self.given if each.another is not None and value not in each.same)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The options that are given, as they are written: names without dashes and texts; a flag has none."""
        return tuple((each.name, text) for each, value in self.given for text in each.shape.texts(value))

    def words(self, conditions: Iterable[str] = ()) -> tuple[str, ...]:
        """The words of the command, with the conditions of its patients."""
        return _words(self.command, self.pairs, conditions)

    def command_line(self, conditions: Iterable[str] = ()) -> str:
        """The command as it is typed."""
        return command_line_of(self.command, self.pairs, conditions)

    def as_json(self) -> dict[str, Any]:
        """The request for JSON: its command, and the fields that are given."""
        return {"command": self.command, **{each.field: value for each, value in self.given}}

    def completed(self, **fields: Any) -> Self:
        """The request with what a snapshot decided for it."""
        return replace(self, **fields)


def command_line_of(command: str, pairs: Iterable[tuple[str, str]], conditions: Iterable[str] = ()) -> str:
    """Return a command as it is typed, whether or not its options are still known; see ``Request.pairs``."""
    return f"petlake {shlex.join(_words(command, pairs, conditions))}"


def _words(command: str, pairs: Iterable[tuple[str, str]], conditions: Iterable[str]) -> tuple[str, ...]:
    options = [word for name, text in pairs for word in ((f"--{name}", text) if text else (f"--{name}",))]
    return (command, *options, *(word for condition in conditions for word in ("--where", condition)))


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _said(each: Option, value: Any) -> Any:
    if isinstance(each.shape, Pairs):
        return "; ".join(f"{name}={said}" for name, said in value)
    return ",".join(value) if each.shape == NAMES else value


def fields_of(kind: type[Request], pairs: Iterable[tuple[str, str]]) -> Mapping[str, Any]:
    """The fields that written options say, see ``Request.pairs``; an empty text says nothing.

    Raises
    ------
    SurvivalError
        RECIPE_OPTION_UNKNOWN, RECIPE_OPTION_REPEATED, and what the values refuse.
    """
    known = {each.name: each for each in options_of(kind)}
    found: dict[str, Any] = {}
    for name, text in pairs:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise SurvivalError(
                "RECIPE_OPTION_UNKNOWN",
                f"petlake {kind.command} has no such option that belongs to an analysis",
                keyword=f"--{name}",
                expected=", ".join(f"--{option}" for option in known),
                hint=f"Nearest: --{near[0]}." if near else None,
            )
        each = known[name]
        if not text and each.shape.metavar:
            continue
        value = each.shape.read(text, name)
        if each.shape.repeated:
            found[each.field] = (*found.get(each.field, ()), value)
        elif each.field in found:
            raise SurvivalError("RECIPE_OPTION_REPEATED", "An option is given twice", keyword=f"--{name}")
        else:
            found[each.field] = value
    return found
