"""Protocols from YAML, checked key by key: those that come with petlake, and a user's own."""

from __future__ import annotations

import difflib
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_type_hints

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from petct.errors import MaskError
from petct.lesions.protocol import Connectivity, KrenningRatios, OrganThreshold, Protocol, Search
from petct.lesions.thresholds import THRESHOLDS, NotNegative, Positive, Threshold
from petct.params import packaged, read_packaged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class _Section(BaseModel):
    # Strict, so that "yes" is not a truth value, nor "4" a number.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _section(family: type[Threshold]) -> Any:
    """The section of a family of thresholds: its fields are the keys."""
    hints = get_type_hints(family, include_extras=True)
    keys: dict[str, Any] = {field.name: (hints[field.name], ...) for field in fields(family)}
    return create_model(family.__name__, __base__=_Section, **keys)


_SECTIONS: dict[str, Any] = {kind: (_section(family) | None, None) for kind, family in THRESHOLDS.items()}


class _Threshold(create_model("_Families", __base__=_Section, **_SECTIONS)):  # type: ignore[misc]
    # One section for each family; a checker of types does not follow a base that is made when the module is loaded.

    @model_validator(mode="after")
    def _one(self) -> _Threshold:
        if len(self.model_fields_set) != 1 or getattr(self, *self.model_fields_set) is None:
            *families, last = THRESHOLDS
            raise ValueError(f"one of {', '.join(families)} and {last}")
        return self

    @property
    def made(self) -> Threshold:
        (kind,) = self.model_fields_set
        return THRESHOLDS[kind](**getattr(self, kind).model_dump())


class _Krenning(_Section):
    below_liver: Positive = KrenningRatios.below_liver
    above_liver: Positive = KrenningRatios.above_liver
    above_spleen: Positive = KrenningRatios.above_spleen


class _File(_Section):
    version: int = Field(ge=1)
    description: str = Field(min_length=1)
    connectivity: Connectivity
    minimum_volume_ml: NotNegative
    search: Search = "contours"
    threshold: _Threshold | None = None
    within_organs: dict[str, _Threshold] = {}
    exclude: list[str] = []
    exclusion_margin_mm: NotNegative = 0.0
    fill_holes: bool = False
    krenning: _Krenning = _Krenning()


def packaged_protocols() -> tuple[str, ...]:
    """Names of the protocols that come with petlake."""
    return packaged("protocols")


def load_protocol(name: str) -> Protocol:
    """Return the packaged protocol called ``name``.

    Raises
    ------
    MaskError
        PROTOCOL_UNKNOWN, naming the protocols there are.
    """
    if name not in packaged_protocols():
        raise MaskError(
            "PROTOCOL_UNKNOWN",
            "There is no such protocol",
            keyword="protocols",
            found=name,
            expected=f"{', '.join(packaged_protocols())}, or a YAML file",
        )
    return parse_protocol(name, read_packaged("protocols", name))


def read_protocol(path: Path) -> Protocol:
    """Return the protocol of a YAML file; its name is the file's own.

    Raises
    ------
    MaskError
        PROTOCOL_FILE_MISSING; PROTOCOL_NOT_YAML; PROTOCOL_INVALID with the key.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MaskError(
            "PROTOCOL_FILE_MISSING", "The file of a protocol cannot be read", keyword="protocols", found=str(path)
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MaskError(
            "PROTOCOL_NOT_YAML",
            "The file of a protocol is not valid YAML",
            keyword=path.name,
            found=" ".join(str(error).split()),
        ) from error
    if not isinstance(content, dict):
        raise MaskError("PROTOCOL_NOT_YAML", "The file of a protocol holds no settings", keyword=path.name)
    return parse_protocol(path.stem, content)


def parse_protocol(name: str, content: Mapping[str, object]) -> Protocol:
    """Return the protocol called ``name`` with the settings of a YAML file; raises PROTOCOL_INVALID with the key."""
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        raise _refusal(name, error) from error
    return Protocol(
        name=name,
        description=file.description,
        connectivity=file.connectivity,
        minimum_volume_ml=file.minimum_volume_ml,
        version=file.version,
        search=file.search,
        threshold=file.threshold.made if file.threshold else None,
        within_organs=tuple(OrganThreshold(organ, rule.made) for organ, rule in sorted(file.within_organs.items())),
        exclude=tuple(file.exclude),
        exclusion_margin_mm=file.exclusion_margin_mm,
        fill_holes=file.fill_holes,
        krenning=KrenningRatios(**file.krenning.model_dump()),
    )


def _refusal(name: str, error: ValidationError) -> MaskError:
    # A misspelt key also leaves the right one missing; the misspelling is what helps.
    first: Any = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    where = ".".join(str(part) for part in first["loc"])
    nearest = difflib.get_close_matches(str(first["loc"][-1]) if first["loc"] else "", _KEYS, n=1)
    return MaskError(
        "PROTOCOL_INVALID",
        f"The protocol {name} cannot be used",
        keyword=where,
        found=None if first["type"] == "missing" else repr(first["input"]),
        expected="a key of a protocol" if first["type"] == "extra_forbidden" else first["msg"],
        hint=f"Did you mean {nearest[0]}?" if first["type"] == "extra_forbidden" and nearest else None,
    )


_KEYS = sorted(
    {*_File.model_fields, *_Krenning.model_fields, *THRESHOLDS}
    | {field.name for family in THRESHOLDS.values() for field in fields(family)}
)
