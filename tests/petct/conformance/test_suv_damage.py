"""Cut and bit-flipped files, through index, reading and computation.

A flipped bit is held against what it now says: pixels are what they became, the text of an element is read again by the
oracle. Where the structure is hit (a tag, a type, a length), elements vanish, take another's place or swallow those
that follow; the value must then be the one that follows from such a header, or there is a refusal. A file that is lost
as a whole leaves the values of the others as they were, and the index must say so.
"""

from __future__ import annotations

import copy
import os
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import keyword_for_tag

from petct.conformance.suv_objects import SuvObject, suv_objects
from tests.petct.conformance.suv_mutations import OF_A_SLICE, PHANTOM, header_of, write
from tests.petct.conformance.suv_oracle import Header
from tests.petct.conformance.suv_synthesis import pet_slices
from tests.petct.conformance.test_suv_mutations import Outcome, disagreement, outcome

N_DAMAGED = int(os.environ.get("PETLAKE_DAMAGED", "200"))
BASES = ("DRO_0_0", "DRO_2_1_0", "DRO_2_5", "DRO_3_2_3", "DRO_3_3_0", "DRO_3_4_3")
_LONG_LENGTH = (b"OB", b"OW", b"SQ", b"UN", b"UT")
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True)
class Element:
    """Where an element lies in a file: its tag, the first byte of tag, of value, and beyond; and its creator."""

    tag: int
    start: int
    value: int
    end: int
    creator: str = ""


def elements(data: bytes, start: int, end: int) -> Iterator[Element]:
    """The elements between two places of an explicit little endian file, those of sequences after their own."""
    creators: dict[int, str] = {}
    while start < end:
        group, number, vr = struct.unpack_from("<HH2s", data, start)
        tag = group << 16 | number
        if group == 0xFFFE:
            # An item is entered, and its delimiter stepped over.
            start += 8
            continue
        is_long = vr in _LONG_LENGTH
        length = struct.unpack_from("<L" if is_long else "<H", data, start + (8 if is_long else 6))[0]
        value = start + (12 if is_long else 8)
        if group % 2 and 0x10 <= number <= 0xFF:
            creators[tag & 0xFFFF0000 | number << 8] = data[value : value + length].decode("latin-1").strip()
        if vr == b"SQ":
            yield Element(tag, start, value, value)
            start = value
            continue
        yield Element(tag, start, value, value + length, creators.get(tag & 0xFFFFFF00, ""))
        start = value + length


@dataclass(frozen=True)
class Damage:
    """Bytes to be written, what they may be taken to say, and the stored values; no candidates: it must be refused."""

    said: str
    files: list[bytes]
    candidates: list[Header]
    stored: NDArray[np.generic]
    is_strict: bool


