"""What de-identification does with each element: DICOM PS3.15 Annex E, and an allow-list for every other text.

The profile is the Basic Application Level Confidentiality Profile (Table E.1-1) with the options Clean Descriptors,
Retain Longitudinal Temporal Information Modified Dates, Retain Patient Characteristics and Retain Safe Private. The
table lists what is known to identify; an element that it does not list is kept only where it is a number, a code, a
time, a reference, pixels, or a text that is named here.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table_e1
from pydicom.datadict import keyword_for_tag

from petct.dicom.pet_header import PHILIPS, SCAN_STARTS


class Action(StrEnum):
    """What is done with an element; the texts stand in the table that is printed."""

    KEEP = "kept"
    KEEP_TEXT = "kept after a check"
    REMOVE = "removed"
    EMPTY = "emptied"
    DUMMY = "replaced by a dummy"
    UID = "UID remapped"
    SHIFT = "date shifted"
    RECURSE = "sequence entered"
    LABEL = "label kept or replaced"
    DESCRIPTOR = "reduced to technical words"
    AGE = "age capped"
    PSEUDONYM = "replaced by the pseudonym"


OPTIONS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
    ("113111", "Retain Safe Private Option"),
)
"""Codes of the De-identification Method Code Sequence (0012,0064), PS3.16 CID 7050."""

SAFE_PRIVATE: dict[tuple[int, str, int], Action] = {
    **dict.fromkeys(SCAN_STARTS, Action.SHIFT),
    **{(*PHILIPS, offset): Action.KEEP for offset in (0x00, 0x09)},
}
"""Private elements that the SUV needs: (group, private creator, offset in the block)."""

# By name, whatever the table says: the options that are taken, and what is replaced rather than removed.
_BY_KEYWORD = {
    "PatientID": Action.PSEUDONYM,
    "PatientName": Action.PSEUDONYM,
    "PatientBirthDate": Action.EMPTY,
    "PatientBirthTime": Action.REMOVE,
    "PatientAge": Action.AGE,
    # Retain Patient Characteristics; its free texts (allergies, state, medication) are cleaned by removal.
    "PatientSex": Action.KEEP_TEXT,
    "PatientSize": Action.KEEP,
    "PatientWeight": Action.KEEP,
    "SmokingStatus": Action.KEEP_TEXT,
    "PregnancyStatus": Action.KEEP,
    "TimezoneOffsetFromUTC": Action.KEEP_TEXT,
    # Masks are found by these names.
    "ROIName": Action.LABEL,
    "SegmentLabel": Action.LABEL,
    # A projection or an uncorrected image may show itself nowhere else.
    "SeriesDescription": Action.DESCRIPTOR,
    "ProtocolName": Action.DESCRIPTOR,
    "PatientIdentityRemoved": Action.REMOVE,
    "DeidentificationMethod": Action.REMOVE,
    "DeidentificationMethodCodeSequence": Action.REMOVE,
    "DataSetTrailingPadding": Action.REMOVE,
}

_KEPT_TEXTS_TEXT = """
SpecificCharacterSet Manufacturer ManufacturerModelName SoftwareVersions ConvolutionKernel FilterType
ReconstructionMethod ReconstructionAlgorithm AttenuationCorrectionMethod ScatterCorrectionMethod
RandomsCorrectionMethod DecayCorrectionMethod CollimatorGridName ContrastBolusRoute ScanOptions
Radiopharmaceutical RadiopharmaceuticalRoute RescaleType LossyImageCompressionMethod
CodeValue LongCodeValue CodingSchemeDesignator CodingSchemeVersion CodeMeaning
SegmentAlgorithmName SegmentationAlgorithmName PositionReferenceIndicator
"""
_KEPT_TEXTS = frozenset(_KEPT_TEXTS_TEXT.split())
_KEPT_BULK_TEXT = """
PixelData FloatPixelData DoubleFloatPixelData RedPaletteColorLookupTableData GreenPaletteColorLookupTableData
BluePaletteColorLookupTableData LUTData ExtendedOffsetTable ExtendedOffsetTableLengths VectorGridData
"""
_KEPT_BULK = frozenset(_KEPT_BULK_TEXT.split())
_TEXTS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE"})
BULK = frozenset({"OB", "OW", "OB or OW", "UN", "OF", "OD", "OL", "OV"})
"""Value representations of pixels and other bytes."""
_SHIFTED = frozenset({"DA", "DT"})


@cache
def action_of(tag: int, vr: str) -> Action:
    """What is done with a standard element of this tag and value representation."""
    keyword = keyword_for_tag(tag)
    group, element = tag >> 16, tag & 0xFFFF
    if element == 0 or group & 0xFF00 in (0x5000, 0x6000) or group == 0x0400:
        # Group lengths are wrong afterwards; curves, overlays and signatures hold or prove what was there.
        return Action.REMOVE
    if not keyword:
        # Retired or newer than the dictionary: nobody knows what it holds.
        return Action.REMOVE
    if keyword in _BY_KEYWORD:
        return _BY_KEYWORD[keyword]
    if vr == "UI":
        names_a_kind = keyword.endswith(("SOPClassUID", "TransferSyntaxUID", "CodingSchemeUID", "ContextUID"))
        return Action.KEEP if names_a_kind else Action.UID
    if vr in _SHIFTED:
        return Action.SHIFT
    if vr == "TM":
        return Action.KEEP_TEXT
    if vr == "PN":
        return Action.EMPTY
    if vr == "AS":
        return Action.AGE
    listed = _listed(tag, is_sequence=vr == "SQ")
    if listed is not None:
        return listed
    return _not_listed(keyword, vr)


def _listed(tag: int, *, is_sequence: bool) -> Action | None:
    """What Table E.1-1 asks for; a choice of several actions is taken so that the element stays where it must."""
    pair = (tag >> 16, tag & 0xFFFF)
    if pair in _REMOVED:
        return Action.REMOVE
    if pair in _EMPTIED:
        return Action.REMOVE if is_sequence else Action.EMPTY
    if pair in _REPLACED:
        return Action.REMOVE if is_sequence else Action.DUMMY
    return Action.RECURSE if pair in _WITH_UIDS else None


_REMOVED = frozenset(table_e1.X_TAGS)
_EMPTIED = frozenset((*table_e1.Z_TAGS, *table_e1.X_Z_TAGS, *table_e1.X_Z_D_TAGS))
_REPLACED = frozenset((*table_e1.D_TAGS, *table_e1.Z_D_TAGS, *table_e1.X_D_TAGS))
_WITH_UIDS = frozenset(table_e1.X_Z_U_STAR_TAGS)


def _not_listed(keyword: str, vr: str) -> Action:
    if vr == "SQ":
        return Action.RECURSE
    if vr in _TEXTS:
        return Action.KEEP_TEXT if keyword in _KEPT_TEXTS else Action.REMOVE
    if vr in BULK:
        return Action.KEEP if keyword in _KEPT_BULK else Action.REMOVE
    # Codes, decimal and integer strings are looked at; binary numbers cannot hold a text.
    return Action.KEEP_TEXT if vr in ("CS", "DS", "IS") else Action.KEEP
