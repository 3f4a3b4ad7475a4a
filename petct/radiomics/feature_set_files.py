"""Feature sets from YAML: those that come with petlake, a user's own, and pyradiomics' parameter files."""

from __future__ import annotations

import difflib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import TypeAdapter, ValidationError

from petct.errors import FeatureError
from petct.params import packaged, read_packaged
from petct.radiomics.definitions import definitions_of
from petct.radiomics.feature_sets import FeatureSet
from petct.radiomics.parameter_files import is_parameter_file, translate

if TYPE_CHECKING:
    from collections.abc import Mapping

_FEATURE_SET = TypeAdapter(FeatureSet)


def packaged_feature_sets() -> tuple[str, ...]:
    """Names of the feature sets that come with petlake."""
    return packaged("feature_sets")


def load_feature_set(name: str) -> FeatureSet:
    """Return the packaged feature set called ``name``.

    Raises
    ------
    FeatureError
        FEATURE_SET_UNKNOWN, naming the feature sets there are.
    """
    if name not in packaged_feature_sets():
        raise FeatureError(
            "FEATURE_SET_UNKNOWN",
            "There is no such feature set",
            keyword="feature_sets",
            found=name,
            expected=f"{', '.join(packaged_feature_sets())}, or a YAML file",
        )
    return parse_feature_set(name, read_packaged("feature_sets", name))


def read_feature_set(path: Path, **others: object) -> FeatureSet:
    """Return the feature set of a YAML file.

    Parameters
    ----------
    path
        A feature set like the packaged ones, or a parameter file of pyradiomics.
    others
        Settings that stand beside the file: a parameter file of pyradiomics does not say the ``modality``. A setting
        that is None is not given. ``name`` is the file's own name unless given.

    Raises
    ------
    FeatureError
        FEATURE_SET_FILE_MISSING; FEATURE_SET_NOT_YAML; FEATURE_SET_INVALID and PARAMETER_NOT_SUPPORTED with the key.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FeatureError(
            "FEATURE_SET_FILE_MISSING",
            "The file of a feature set cannot be read",
            keyword="feature_sets",
            found=str(path),
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FeatureError(
            "FEATURE_SET_NOT_YAML",
            "The file of a feature set is not valid YAML",
            keyword=path.name,
            found=" ".join(str(error).split()),
        ) from error
    if not isinstance(content, dict):
        raise FeatureError("FEATURE_SET_NOT_YAML", "The file of a feature set holds no settings", keyword=path.name)
    given = {key: value for key, value in others.items() if value is not None}
    name = str(given.pop("name", path.stem))
    if is_parameter_file(content):
        return parse_feature_set(name, {**translate(content, path.name), **given})
    return parse_feature_set(name, {**content, **given})


def parse_feature_set(name: str, content: Mapping[str, object]) -> FeatureSet:
    """Return the feature set called ``name`` with the settings of a YAML file; raises FEATURE_SET_INVALID."""
    settings = {"version": 1, "description": f"Feature set {name}.", **content, "name": name}
    for key in ("image_types", "feature_classes"):
        if key in settings:
            settings[key] = _entries(settings[key], name, key)
    try:
        feature_set = _FEATURE_SET.validate_python(settings)
    except ValidationError as error:
        raise _refusal(name, error) from error
    definitions_of(feature_set)
    return feature_set


def _entries(given: object, name: str, key: str) -> list[dict[str, object]]:
    """A list of names, or a mapping of names to options (or to lists of features), as a list of dataclasses' fields."""
    if isinstance(given, list):
        return [{"name": item} for item in given]
    if not isinstance(given, dict):
        raise FeatureError(
            "FEATURE_SET_INVALID",
            f"The feature set {name} cannot be used",
            keyword=key,
            found=str(given),
            expected="a list of names, or a mapping of names to options",
        )
    return [
        {"name": item, "features": options} if isinstance(options, list) else {"name": item, **_options(options)}
        for item, options in given.items()
    ]


def _options(given: object) -> dict[str, object]:
    # Anything else than a mapping is refused as an unknown key.
    return dict(given) if isinstance(given, dict) else {} if given is None else {str(given): None}


def _refusal(name: str, error: ValidationError) -> FeatureError:
    # A misspelt key also leaves the right one missing; the misspelling is what helps.
    first = min(error.errors(), key=lambda item: item["type"] != "unexpected_keyword_argument")
    where = ".".join(str(part) for part in first["loc"])
    known = [field.name for field in fields(FeatureSet)]
    nearest = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
    return FeatureError(
        "FEATURE_SET_INVALID",
        f"The feature set {name} cannot be used",
        keyword=where,
        found=None if first["type"].startswith("missing") else repr(first["input"]),
        expected=first["msg"],
        hint=f"Did you mean {nearest[0]}?" if first["type"] == "unexpected_keyword_argument" and nearest else None,
    )
