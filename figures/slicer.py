"""A colour table for 3D Slicer: the labels of a label map get names and the colours that they have in the pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from figures.organ_colours import OrganColour
from figures.outline import colour_of


@dataclass(frozen=True)
class NamedLabel:
    """One value of a label map: which lesion it is, and in which organ."""

    label: int
    lesion_id: str
    organ: str


def colour_table(labels: Iterable[NamedLabel], colours: Mapping[str, OrganColour]) -> str:
    """Return the text of a ``.ctbl`` file: one line a label with its name (no spaces), red, green, blue and opacity."""
    lines = ["# Slicer colour table of the lesions of one scan, by petlake", "0 background 0 0 0 0"]
    for one in sorted(labels, key=lambda one: one.label):
        name = f"{one.lesion_id}_{one.organ}".replace(" ", "_")
        lines.append(" ".join([str(one.label), name, *map(str, colour_of(colours[one.organ].colour)), "255"]))
    return "\n".join(lines) + "\n"
