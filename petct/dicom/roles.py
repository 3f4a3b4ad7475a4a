"""Which series are the attenuation-corrected PET, its CT and its contours; all others are set aside with a code."""

from __future__ import annotations

import fnmatch
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from petct.dicom.instances import Instance

NONE = "NONE"
PET = "PET"
CT = "CT"
RTSTRUCT = "RTSTRUCT"
SEG = "SEG"
LABEL_MAP = "LABELMAP"
CONTOURS = (RTSTRUCT, SEG, LABEL_MAP)
"""The roles of what was drawn on images; a label map is a declared file that is not DICOM."""

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
REPORTS = "1.2.840.10008.5.1.4.1.1.88"
_DOSE_REPORTS = tuple(f"{REPORTS}.{part}" for part in ("67", "68", "73", "74", "75", "76"))
_ENHANCED_CT = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
LEGACY_CONVERTED_PET = "1.2.840.10008.5.1.4.1.1.128.1"
ENHANCED_PET = ("1.2.840.10008.5.1.4.1.1.130", LEGACY_CONVERTED_PET)
"""Enhanced PET and Legacy Converted Enhanced PET Image Storage: many frames in a file."""

_PROJECTIONS = {"MIP", "MAX_IP", "MINIP", "PROJECTION IMAGE", "REPROJECTION", "MPR", "VOLUME RENDERED", "VRT"}
SCREENS = {"SCREEN SAVE", "DOSE_INFO", "CT_SOM5 PROT", "CT_SOM7 PROT", "PASTED"}
_SCOUT_WORD = re.compile(r"(?<![A-Za-z])(?:SCOUT|TOPOGRAM|SURVIEW|LOCALI[SZ]ER)(?![A-Za-z])", re.IGNORECASE)
_NAC_WORD = re.compile(r"(?<![A-Za-z])(?:NAC|NOAC|NON[- ]?AC|UNCORRECTED)(?![A-Za-z])", re.IGNORECASE)
_MIP_WORD = re.compile(r"(?<![A-Za-z])MIP(?![A-Za-z])", re.IGNORECASE)


def role_of(instance: Instance) -> tuple[str, str | None]:
    """The role a file's series may have (one of those above), and for NONE the code of the reason."""
    code = _set_aside_code(instance)
    if code is not None:
        return NONE, code
    if instance.is_volume and instance.modality == "SEG":
        return LABEL_MAP, None
    return {"PT": PET, "CT": CT, "RTSTRUCT": RTSTRUCT, "SEG": SEG}[instance.modality], None


def _set_aside_code(instance: Instance) -> str | None:
    sop_class = instance.sop_class_uid or ""
    words = set(instance.image_type) | set(instance.series_type)
    if sop_class in _DOSE_REPORTS:
        return "DOSE_REPORT"
    if instance.modality == "SR" or sop_class.startswith(REPORTS):
        return "STRUCTURED_REPORT"
    is_screen = words & SCREENS or instance.samples_per_pixel not in (None, 1)
    if sop_class == SECONDARY_CAPTURE or sop_class.startswith(SECONDARY_CAPTURE + ".") or is_screen:
        return "SECONDARY_CAPTURE"
    if instance.modality in ("RTSTRUCT", "SEG"):
        return None
    if instance.modality not in ("PT", "CT"):
        return "MODALITY_NOT_USED"
    if "LOCALIZER" in words or (instance.modality == "CT" and _SCOUT_WORD.search(instance.series_description or "")):
        return "LOCALIZER"
    if words & _PROJECTIONS or _MIP_WORD.search(instance.series_description or ""):
        return "PROJECTION"
    if instance.modality == "CT":
        return "ENHANCED_CT_UNSUPPORTED" if sop_class in _ENHANCED_CT else None
    if words & {"DYNAMIC", "GATED"}:
        return "DYNAMIC_OR_GATED"
    corrected = instance.corrected_image
    # A derived SUV image need not repeat the corrections of its source; one that denies them is not believed.
    is_derived_suv = instance.units in ("GML", "CM2ML") and "DERIVED" in words and corrected is None
    is_enhanced = sop_class in ENHANCED_PET and instance.attenuation_corrected != "NO" and corrected is None
    if not is_derived_suv and not is_enhanced and "ATTN" not in (corrected or ()):
        return "NOT_ATTENUATION_CORRECTED"
    return None


def is_named_uncorrected(description: str | None) -> bool:
    """Whether a Series Description says that a PET is not attenuation corrected, whatever Corrected Image says."""
    return _NAC_WORD.search(description or "") is not None


@dataclass(frozen=True)
class SeriesChoice:
    """Which series a study prefers among several of a scan, over the rule of ``assign``.

    Attributes
    ----------
    pet, ct
        Shell-style patterns of Series Description (case is ignored), or Series Instance UIDs; the first that matches a
        series of the scan decides.
    """

    pet: tuple[str, ...] = ()
    ct: tuple[str, ...] = ()

    def rank(self, kind: str, candidate: Candidate) -> int:
        """The larger, the more preferred; 0 where nothing matches."""
        patterns = self.pet if kind == PET else self.ct
        name = (candidate.series_description or "").casefold()
        for position, pattern in enumerate(patterns):
            if pattern == candidate.series_instance_uid or fnmatch.fnmatchcase(name, pattern.casefold()):
                return len(patterns) - position
        return 0


