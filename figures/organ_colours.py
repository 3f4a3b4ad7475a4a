"""One colour an organ, the same for every patient of a study and in every picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from figures.palette import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION

_COLOURS = (VERMILION, BLUE, GREEN, ORANGE, PURPLE, SKY)
# Where tumours are found most often; words that names of organs begin with or hold.
_USUAL = (
    ("liver", VERMILION),
    ("lymph", BLUE),
    ("node", BLUE),
    ("bone", GREEN),
    ("spine", GREEN),
    ("vertebra", GREEN),
    ("skelet", GREEN),
    ("pancrea", ORANGE),
    ("lung", SKY),
)


@dataclass(frozen=True)
class OrganColour:
    """How the lesions of an organ are drawn; dashed where all colours are taken."""

    colour: str
    dashed: bool


def organ_colours(organs: Iterable[str]) -> dict[str, OrganColour]:
    """Give every organ a colour of Okabe and Ito's palette, and a dashed line from the seventh organ on.

    Parameters
    ----------
    organs
        All organs that a lesion of the study may lie in, in any order: so that a colour does not depend on which of
        them a patient's lesions lie in.
    """
    given: dict[str, OrganColour] = {}
    taken: set[str] = set()
    names = sorted(set(organs))
    for organ in names:
        usual = next((colour for word, colour in _USUAL if word in organ.lower()), None)
        if usual is not None and usual not in taken:
            taken.add(usual)
            given[organ] = OrganColour(usual, dashed=False)
    free = [colour for colour in _COLOURS if colour not in taken]
    for organ in names:
        if organ not in given:
            number = len(given)
            colour = free.pop(0) if free else _COLOURS[number % len(_COLOURS)]
            given[organ] = OrganColour(colour, dashed=number >= len(_COLOURS))
    return given
