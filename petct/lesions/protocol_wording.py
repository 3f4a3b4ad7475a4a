"""A protocol's settings in plain words: what is searched, from which uptake on, what is left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from petct.lesions.thresholds import THRESHOLDS

_NEIGHBOURS = {6: "faces", 18: "faces or edges", 26: "faces, edges or corners"}


def protocol_in_words(settings_json: str) -> tuple[str, ...]:
    """Return the rules of a protocol as sentences, in the order in which they act.

    Parameters
    ----------
    settings_json
        ``settings_json`` of the table ``protocols``: the settings that its id is a digest of.
    """
    settings = json.loads(settings_json)
    threshold = settings.get("threshold")
    if threshold is None:
        return ("The contours are the lesions as they were drawn; no threshold is applied.", *_components(settings))
    where = "inside the contours" if settings.get("search") == "contours" else "in the whole image"
    sentences = [f"Searched {where}: voxels with {_threshold(threshold)}."]
    sentences += [f"In {organ}: voxels with {_threshold(rule)}." for organ, rule in settings["within_organs"].items()]
    if settings["exclude"]:
        margin = settings["exclusion_margin_mm"]
        around = f" and within {margin:g} mm of them" if margin else ""
        organs = ", ".join(organ.replace("*", "") for organ in settings["exclude"])
        sentences.append(f"Uptake in these organs{around} is physiological and never a lesion: {organs}.")
    if settings["fill_holes"]:
        sentences.append("What a lesion encloses on all sides belongs to it.")
    return (*sentences, *_components(settings))


def _threshold(threshold: Mapping[str, Mapping[str, Any]]) -> str:
    ((kind, rule),) = threshold.items()
    return THRESHOLDS[kind](**rule).words


def _components(settings: Mapping[str, int | float]) -> tuple[str, ...]:
    neighbours = _NEIGHBOURS[int(settings["connectivity"])]
    smallest = settings["minimum_volume_ml"]
    sentences = [f"Voxels that touch by {neighbours} are one lesion."]
    if smallest:
        sentences.append(f"Components below {smallest:g} ml are not lesions.")
    return tuple(sentences)
