"""Which lesions of two delineations of one patient are the same: one to one, split, merged, lost, new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from petct.image.mask_agreement import Agreement, agreement
from petct.image.volume import Geometry, Mask, resample_part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.lesions.lesion_map import LesionMap


class MatchKind(StrEnum):
    """How lesions of the first delineation and of the second belong together, or that it cannot be said."""

    SAME = "SAME"
    SPLIT = "SPLIT"
    MERGE = "MERGE"
    MIXED = "MIXED"
    LOST = "LOST"
    NEW = "NEW"
    NOT_COMPARABLE = "NOT_COMPARABLE"


@dataclass(frozen=True)
class LesionMatch:
    """Two lesions that share voxels, or one that meets none.

    Attributes
    ----------
    kind
        SAME one to one; SPLIT one of the first, several of the second; MERGE the reverse; MIXED several of both; LOST
        only in the first; NEW only in the second.
    group
        Number of the group (from 1) of lesions that belong together.
    first_lesion_id, second_lesion_id
        None where there is none.
    dice
        Dice coefficient of the pair; 0 where one of them is missing.
    """

    kind: MatchKind
    group: int
    first_lesion_id: str | None = None
    second_lesion_id: str | None = None
    first_volume_ml: float = 0.0
    second_volume_ml: float = 0.0
    overlap_ml: float = 0.0
    dice: float = 0.0


@dataclass(frozen=True)
class GroupAgreement:
    """How well the lesions of one group agree, taken together on both sides.

    Attributes
    ----------
    lesion_ids
        Ids of the first delineation, then of the second, joined by ``+``.
    """

    group: int
    lesion_ids: tuple[str, str]
    agreement: Agreement


def match_delineations(first: LesionMap, second: LesionMap) -> tuple[LesionMatch, ...]:
    """Match the lesions of two delineations by the voxels that they share.

    Two lesions belong together when they share a voxel; groups are what is connected that way. Whether one of a group
    was touched only at its rim is said by the overlap and the Dice coefficient of its row, and decides nothing.

    Parameters
    ----------
    second
        On any grid in the same patient coordinates; it is resampled onto that of ``first``.

    Returns
    -------
    tuple
        Pairs that share voxels, by the group and then by both ids; lost lesions after them; new ones last.
    """
    labels = labels_on(second, first.geometry)
    both = (first.labels > 0) & (labels > 0)
    shared = Counter(zip(first.labels[both].tolist(), labels[both].tolist(), strict=True))
    group_of = _groups(list(shared))
    voxel_ml = first.geometry.voxel_volume_ml
    sizes = Counter(labels[labels > 0].tolist())
    ids = {lesion.label: lesion for lesion in first.lesions}, {lesion.label: lesion for lesion in second.lesions}
    n_first = Counter(group_of["first", a] for a in {a for a, _ in shared})
    n_second = Counter(group_of["second", b] for b in {b for _, b in shared})
    matches = [
        LesionMatch(
            _kind(n_first[group_of["first", a]], n_second[group_of["first", a]]),
            group_of["first", a],
            ids[0][a].lesion_id,
            ids[1][b].lesion_id,
            ids[0][a].volume_ml,
            ids[1][b].volume_ml,
            count * voxel_ml,
            2 * count / (ids[0][a].n_voxels + sizes[b]),
        )
        for (a, b), count in sorted(shared.items(), key=lambda item: (group_of["first", item[0][0]], item[0]))
    ]
    group = max(group_of.values(), default=0)
    for kind, side, lesions in ((MatchKind.LOST, "first", first.lesions), (MatchKind.NEW, "second", second.lesions)):
        for lesion in lesions:
            if (side, lesion.label) not in group_of:
                group += 1
                name, volume_ml = lesion.lesion_id, lesion.volume_ml
                matches.append(
                    LesionMatch(kind, group, first_lesion_id=name, first_volume_ml=volume_ml)
                    if side == "first"
                    else LesionMatch(kind, group, second_lesion_id=name, second_volume_ml=volume_ml)
                )
    return tuple(matches)


def group_agreements(first: LesionMap, second: LesionMap, matches: Sequence[LesionMatch]) -> tuple[GroupAgreement, ...]:
    """The agreement of each group that both delineations hold; the second is resampled onto the grid of the first."""
    labels = labels_on(second, first.geometry)
    members: dict[int, tuple[set[str], set[str]]] = {}
    for match in matches:
        if match.first_lesion_id is not None and match.second_lesion_id is not None:
            one, two = members.setdefault(match.group, (set(), set()))
            one.add(match.first_lesion_id)
            two.add(match.second_lesion_id)
    by_id = {x.lesion_id: x.label for x in first.lesions}, {x.lesion_id: x.label for x in second.lesions}
    return tuple(
        GroupAgreement(
            group,
            ("+".join(sorted(one)), "+".join(sorted(two))),
            agreement(
                Mask(np.isin(first.labels, [by_id[0][i] for i in one]), first.geometry),
                Mask(np.isin(labels, [by_id[1][i] for i in two]), first.geometry),
            ),
        )
        for group, (one, two) in sorted(members.items())
    )


def labels_on(lesions: LesionMap, onto: Geometry) -> NDArray[np.uint16]:
    """The labels (z, y, x) of lesions on another grid; a voxel that two claim is the larger lesion's."""
    if lesions.geometry.is_close(onto):
        return lesions.labels
    labels = np.zeros(onto.shape, dtype=np.uint16)
    parts = lesions.parts()
    for lesion in sorted(lesions.lesions, key=lambda lesion: lesion.volume_ml):
        part = resample_part(parts[lesion.label], onto)
        labels[part.box][part.array] = lesion.label
    return labels


def _kind(n_first: int, n_second: int) -> MatchKind:
    if n_first == 1:
        return MatchKind.SAME if n_second == 1 else MatchKind.SPLIT
    return MatchKind.MERGE if n_second == 1 else MatchKind.MIXED


def _groups(pairs: Sequence[tuple[int, int]]) -> Mapping[tuple[str, int], int]:
    """Number the connected groups of labels, in the order of the smallest label of the first side."""
    neighbours: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for a, b in pairs:
        neighbours.setdefault(("first", a), []).append(("second", b))
        neighbours.setdefault(("second", b), []).append(("first", a))
    group_of: dict[tuple[str, int], int] = {}
    group = 0
    for start in sorted(neighbours):
        if start in group_of:
            continue
        group += 1
        waiting = [start]
        while waiting:
            one = waiting.pop()
            if one not in group_of:
                group_of[one] = group
                waiting.extend(neighbours[one])
    return group_of
