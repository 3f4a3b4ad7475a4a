"""One dataset de-identified: every element, at every depth, by the rule of ``confidentiality``."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian

from petct.dicom import values
from petct.dicom.values import HeaderValueError
from petct.privacy.confidentiality import BULK, OPTIONS, SAFE_PRIVATE, Action, action_of
from petct.privacy.identity import Identity, is_plain_label, technical_words
from petct.privacy.pseudonyms import OLDEST_AGE_YEARS, PatientPseudonym, Pseudonyms

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from pydicom.tag import BaseTag

_AGE = re.compile(r"(\d{3})([DWMY])")
_DAYS_OF_UNIT = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
_DATETIME = re.compile(r"(\d{8})((?:\d{2,6}(?:\.\d{1,6})?)?(?:[+-]\d{4})?)")
_NUMBERS = re.compile(rb"[0-9eE+\-. \\\0]*")
_PLAIN = {"DS": _NUMBERS, "IS": _NUMBERS, "TM": re.compile(rb"[0-9:. \\\0]*")}
_UID = re.compile(rb"[0-9.\\ \0]*")
_TEXT_VRS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "AE"})
_REPLACEMENT = {"ContrastBolusAgent": "CONTRAST"}
# Bytes of one double: shorter values hold no name.
_LONGEST_NUMBER = 8
_OF_DEVICE = ("Manufacturer", "ManufacturerModelName", "SoftwareVersions")
_METHOD = "petlake, PS3.15 Annex E"


@dataclass(frozen=True)
class Note:
    """Something in a file that a person should know of: a code and the attribute, never the original value."""

    code: str
    attribute: str


@dataclass
class Cleaned:
    """What was done to one dataset.

    Attributes
    ----------
    actions
        How many values of each attribute met which action.
    notes, labels
        What a person should know, and the names of regions that were kept as they were.
    """

    actions: Counter[tuple[str, Action]] = field(default_factory=Counter)
    notes: Counter[Note] = field(default_factory=Counter)
    labels: set[str] = field(default_factory=set)


def deidentify_dataset(
    dataset: Dataset, patient: PatientPseudonym, pseudonyms: Pseudonyms, identity: Identity
) -> Cleaned:
    """De-identify a dataset in place, with its file meta information and preamble (in ``parsing.lenient_parsing``).

    Dates and date-times move by the patient's constant, a whole number of days, so that every time of day and every
    duration stays; UIDs are remapped wherever they stand. Numbers and pixels are not touched.

    Raises
    ------
    PseudonymError
        DEID_DATE_OUT_OF_RANGE when a date cannot be moved.
    """
    cleaner = _Cleaner(patient, pseudonyms, identity)
    cleaner.clean(dataset)
    _mark(dataset)
    _replace_meta(dataset)
    return cleaner.done


@dataclass(frozen=True)
class _Element:
    """Where an element stands."""

    dataset: Dataset
    tag: BaseTag
    vr: str
    name: str

    @property
    def text(self) -> str:
        return _text(self.dataset, self.tag)

    def replace(self, value: str | list[str] | bytes) -> None:
        self.dataset[self.tag] = DataElement(self.tag, self.vr, value)

    def remove(self) -> Action:
        del self.dataset[self.tag]
        return Action.REMOVE

    def empty(self) -> Action:
        self.replace(b"" if self.vr == "OB" else "")
        return Action.EMPTY


class _Cleaner:
    def __init__(self, patient: PatientPseudonym, pseudonyms: Pseudonyms, identity: Identity) -> None:
        self.patient = patient
        self.pseudonyms = pseudonyms
        self.identity = identity
        self.done = Cleaned()
        self._rules: dict[Action, Callable[[_Element], Action]] = {
            Action.REMOVE: _Element.remove,
            Action.EMPTY: _Element.empty,
            Action.DUMMY: _dummy,
            Action.UID: self._uid,
            Action.SHIFT: self._shift,
            Action.RECURSE: self._recurse,
            Action.KEEP_TEXT: self._check,
            Action.LABEL: self._label,
            Action.DESCRIPTOR: self._descriptor,
            Action.AGE: self._age,
            Action.PSEUDONYM: self._pseudonym,
        }

    def clean(self, dataset: Dataset) -> None:
        """Every element of a dataset or of an item of a sequence."""
        tags = list(dataset.keys())
        self._clean_private(dataset, [tag for tag in tags if tag.is_private])
        for tag in tags:
            if tag.is_private:
                continue
            vr = _vr_of(dataset, tag)
            name = keyword_for_tag(tag) or f"({tag.group:04X},{tag.element:04X})"
            action = action_of(int(tag), vr)
            if action is Action.KEEP and vr not in BULK and self._holds_text(dataset, tag, vr):
                self.done.notes[Note("DEID_TEXT_REMOVED", name)] += 1
                action = Action.REMOVE
            if action in self._rules:
                action = self._rules[action](_Element(dataset, tag, vr, name))
            if action is not Action.RECURSE:
                self.done.actions[(name, action)] += 1

    def _recurse(self, element: _Element) -> Action:
        value = element.dataset[element.tag].value
        if not isinstance(value, Sequence):
            return element.remove()
        for item in value:
            self.clean(item)
        return Action.RECURSE

    def _clean_private(self, dataset: Dataset, tags: list[BaseTag]) -> None:
        """Keep the few private elements that the SUV needs, and the creators of their blocks; remove all others."""
        creators = {
            (tag.group, tag.element): values.private_text(dataset, tag).upper()
            for tag in tags
            if 0x10 <= tag.element <= 0xFF
        }
        used = set()
        for tag in tags:
            block = (tag.group, tag.element >> 8)
            action = SAFE_PRIVATE.get((tag.group, creators.get(block, ""), tag.element & 0xFF))
            if action is not None and tag.element > 0xFF:
                name = f"({tag.group:04X},xx{tag.element & 0xFF:02X}) {creators[block]}"
                if self._keep_private(_Element(dataset, tag, "DT", name), action):
                    used.add(block)
                    continue
            if tag.element > 0xFF:
                self.done.actions[("private elements", Action.REMOVE)] += 1
                del dataset[tag]
        for tag in tags:
            if tag.element <= 0xFF and (tag.group, tag.element) not in used:
                del dataset[tag]

    def _keep_private(self, element: _Element, action: Action) -> bool:
        """Shift or keep the value where it is what it should be; whether it may stay."""
        text = values.private_text(element.dataset, element.tag)
        if action is Action.SHIFT:
            try:
                element.replace(self._shifted("DT", text))
            except HeaderValueError:
                self.done.notes[Note("DEID_DATE_UNREADABLE", element.name)] += 1
                return False
        elif not _NUMBERS.fullmatch(text.encode("latin-1", "replace")):
            self.done.notes[Note("DEID_TEXT_REMOVED", element.name)] += 1
            return False
        self.done.actions[(element.name, action)] += 1
        return True

    def _holds_text(self, dataset: Dataset, tag: BaseTag, vr: str) -> bool:
        """Whether a number or a kept UID holds what it should not: a wrong length reads into the next element."""
        raw = values.raw_value(dataset, tag)
        if vr == "UI":
            return isinstance(raw, bytes) and _UID.fullmatch(raw) is None
        return isinstance(raw, bytes) and len(raw) > _LONGEST_NUMBER and self.identity.is_in_bytes(raw)

    def _uid(self, element: _Element) -> Action:
        found = element.text
        if found:
            mapped = [self.pseudonyms.uid(part.strip()) if part.strip() else "" for part in found.split("\\")]
            element.replace(mapped if len(mapped) > 1 else mapped[0])
        return Action.UID

    def _shift(self, element: _Element) -> Action:
        found = element.text
        if not found:
            return Action.SHIFT
        try:
            shifted = [self._shifted(element.vr, part.strip()) if part.strip() else "" for part in found.split("\\")]
        except HeaderValueError:
            # What cannot be read cannot be shifted, and kept it might be the true date in another form.
            self.done.notes[Note("DEID_DATE_UNREADABLE", element.name)] += 1
            return element.empty()
        element.replace(shifted if len(shifted) > 1 else shifted[0])
        return Action.SHIFT

    def _shifted(self, vr: str, text: str) -> str:
        if vr == "DA":
            return _compact(self.patient.shifted(values.parse_date("DA", text)))
        match = _DATETIME.fullmatch(text)
        if match is None:
            raise HeaderValueError("DT", text)
        return _compact(self.patient.shifted(values.parse_date("DT", match[1]))) + match[2]

    def _check(self, element: _Element) -> Action:
        """Keep a text, or a number or a time in letters, unless it holds what it should not."""
        if element.vr in _PLAIN:
            raw = values.raw_value(element.dataset, element.tag)
            is_clean = not isinstance(raw, bytes) or _PLAIN[element.vr].fullmatch(raw) is not None
        else:
            is_clean = not self.identity.is_in(element.text, of_device=element.name in _OF_DEVICE)
        if is_clean:
            return Action.KEEP
        self.done.notes[Note("DEID_TEXT_REMOVED", element.name)] += 1
        return element.empty()

    def _label(self, element: _Element) -> Action:
        found = element.text
        if not found or (is_plain_label(found) and not self.identity.is_in(found)):
            self.done.labels.update([found] if found else [])
            return Action.LABEL
        number = next(
            (str(element.dataset[k].value) for k in ("ROINumber", "SegmentNumber") if k in element.dataset), ""
        )
        element.replace(f"REGION {number}".strip())
        self.done.notes[Note("DEID_LABEL_REPLACED", element.name)] += 1
        return Action.DUMMY

    def _descriptor(self, element: _Element) -> Action:
        words = technical_words(element.text)
        element.replace("" if self.identity.is_in(words) else words)
        return Action.DESCRIPTOR

    def _age(self, element: _Element) -> Action:
        """Ages above ``OLDEST_AGE_YEARS`` become one group."""
        found = element.text
        match = _AGE.fullmatch(found)
        if found and match is None:
            self.done.notes[Note("DEID_TEXT_REMOVED", element.name)] += 1
            return element.empty()
        if match and int(match[1]) * _DAYS_OF_UNIT[match[2]] >= (OLDEST_AGE_YEARS + 1) * _DAYS_OF_UNIT["Y"]:
            element.replace(f"{OLDEST_AGE_YEARS + 1:03d}Y")
            self.done.notes[Note("DEID_AGE_CAPPED", element.name)] += 1
            return Action.AGE
        return Action.KEEP

    def _pseudonym(self, element: _Element) -> Action:
        element.replace(self.patient.pseudonym)
        return Action.PSEUDONYM


def _dummy(element: _Element) -> Action:
    if element.vr not in _TEXT_VRS:
        return element.remove()
    if element.text:
        element.replace(_REPLACEMENT.get(element.name, "REMOVED"))
    return Action.DUMMY


def _compact(day: date) -> str:
    return day.isoformat().replace("-", "")


def _text(dataset: Dataset, tag: BaseTag) -> str:
    value = dataset[tag].value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("latin-1").strip(" \0")
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return str(value).strip(" \0")
    return "\\".join(str(part) for part in value)


def _vr_of(dataset: Dataset, tag: BaseTag) -> str:
    element: DataElement | RawDataElement | None = dataset.get_item(tag, keep_deferred=True)
    stated = None if element is None else element.VR
    if stated not in (None, "UN"):
        return str(stated)
    # Implicit VR, or written by a program that did not know the element.
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def _mark(dataset: Dataset) -> None:
    """Say that, how and by which options the dataset was de-identified (PS3.3 C.7.1.1 and C.12.1)."""
    codes = []
    for value, meaning in OPTIONS:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
        codes.append(code)
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = _METHOD
    dataset.DeidentificationMethodCodeSequence = Sequence(codes)
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"
    dataset.PatientBirthDate = ""


def _replace_meta(dataset: Dataset) -> None:
    """New file meta information: the old one names the programs and stations that the file came through."""
    old = getattr(dataset, "file_meta", None)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = getattr(old, "TransferSyntaxUID", ImplicitVRLittleEndian)
    dataset.file_meta = meta
    dataset.preamble = b"\0" * 128