class Base:
    """An object as files."""

    def __init__(self, one: SuvObject, folder: Path) -> None:
        slices = pet_slices(one, PHANTOM)
        write(slices, folder / one.id)
        self.one = one
        self.files = [(folder / one.id / f"{number}.dcm").read_bytes() for number in range(len(slices))]
        self.header = header_of(slices, one)
        self.stored = np.stack([np.frombuffer(each.PixelData, "<i2").reshape(each.Rows, -1) for each in slices])
        self.elements = [list(elements(data, 132, len(data))) for data in self.files]

    def cut(self, rng: np.random.Generator) -> Damage:
        hit = int(rng.integers(len(self.files)))
        files = list(self.files)
        # Anywhere, or where it shows least: just before the end.
        size = len(files[hit])
        keep = int(rng.integers(size) if rng.integers(3) else size - 1 - rng.integers(40))
        files[hit] = files[hit][:keep]
        return Damage(f"{self.one.id}: file {hit} cut to {keep} of {size}", files, [], self.stored, False)

    def flipped(self, rng: np.random.Generator) -> Damage:
        everywhere = bool(rng.integers(2))
        hit = int(rng.integers(len(self.files)))
        place = int(rng.integers(128, len(self.files[hit])))
        bit = 1 << int(rng.integers(8))
        number = next((k for k, e in enumerate(self.elements[hit]) if e.start <= place < e.end), None)
        if number is None:
            everywhere = False
        chosen = range(len(self.files)) if everywhere else [hit]
        files, stored, headers = list(self.files), self.stored.copy(), None
        for index in chosen:
            where = place
            if everywhere and number is not None:
                # The same byte of the same element, wherever it lies in the file.
                mine, other = self.elements[hit][number], self.elements[index][number]
                where = min(place - mine.start, other.end - 1 - other.start) + other.start
            data = bytearray(files[index])
            data[where] ^= bit
            files[index] = bytes(data)
        said = f"{self.one.id}: bit {bit:02x} of byte {place} in {'all files' if everywhere else f'file {hit}'}"
        if number is None:
            return Damage(said, files, [self.header], stored, False)
        element = self.elements[hit][number]
        said += f", {keyword_for_tag(element.tag) or hex(element.tag)}"
        if element.tag == 0x7FE00010 and place >= element.value:
            for index in chosen:
                stored[index] = np.frombuffer(
                    files[index], "<i2", stored[index].size, self.elements[index][-1].value
                ).reshape(stored[index].shape)
            return Damage(said, files, [self.header], stored, True)
        if place >= element.value:
            headers = self._with_value(element, number, files, chosen, hit)
            is_strict = headers is not None
            return Damage(said, files, headers or [self.header], stored, is_strict)
        tags = struct.unpack_from("<HH", files[hit], element.start)
        moved = keyword_for_tag(tags[0] << 16 | tags[1])
        return Damage(said, files, self._without(number, moved, chosen), stored, False)

    def _with_value(
        self, element: Element, number: int, files: list[bytes], chosen: range | list[int], hit: int
    ) -> list[Header] | None:
        """The header with the text that the element has now; None where it contradicts, or nothing depends on it."""
        keyword = keyword_for_tag(element.tag)
        header = copy.deepcopy(self.header)
        now = {
            index: files[index][self.elements[index][number].value : self.elements[index][number].end].decode("latin-1")
            for index in chosen
        }
        if keyword in OF_A_SLICE:
            for index, text in now.items():
                header.slices[index][keyword] = text
            return [header]
        if len(now) == 1:
            # One slice that contradicts the others is refused, unless the change means nothing.
            return None
        text = now[hit]
        if element.creator:
            header.private[element.creator, element.tag & 0xFF] = text.strip(" \0")
            return [header]
        if keyword not in header.shared:
            return None
        header.shared[keyword] = text.split("\\") if isinstance(header.shared[keyword], list) else text
        return [header]

    def _without(self, number: int, moved: str, chosen: range | list[int]) -> list[Header]:
        """The header less the element, less those that follow as well, and with its value in another's place."""
        found, less = [self.header], copy.deepcopy(self.header)
        own = self.elements[chosen[0]]
        first = keyword_for_tag(own[number].tag)
        for element in own[number:]:
            keyword = keyword_for_tag(element.tag)
            less = copy.deepcopy(less)
            less.shared.pop(keyword, None)
            less.private = {key: value for key, value in less.private.items() if element.tag >> 16 not in _GROUPS}
            for index in chosen:
                less.slices[index].pop(keyword, None)
            found.append(less)
        if moved:
            other = copy.deepcopy(found[1])
            value = self.header.shared.get(first)
            for index in chosen:
                if moved in OF_A_SLICE:
                    other.slices[index][moved] = self.header.slices[index].get(first) if first in OF_A_SLICE else value
            if moved not in OF_A_SLICE:
                other.shared[moved] = self.header.slices[chosen[0]].get(first) if first in OF_A_SLICE else value
            found.append(other)
        return found


_GROUPS = (0x0009, 0x0071, 0x7053)


def _is_lost(damage: Damage, base: Base, found: Outcome) -> bool:
    """Whether damaged files are not in the image, the others are as they were, and the index tells."""
    kept = [index for index in range(len(base.files)) if f"{index}.dcm" in found.files]
    intact = {index for index, (now, then) in enumerate(zip(damage.files, base.files, strict=True)) if now == then}
    if len(kept) == len(base.files) or not intact <= set(kept):
        return False
    header = copy.deepcopy(base.header)
    header.slices = [header.slices[index] for index in kept]
    told = found.index.set_aside or found.index.findings or len(found.index.series) > 1
    return bool(told) and disagreement(header, base.stored[kept], found) is None


def wrong(damage: Damage, base: Base, found: Outcome) -> str | None:
    """Why the outcome cannot be accounted for; None when it can."""
    if damage.is_strict:
        return disagreement(damage.candidates[0], damage.stored, found)
    if found.refusal is not None or _is_lost(damage, base, found):
        return None
    reasons = [disagreement(header, damage.stored, found) for header in damage.candidates]
    return None if None in reasons else f"a value, and not one of those that could be: {set(reasons)}"


def test_cut_and_flipped_files(tmp_path: Path) -> None:
    bases = [Base(suv_objects()[name], tmp_path) for name in BASES]
    problems, kinds = [], {"refused": 0, "value": 0}
    for seed in range(N_DAMAGED):
        rng = np.random.default_rng(seed)
        base = bases[rng.integers(len(bases))]
        damage = base.cut(rng) if seed % 4 == 0 else base.flipped(rng)
        folder = tmp_path / f"damaged{seed}"
        folder.mkdir()
        for number, data in enumerate(damage.files):
            (folder / f"{number}.dcm").write_bytes(data)
        found = outcome(folder)
        shutil.rmtree(folder)
        why = wrong(damage, base, found)
        if why is not None:
            problems.append(f"seed {seed}: {damage.said}: {found.refusal or 'value'}: {why}")
        kinds["refused" if found.refusal else "value"] += 1
    assert not problems, "\n".join(problems)
    assert min(kinds.values()) > N_DAMAGED / 5
