"""An option of an analysis: one field of its request, with all that is known about it.

The command line, the text and JSON of a saved analysis, the columns that have to be read, the rule of what is another
test, and the widgets of the pages follow from it; nothing of it is written down a second time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from typing import Any, ClassVar

from petct.errors import SurvivalError

_LISTED = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|\Z)')
_PAIR = re.compile(r'(?:"((?:[^"]|"")*)"|([^=]*))=(.*)', re.DOTALL)


@dataclass(frozen=True)
class Shape:
    """What values an option takes and how they are written; this one takes any text.

    Parameters
    ----------
    metavar
        What stands for the value in the help of a command.
    refused
        Code and sentence of the refusal of another value.
    labels
        Values that a page offers, and how it writes them.
    """

    metavar: str = "TEXT"
    refused: tuple[str, str] = ("OPTION_INVALID", "An option has a value that it does not take")
    labels: Mapping[str, str] = field(default_factory=dict, kw_only=True, hash=False)
    repeated: ClassVar[bool] = False

    @property
    def offered(self) -> Mapping[str, str]:
        """Values to choose from, and how a page writes them; empty where only the data say which."""
        return self.labels

    def texts(self, value: Any) -> tuple[str, ...]:
        """The value as it is written on the command line: once, or as often as the option is repeated."""
        return (str(value),)

    def read(self, text: str, option: str) -> Any:  # noqa: ARG002 (others refuse in its name)
        """The value that a text says; raises the refusal."""
        return text

    def check(self, value: Any, option: str) -> Any:
        """The value in its one form; raises the refusal."""
        if not isinstance(value, str) or not value.strip():
            raise self.refusal(option, value, "a name")
        return value

    def refusal(self, option: str, found: object, expected: str) -> SurvivalError:
        """The refusal of a value."""
        return SurvivalError(*self.refused, keyword=f"--{option}", found=str(found), expected=expected)


@dataclass(frozen=True)
class Flag(Shape):
    """Yes or no; said by its name alone."""

    metavar: str = ""

    def texts(self, value: bool) -> tuple[str, ...]:
        """Nothing but the name."""
        return ("",) if value else ()

    def read(self, text: str, option: str) -> bool:
        """Said is yes."""
        if text:
            raise self.refusal(option, text, "no value")
        return True

    def check(self, value: Any, option: str) -> bool:
        """Yes or no."""
        if not isinstance(value, bool):
            raise self.refusal(option, value, "yes or no")
        return value


@dataclass(frozen=True)
class Choice(Shape):
    """One of some words."""

    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """The words stand for the value."""
        object.__setattr__(self, "metavar", f"[{'|'.join(self.words)}]")

    @property
    def offered(self) -> Mapping[str, str]:
        """The words."""
        return {word: self.labels.get(word, word.replace("_", " ").capitalize()) for word in self.words}

    def check(self, value: Any, option: str) -> str:
        """One of the words."""
        if value not in self.words:
            raise self.refusal(option, value, ", ".join(self.words))
        return str(value)


@dataclass(frozen=True)
class Whole(Shape):
    """A whole number between two bounds."""

    metavar: str = "INTEGER"
    least: int | None = None
    most: int | None = None

    def read(self, text: str, option: str) -> int:
        """Digits."""
        try:
            return int(text)
        except ValueError:
            raise self.refusal(option, text, self._bounds()) from None

    def check(self, value: Any, option: str) -> int:
        """Within the bounds."""
        whole = not isinstance(value, bool) and isinstance(value, int | float) and float(value).is_integer()
        below = whole and self.least is not None and value < self.least
        if not whole or below or (self.most is not None and value > self.most):
            raise self.refusal(option, value, self._bounds())
        return int(value)

    def _bounds(self) -> str:
        least = "" if self.least is None else f" of at least {self.least}"
        most = "" if self.most is None else f"{' and' if least else ' of'} at most {self.most}"
        return f"a whole number{least}{most}"


@dataclass(frozen=True)
class Real(Shape):
    """A number."""

    metavar: str = "NUMBER"

    def texts(self, value: float) -> tuple[str, ...]:
        """The shortest text that reads as the same number."""
        return (number_text(value),)

    def read(self, text: str, option: str) -> float:
        """Digits, with a point."""
        try:
            return float(text)
        except ValueError:
            raise self.refusal(option, text, "a number") from None

    def check(self, value: Any, option: str) -> float:
        """Finite."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.refusal(option, value, "a number")
        return float(value)


@dataclass(frozen=True)
class Time(Real):
    """A time in the unit of the outcome; a page asks for it in the unit of its axis."""