@dataclass(frozen=True)
class Candidate:
    """A series of one patient with its possible role, before one PET and one CT are chosen for each scan."""

    series_instance_uid: str
    study_instance_uid: str
    frame_of_reference_uid: str | None
    role: str
    set_aside_code: str | None
    n_images: int
    series_time: str
    scan_date: date | None
    study_date: date | None
    referenced_series_instance_uid: str | None
    series_description: str | None = None
    series_number: int | None = None


@dataclass(frozen=True)
class Assignment:
    """For one patient: study of the scan, role and code of every series, and the choices that were made.

    Attributes
    ----------
    scan_study
        Series UID -> Study Instance UID of the scan it belongs to (the study of its PET, where there is one).
    role, code
        Series UID -> role, and the code where the role is NONE.
    chosen
        (role, chosen series UID, the UIDs set aside for it), one for each choice among several.
    """

    scan_study: dict[str, str]
    role: dict[str, str]
    code: dict[str, str | None]
    chosen: tuple[tuple[str, str, tuple[str, ...]], ...]


CHOICE_RULE = (
    "preferred in study.yaml, contours drawn on it, not called uncorrected, most slices, latest, "
    "highest series number, highest UID"
)
"""How one series is chosen among several, in the order of the criteria."""


def assign(candidates: Sequence[Candidate], choice: SeriesChoice | None = None) -> Assignment:
    """Choose one PET and one CT for each study, and give every series its scan.

    Among several candidates the first by ``CHOICE_RULE`` is taken. A CT belongs to the PET of its study, or else to the
    PET of its frame of reference; contours belong to the scan of the series they refer to, else to that of their frame
    of reference.
    """
    role = {c.series_instance_uid: c.role for c in candidates}
    code = {c.series_instance_uid: c.set_aside_code for c in candidates}
    scan_study = {c.series_instance_uid: c.study_instance_uid for c in candidates}
    drawn_on = {c.referenced_series_instance_uid for c in candidates if c.role in CONTOURS}
    chosen: list[tuple[str, str, tuple[str, ...]]] = []
    preferred = choice or SeriesChoice()

    def choose(among: Sequence[Candidate], kind: str) -> Candidate | None:
        ranked = sorted(
            among,
            key=lambda c: (
                preferred.rank(kind, c),
                c.series_instance_uid in drawn_on,
                not is_named_uncorrected(c.series_description),
                c.n_images,
                c.series_time,
                # Two reconstructions of one acquisition: their UIDs would be in another order once de-identified.
                -math.inf if c.series_number is None else c.series_number,
                c.series_instance_uid,
            ),
            reverse=True,
        )
        for other in ranked[1:]:
            role[other.series_instance_uid] = NONE
            code[other.series_instance_uid] = f"{kind}_NOT_CHOSEN"
        if len(ranked) > 1:
            losers = tuple(sorted(c.series_instance_uid for c in ranked[1:]))
            chosen.append((kind, ranked[0].series_instance_uid, losers))
        return ranked[0] if ranked else None

    pets: dict[str, Candidate] = {}
    for study in sorted({c.study_instance_uid for c in candidates}):
        pet = choose([c for c in candidates if c.role == PET and c.study_instance_uid == study], PET)
        if pet is not None:
            pets[study] = pet
    by_frame = {p.frame_of_reference_uid: p.study_instance_uid for p in pets.values() if p.frame_of_reference_uid}

    cts: dict[str, list[Candidate]] = {}
    for ct in (c for c in candidates if c.role == CT):
        home = ct.study_instance_uid
        if home not in pets:
            home = by_frame.get(ct.frame_of_reference_uid or "", home)
        scan_study[ct.series_instance_uid] = home
        frame = pets[home].frame_of_reference_uid if home in pets else None
        if frame and ct.frame_of_reference_uid and ct.frame_of_reference_uid != frame:
            role[ct.series_instance_uid] = NONE
            code[ct.series_instance_uid] = "FRAME_OF_REFERENCE_DIFFERS"
        else:
            cts.setdefault(home, []).append(ct)
    for home in sorted(cts):
        choose(cts[home], CT)

    for drawn in (c for c in candidates if c.role in CONTOURS):
        scan = _study_of_drawn(drawn, pets, by_frame, scan_study)
        if scan is None:
            role[drawn.series_instance_uid] = NONE
            code[drawn.series_instance_uid] = "MASK_SCAN_UNKNOWN"
        else:
            scan_study[drawn.series_instance_uid] = scan
    return Assignment(scan_study, role, code, tuple(chosen))


def _study_of_drawn(
    drawn: Candidate, pets: Mapping[str, Candidate], by_frame: Mapping[str, str], scan_study: Mapping[str, str]
) -> str | None:
    """The study of the scan that contours or masks were drawn on; None where nothing says which scan it is."""
    if drawn.role == LABEL_MAP:
        # Its path says of which day it is; without a date it can only be of the one scan there is.
        days = [study for study, pet in pets.items() if drawn.scan_date in (None, pet.scan_date, pet.study_date)]
        return days[0] if len(days) == 1 else None
    target = drawn.referenced_series_instance_uid
    if target is not None and target in scan_study:
        return scan_study[target]
    if drawn.study_instance_uid in pets:
        return drawn.study_instance_uid
    return by_frame.get(drawn.frame_of_reference_uid or "", drawn.study_instance_uid)
