"""Packaged settings: threshold protocols and feature sets, one YAML file each."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUFFIX = ".yaml"


def packaged(kind: str) -> tuple[str, ...]:
    """Names of the packaged settings of one kind (``protocols`` or ``feature_sets``), sorted."""
    files = (resources.files("petct.params") / kind).iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))


def read_packaged(kind: str, name: str) -> Mapping[str, object]:
    """The settings called ``name``; it must be one of ``packaged(kind)``."""
    text = (resources.files("petct.params") / kind / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
    settings: Mapping[str, object] = yaml.safe_load(text)
    return settings
