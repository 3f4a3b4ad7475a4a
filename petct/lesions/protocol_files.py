"""Protocols from YAML, checked key by key: those that come with petlake, and a user's own."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from petct.errors import MaskError
from petct.lesions.protocol import (
    Connectivity,
    FixedThreshold,
    KrenningRatios,
    OrganThreshold,
    Protocol,
    ReferenceOrgan,
    ReferenceThreshold,
    Search,
    ShareOfMaximum,
    Threshold,
)
from petct.params import packaged, read_packaged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Section(BaseModel):
    # Strict, so that "yes" is not a truth value, nor "4" a number.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Fixed(_Section):
    suv: _Positive


class _Share(_Section):
    share: Annotated[float, Field(gt=0, lt=1)]


class _Reference(_Section):
    region: ReferenceOrgan
    mean_factor: _NotNegative
    sd_factor: _NotNegative


class _Threshold(_Section):
    fixed: _Fixed | None = None
    share_of_maximum: _Share | None = None
    reference: _Reference | None = None

    @model_validator(mode="after")
    def _one(self) -> _Threshold:
        if len(self.model_fields_set) != 1 or self.made is None:
            raise ValueError("one of fixed, share_of_maximum and reference")
        return self

    @property
    def made(self) -> Threshold | None:
        if self.fixed:
            return FixedThreshold(self.fixed.suv)
        if self.share_of_maximum:
            return ShareOfMaximum(self.share_of_maximum.share)
        if self.reference:
            return ReferenceThreshold(self.reference.region, self.reference.mean_factor, self.reference.sd_factor)
        return None


class _Krenning(_Section):
    below_liver: _Positive = KrenningRatios.below_liver
    above_liver: _Positive = KrenningRatios.above_liver
    above_spleen: _Positive = KrenningRatios.above_spleen


class _File(_Section):
    version: int = Field(ge=1)
    description: str = Field(min_length=1)
    connectivity: Connectivity
    minimum_volume_ml: _NotNegative
    search: Search = "contours"
    threshold: _Threshold | None = None
    within_organs: dict[str, _Threshold] = {}
    exclude: list[str] = []
    exclusion_margin_mm: _NotNegative = 0.0
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
    within = [(organ, rule.made) for organ, rule in sorted(file.within_organs.items())]
    return Protocol(
        name=name,
        description=file.description,
        connectivity=file.connectivity,
        minimum_volume_ml=file.minimum_volume_ml,
        version=file.version,
        search=file.search,
        threshold=file.threshold.made if file.threshold else None,
        within_organs=tuple(OrganThreshold(organ, rule) for organ, rule in within if rule is not None),
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


_KEYS = sorted({*_File.model_fields, *_Threshold.model_fields, *_Reference.model_fields, *_Krenning.model_fields})
