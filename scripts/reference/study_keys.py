"""The reference of study.yaml, written from its pydantic model and its commented template."""

from __future__ import annotations

import enum
import types
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from orchestration.study_file import StudyFile
from scripts.reference.tables import cell

_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}


@dataclass(frozen=True)
class Key:
    """A key of study.yaml, as the reference shows it."""

    path: str
    takes: str
    default: str
    description: str


def keys() -> list[Key]:
    """Every key of study.yaml, section by section; ``*`` stands for a name of the user's own."""
    return keys_of(StudyFile)


def keys_of(model: type[BaseModel]) -> list[Key]:
    """Every key of a model, those of its sections included."""
    return list(_below(model, ""))


def _below(model: type[BaseModel], prefix: str) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        yield Key(path, _takes(field.annotation), _default(field), " ".join((field.description or "").split()))
        for inner, mark in _models(field.annotation):
            yield from _below(inner, f"{path}{mark}.")


def _models(annotation: object) -> Iterator[tuple[type[BaseModel], str]]:
    """The sections in a type, with what stands between their key and theirs."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, ""
        return
    origin = get_origin(annotation)
    mark = ".*" if origin is dict else "[]" if origin is tuple else ""
    for each in get_args(annotation):
        for model, inner in _models(each):
            yield model, mark + inner


def _takes(annotation: object) -> str:
    """A type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in arguments)
    if origin is Annotated:
        return _takes(arguments[0])
    if origin in (Union, types.UnionType):
        return " or ".join(_takes(each) for each in arguments if each is not types.NoneType)
    if origin is tuple:
        return f"list of {_takes(arguments[0])}"
    if origin is dict:
        return f"names, each with {_takes(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return " or ".join(f"`{each.value}`" for each in annotation)
    if isinstance(annotation, type):
        return _PLAIN.get(annotation, annotation.__name__)
    return str(annotation)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, BaseModel) or value in ((), {}):
        return ""
    return f"`{_plain(value)}`"


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_plain, value)) + "]"
    if isinstance(value, BaseModel):
        # An entry that may be written as one word.
        return ", ".join(str(each) for each in value.model_dump(exclude_none=True).values())
    if isinstance(value, enum.Enum):
        return str(value.value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def page() -> str:
    """Write the page as Markdown."""
    sections: dict[str, list[Key]] = {}
    for key in keys():
        sections.setdefault(key.path.split(".")[0].removesuffix("[]"), []).append(key)
    return "\n\n".join([_HEAD, *(_section(name, found) for name, found in sections.items()), _template()]) + "\n"


_HEAD = """\
# study.yaml

One file per study. Unknown keys are refused, with the nearest known one. Paths are relative to the file, or absolute.
`*` stands for a name of your own, `[]` for each entry of a list.
`petlake init DIR` writes the [commented file](#commented-file) below.
This page is written from the model that reads the file."""


def _section(name: str, found: list[Key]) -> str:
    rows = [f"| `{key.path}` | {key.takes} | {key.default} | {cell(key.description)} |" for key in found]
    return "\n".join([f"## {name}", "", "| key | value | default | meaning |", "|---|---|---|---|", *rows])


def _template() -> str:
    files = resources.files("orchestration")
    clinical = (files / "study_template_clinical.yaml").read_text("utf-8")
    text = (files / "study_template.yaml").read_text("utf-8").replace("@CLINICAL@\n", clinical)
    return f"## Commented file\n\n```yaml\n{text.replace('@NAME@', 'my-study').rstrip()}\n```"