@dataclass(frozen=True)
class Listed(Shape):
    """Several values of one shape, separated by commas; a value with a comma stands in quotes."""

    metavar: str = "NAME,NAME,..."
    each: Shape = Shape()

    @property
    def offered(self) -> Mapping[str, str]:
        """Those of each."""
        return self.each.offered

    def texts(self, value: tuple[Any, ...]) -> tuple[str, ...]:
        """All in one text."""
        return (",".join(_quoted(text, ",") for item in value for text in self.each.texts(item)),) if value else ()

    def read(self, text: str, option: str) -> tuple[Any, ...]:
        """The parts that are not empty."""
        parts = (
            match[2].strip() if match[1] is None else match[1].replace('""', '"') for match in _LISTED.finditer(text)
        )
        return tuple(self.each.read(part, option) for part in parts if part)

    def check(self, value: Any, option: str) -> tuple[Any, ...]:
        """Each for itself."""
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self.refusal(option, value, "a list")
        return tuple(self.each.check(item, option) for item in value)


@dataclass(frozen=True)
class Pairs(Shape):
    """What is said of several variables: ``VARIABLE=VALUE``, repeated."""

    metavar: str = "VARIABLE=VALUE"
    value: Shape = Shape()
    repeated: ClassVar[bool] = True

    @property
    def offered(self) -> Mapping[str, str]:
        """Those that may be said of a variable."""
        return self.value.offered

    def texts(self, value: tuple[tuple[str, Any], ...]) -> tuple[str, ...]:
        """Once for each variable."""
        return tuple(f"{_quoted(name, '=')}={self.value.texts(said)[0]}" for name, said in value)

    def read(self, text: str, option: str) -> tuple[str, Any]:
        """One pair."""
        match = _PAIR.fullmatch(text)
        if match is None:
            raise self.refusal(option, text, self.metavar)
        quoted, plain, said = match.groups()
        return (plain if quoted is None else quoted.replace('""', '"')), self.value.read(said, option)

    def check(self, value: Any, option: str) -> tuple[tuple[str, Any], ...]:
        """Each for itself; a variable is named once."""
        pairs = []
        for pair in value:
            whole = isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str) and pair[0]
            if not whole:
                raise self.refusal(option, pair, self.metavar)
            pairs.append((pair[0], self.value.check(pair[1], option)))
        if len(dict(pairs)) < len(pairs):
            raise self.refusal(option, ", ".join(name for name, _ in pairs), "each variable once")
        return tuple(pairs)


NAMES = Listed()
"""Names of columns or categories."""


@dataclass(frozen=True)
class Option:
    """All that is known about a field of a request.

    Attributes
    ----------
    name, shape
        Its name on the command line without dashes, and the values that it takes.
    help
        One or two sentences, for the command line and beside the widget; ``[default: ...]`` at the end says what holds
        where nothing is said, if that is not a value.
    required
        Whether something has to be said.
    label, key
        Label of its widget, and its key in the URL of a page; made from the name where empty.
    columns
        Whether its value names columns of the analysis.
    another
        The words of the ledger where its value makes the analysis another test than the one that a hypothesis of an
        endpoint and a variable means; ``{}`` stands for the value, and the name of a field in braces for that field.
        Empty where other words of the ledger say it already; None where no value makes another test.
    same
        Values besides the default that make no other test.
    field, default
        Its name in Python, and its value where nothing is said: those of the field.
    """

    name: str
    shape: Shape
    help: str
    _: KW_ONLY
    required: bool = False
    label: str = ""
    key: str = ""
    columns: bool = False
    another: str | None = None
    same: tuple[object, ...] = ()
    field: str = ""
    default: Any = None

    def __post_init__(self) -> None:
        """Label and key follow from the name."""
        object.__setattr__(self, "label", self.label or self.name.replace("-", " ").capitalize())
        object.__setattr__(self, "key", self.key or self.name.replace("-", "_"))


def option(name: str, shape: Shape, text: str, *, default: Any = None, **more: Any) -> Any:
    """Return the field of a request; see ``Option`` for the arguments, ``text`` being its help."""
    said = Option(name, shape, text, **more)
    return field(default=() if said.required else default, metadata={"option": said})


def options_of(kind: type) -> tuple[Option, ...]:
    """The options of a class of requests, in the order in which they are written."""
    return tuple(replace(each.metadata["option"], field=each.name, default=each.default) for each in fields(kind))


def option_of(kind: type, name: str) -> Option:
    """The option of a class of requests that is a field of this name."""
    (found,) = (each for each in options_of(kind) if each.field == name)
    return found


def number_text(value: float) -> str:
    """Return the shortest text that reads as the same number: ``90``, ``1095.75``."""
    text = f"{value:g}"
    return text if float(text) == value else repr(value)


def _quoted(text: str, separator: str) -> str:
    """A text that is read as one: in quotes where it holds what separates, or begins or ends like something else."""
    if separator in text or text != text.strip() or text.startswith('"'):
        return '"{}"'.format(text.replace('"', '""'))
    return text
