"""The options of a command that asks for an analysis, made from its request."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import click

from analyses.requests.options import Flag, Option, Shape, options_of
from analyses.requests.request import Request

R = TypeVar("R", bound=Request)


class Written(click.ParamType[Any]):
    """A value as its option writes it: read, and refused, by the request alone."""

    def __init__(self, option: Option) -> None:
        self.name, self._option = option.shape.metavar, option

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """Read and check a text; None where it says nothing."""
        shape, name = self._option.shape, self._option.name
        if not value and not shape.repeated:
            return None
        read = shape.read(value, name)
        # Refused here, it is refused also where a command is only read.
        shape.check((read,) if shape.repeated else read, name)
        return read


def request_options(
    kind: type[R], *, without: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a request, and the request that they make as its argument ``request``.

    Parameters
    ----------
    without
        Fields that the command fills itself.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        options = [each for each in options_of(kind) if each.field not in without]

        @functools.wraps(command)
        def with_request(**given: Any) -> None:
            fields = {each.field: given.pop(each.field) for each in options}
            command(request=request_of_options(kind, fields), **given)

        found: Callable[..., None] = with_request
        for each in reversed(options):
            found = _click_option(each)(found)
        return found

    return decorate


def request_of_options(kind: type[R], given: Mapping[str, Any]) -> R:
    """The request of what click read; what is not given is as the request has it."""
    known = {each.field for each in options_of(kind)}
    return kind(**{field: value for field, value in given.items() if field in known and value not in (None, ())})


def _click_option(each: Option) -> Callable[[Callable[..., None]], Callable[..., None]]:
    shape: Shape = each.shape
    text = each.help if each.default in (None, (), False) else f"{each.help}  [default: {shape.texts(each.default)[0]}]"
    if isinstance(shape, Flag):
        return click.option(f"--{each.name}", each.field, is_flag=True, help=text)
    return click.option(
        f"--{each.name}",
        each.field,
        type=Written(each),
        metavar=shape.metavar,
        multiple=shape.repeated,
        required=each.required,
        help=text,
    )
