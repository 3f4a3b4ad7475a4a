"""What a patient's files say about who it is, so that no text that repeats it is kept; and words that say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from petct.dicom import values
from petct.dicom.values import HeaderValueError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_NAMES = (
    "PatientName",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy",
    "PhysiciansOfRecord",
    "RequestingPhysician",
    "OperatorsName",
    "ReviewerName",
)
_IDENTIFIERS = (
    "PatientID",
    "OtherPatientIDs",
    "AccessionNumber",
    "StudyID",
    "PatientAddress",
    "PatientTelephoneNumbers",
)
_PLACES = ("InstitutionName", "InstitutionalDepartmentName", "StationName", "DeviceSerialNumber")
_DATES = (
    "PatientBirthDate",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "ContentDate",
    "InstanceCreationDate",
    "StructureSetDate",
)
IDENTITY_KEYWORDS = (*_NAMES, *_IDENTIFIERS, *_PLACES, *_DATES)
"""Elements that ``Identity`` is made of."""

_TECHNICAL_WORDS_TEXT = """
pet pt ct ac nac ctac wb whole body wholebody corrected uncorrected attn attenuation no with without native
tof psf truex osem fbp ultrahd vpfx sharp qclear bpl iter recon iterative axial ax tra trans coronal cor sagittal
sag mip mpr minip thin thick lung soft tissue bone standard std low dose lowdose diagnostic diag contrast enhanced
arterial venous portal phase delayed early late static dynamic gated suv suvbw bqml
68ga ga68 ga 18f f18 64cu cu64 89zr zr89 177lu lu177 fdg dotatoc dotatate dotanoc psma fapi
topogram scout surview localizer localiser noac nonac non
head neck chest thorax abdomen pelvis liver spleen kidneys extremity legs arms
seg segmentation rtstruct structure set mask image images lesion lesions organ organs tumour tumor gtv ptv ctv
siemens ge medical systems philips healthcare canon toshiba united imaging mediso biograph discovery gemini vereos
mm ml s sec min bed beds
"""
TECHNICAL_WORDS = frozenset(_TECHNICAL_WORDS_TEXT.split())
"""Words of series descriptions and names of vendors; a person who is called so cannot be told from them."""

_ANY_DATE = re.compile(r"(?<!\d)(?:19|20)\d{2}[-./_]?(?:0[1-9]|1[0-2])[-./_]?(?:0[1-9]|[12]\d|3[01])(?!\d)")
_DAY_FIRST = re.compile(r"(?<!\d)\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d{2}(?!\d)")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.+\-/()%<>=]{0,63}")
_TITLES = re.compile(r"\b(dr|prof|mr|mrs|ms|md)\b\.?", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d{6,}")
# An identifier so long is no part of a longer number or word by chance.
_LONG_PHRASE = 6
_UID = re.compile(r"(?<![\d.])[012]\.\d+(?:\.\d+){4,}")
_SPLIT = re.compile(r"[\s^=,\\]+")


@dataclass(frozen=True)
class Identity:
    """Words, identifiers and dates of one patient, in lower case.

    Attributes
    ----------
    words
        Parts of names, at least three characters long; they count as whole words.
    phrases
        Identifiers and dates, at least four characters long; they count anywhere in a text.
    places
        Institutions and stations, in the same way; the vendor's name for a scanner may be part of them.
    """

    words: frozenset[str] = frozenset()
    phrases: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()

    def joined(self, other: Identity) -> Identity:
        """All that either of the two knows."""
        return Identity(self.words | other.words, self.phrases | other.phrases, self.places | other.places)

    def is_in(self, text: str, *, of_device: bool = False) -> bool:
        """Whether the text repeats any of it; what describes a device may repeat a place."""
        pattern = self._of_patient if of_device else self._all
        return pattern is not None and pattern.search(text.casefold()) is not None

    def is_in_bytes(self, content: bytes) -> bool:
        """Whether bytes that should be numbers hold any of it, or a UID."""
        text = content.decode("latin-1").casefold()
        return self.is_in(text) or self.is_in(content.decode("utf-8", "ignore")) or _UID.search(text) is not None

    @cached_property
    def _of_patient(self) -> re.Pattern[str] | None:
        return _any_of(self.words, self.phrases)

    @cached_property
    def _all(self) -> re.Pattern[str] | None:
        return _any_of(self.words, self.phrases | self.places)


def _any_of(words: frozenset[str], phrases: frozenset[str]) -> re.Pattern[str] | None:
    """A pattern of whole words and short identifiers, and of long ones wherever they stand."""
    whole = sorted(words | {phrase for phrase in phrases if len(phrase) < _LONG_PHRASE})
    anywhere = sorted(phrases.difference(whole))
    parts = [rf"(?<![^\W_]){re.escape(one)}(?![^\W_])" for one in whole] + [re.escape(one) for one in anywhere]
    return re.compile("|".join(parts)) if parts else None


def identity_of(dataset: Dataset) -> Identity:
    """The identity that the elements ``IDENTITY_KEYWORDS`` of a header state (inside ``parsing.lenient_parsing``)."""
    words: set[str] = set()
    phrases: set[str] = set()
    places: set[str] = set()
    for keyword in _NAMES:
        words.update(part for part in _SPLIT.split(_lower(dataset, keyword)) if len(part) >= 3)
    for keywords, found in ((_IDENTIFIERS, phrases), (_PLACES, places)):
        for keyword in keywords:
            found.update(part.strip() for part in _lower(dataset, keyword).split("\\") if len(part.strip()) >= 4)
    for keyword in _DATES:
        phrases.update(_forms(_lower(dataset, keyword)))
    return Identity(*(frozenset(found - TECHNICAL_WORDS) for found in (words, phrases, places)))


def technical_words(text: str) -> str:
    """What is left of a description when only ``TECHNICAL_WORDS`` stay, in the order and spelling of the text."""
    return " ".join(word for word in re.split(r"[^A-Za-z0-9]+", text) if word.lower() in TECHNICAL_WORDS)[:64]


def is_plain_label(text: str) -> bool:
    """Whether a name of a region looks like one: a short label without a date, a title or a long number."""
    return bool(_LABEL.fullmatch(text)) and not (
        _ANY_DATE.search(text) or _DAY_FIRST.search(text) or _TITLES.search(text) or _LONG_NUMBER.search(text)
    )


def _lower(dataset: Dataset, keyword: str) -> str:
    try:
        return (values.text(dataset, keyword) or "").casefold()
    except HeaderValueError:
        return ""


def _forms(found: str) -> Iterable[str]:
    """A date as it may stand in a text."""
    digits = re.sub(r"\D", "", found)
    if len(digits) != 8:
        return ()
    year, month, day = digits[:4], digits[4:6], digits[6:]
    return (
        digits,
        *(mark.join((year, month, day)) for mark in "-./_"),
        *(mark.join((day, month, year)) for mark in "-./_"),
        *(mark.join((month, day, year)) for mark in "-/"),
    )
