"""The header of a PET slice as plain Python: the facts of the series and those of the slice."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from pydicom.dataset import Dataset

from petct.dicom import values
from petct.dicom.images import DATE_NOT_STATED, PetHeader, PetSlice
from petct.dicom.values import HeaderValueError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

_T = TypeVar("_T")

SERIES_TAGS = values.tags(
    (
        "ImageType",
        "StudyDate",
        "SeriesDate",
        "SeriesTime",
        "TimezoneOffsetFromUTC",
        "Manufacturer",
        "ManufacturerModelName",
        "PatientSex",
        "PatientSize",
        "PatientWeight",
        "CorrectedImage",
        "RadiopharmaceuticalInformationSequence",
        "Units",
        "SUVType",
        "DecayCorrection",
        "ReconstructionMethod",
        "ConvolutionKernel",
        "SoftwareVersions",
        "TimeOfFlightInformationUsed",
    )
)
"""Elements that must agree on all slices."""

SLICE_TAGS = values.tags(
    (
        "AcquisitionDate",
        "AcquisitionDateTime",
        "AcquisitionTime",
        "ActualFrameDuration",
        "RescaleIntercept",
        "RescaleSlope",
        "FrameReferenceTime",
        "DecayFactor",
    )
)
"""Elements that may differ from slice to slice."""

FIELD_KEYWORDS = {
    "manufacturer": "Manufacturer",
    "manufacturer_model_name": "ManufacturerModelName",
    "reconstruction_method": "ReconstructionMethod",
    "image_type": "ImageType",
    "corrected_image": "CorrectedImage",
    "units": "Units",
    "suv_type": "SUVType",
    "decay_correction": "DecayCorrection",
    "sex": "PatientSex",
    "weight": "PatientWeight",
    "size": "PatientSize",
    "n_radiopharmaceuticals": "RadiopharmaceuticalInformationSequence",
    "total_dose": "RadionuclideTotalDose",
    "half_life_s": "RadionuclideHalfLife",
    "nuclide_code": "RadionuclideCodeSequence",
    "nuclide_meaning": "RadionuclideCodeSequence",
    "convolution_kernel": "ConvolutionKernel",
    "software_versions": "SoftwareVersions",
    "time_of_flight": "TimeOfFlightInformationUsed",
    "radiopharmaceutical": "Radiopharmaceutical",
    "start_time": "RadiopharmaceuticalStartTime",
    "start_datetime": "RadiopharmaceuticalStartDateTime",
    "series_time": "SeriesTime",
    "philips_suv_factor": "(7053,xx00) Philips PET Private Group",
    "philips_activity_factor": "(7053,xx09) Philips PET Private Group",
}
"""Field of ``PetHeader`` -> DICOM keyword, for refusals."""

PRIVATE_GROUPS = (0x0009, 0x0071, 0x7053)
"""Groups of the vendors' scan start (GE, Siemens) and scale factors (Philips)."""

SCAN_STARTS = ((0x0071, "SIEMENS MED PT", 0x22), (0x0009, "GEMS_PETD_01", 0x0D))
SCAN_START_KEYWORDS = tuple(f"({group:04X},xx{offset:02X}) {creator}" for group, creator, offset in SCAN_STARTS)
"""The names of ``SCAN_STARTS`` where one cannot be read."""

PHILIPS = (0x7053, "PHILIPS PET PRIVATE GROUP")


class HeaderReader:
    """Values of one dataset; a damaged one is noted and read as None."""

    def __init__(self, dataset: Dataset, damaged: dict[str, str]) -> None:
        self.dataset = dataset
        self.damaged = damaged

    def get(self, read: Callable[[Dataset, str], _T | None], keyword: str) -> _T | None:
        """The value, or None where it is absent or damaged."""
        try:
            return read(self.dataset, keyword)
        except HeaderValueError as error:
            self.damaged[error.keyword] = error.found
            return None

    def word(self, keyword: str) -> str | None:
        """The value as text in upper case."""
        found = self.get(values.text, keyword)
        return None if found is None else found.upper()


def series_facts(dataset: Dataset) -> PetHeader:
    """What one slice says about the whole series (inside ``parsing.lenient_parsing``)."""
    damaged: dict[str, str] = {}
    head = HeaderReader(dataset, damaged)
    items = head.get(values.items, "RadiopharmaceuticalInformationSequence") or ()
    dose = HeaderReader(items[0] if items else Dataset(), damaged)
    codes = dose.get(values.items, "RadionuclideCodeSequence") or ()
    code = HeaderReader(codes[0] if codes else Dataset(), damaged)
    return PetHeader(
        manufacturer=head.get(values.text, "Manufacturer"),
        manufacturer_model_name=head.get(values.text, "ManufacturerModelName"),
        reconstruction_method=head.get(values.text, "ReconstructionMethod"),
        image_type=tuple(part.upper() for part in head.get(values.texts, "ImageType") or ()),
        corrected_image=tuple(part.upper() for part in head.get(values.texts, "CorrectedImage") or ()),
        units=head.word("Units"),
        suv_type=head.word("SUVType"),
        decay_correction=head.word("DecayCorrection"),
        sex=head.word("PatientSex"),
        weight=head.get(values.number, "PatientWeight"),
        size=head.get(values.number, "PatientSize"),
        n_radiopharmaceuticals=len(items),
        total_dose=dose.get(values.number, "RadionuclideTotalDose"),
        half_life_s=dose.get(values.number, "RadionuclideHalfLife"),
        nuclide_code=code.get(values.text, "CodeValue"),
        nuclide_meaning=code.get(values.text, "CodeMeaning"),
        start_time=dose.get(values.time_of_day, "RadiopharmaceuticalStartTime"),
        start_datetime=_start_datetime(dose, head),
        series_time=head.get(values.time_of_day, "SeriesTime"),
        convolution_kernel=head.get(values.text, "ConvolutionKernel"),
        software_versions=head.get(values.text, "SoftwareVersions"),
        time_of_flight=head.get(values.text, "TimeOfFlightInformationUsed"),
        radiopharmaceutical=_radiopharmaceutical(dose, damaged),
        philips_suv_factor=_philips_factor(dataset, 0x00, damaged),
        philips_activity_factor=_philips_factor(dataset, 0x09, damaged),
        damaged=tuple(sorted(damaged.items())),
    )


def _radiopharmaceutical(dose: HeaderReader, damaged: dict[str, str]) -> str | None:
    name = dose.get(values.text, "Radiopharmaceutical")
    codes = dose.get(values.items, "RadiopharmaceuticalCodeSequence") or ()
    return name or (HeaderReader(codes[0], damaged).get(values.text, "CodeMeaning") if codes else None)


def slice_facts(dataset: Dataset, sop_instance_uid: str, slope: float) -> tuple[PetSlice, dict[str, str]]:
    """What a slice says about itself, and its damaged elements (inside ``parsing.lenient_parsing``)."""
    damaged: dict[str, str] = {}
    head = HeaderReader(dataset, damaged)
    acquisition, date_keyword = _acquisition(head)
    duration = head.get(values.number, "ActualFrameDuration")
    reference = head.get(values.number, "FrameReferenceTime")
    return (
        PetSlice(
            sop_instance_uid=sop_instance_uid,
            acquisition=acquisition,
            acquisition_date_keyword=date_keyword,
            frame_duration_s=None if duration is None else duration / 1000,
            frame_reference_s=None if reference is None else reference / 1000,
            decay_factor=head.get(values.number, "DecayFactor"),
            rescale_slope=slope,
            scan_start=_scan_start(dataset, head),
        ),
        damaged,
    )


def private_creators(dataset: Dataset) -> dict[int, str]:
    """Tag -> private creator, in the groups of the vendors' scan start and scale factors."""
    return {
        tag: values.private_text(dataset, tag).upper()
        for tag in map(int, dataset.keys())
        if tag >> 16 in PRIVATE_GROUPS and 0x10 <= tag & 0xFFFF <= 0xFF
    }


def private_tags(dataset: Dataset) -> tuple[int, ...]:
    """Where private creators are or may be in other files, and the elements of the blocks of these that are used."""
    found = {(group << 16) | block for group in PRIVATE_GROUPS for block in range(0x10, 0x20)}
    for tag in private_creators(dataset):
        block = (tag & 0xFFFF0000) | ((tag & 0xFFFF) << 8)
        found |= {tag, *(block | offset for offset in (0x00, 0x09, 0x0D, 0x22))}
    return tuple(found)


def philips_texts(dataset: Dataset) -> tuple[str | None, str | None]:
    """The scale factors of Philips as they are written: to SUV, and to Bq/ml."""
    group, creator = PHILIPS
    return _private_text(dataset, group, creator, 0x00), _private_text(dataset, group, creator, 0x09)


def _acquisition(head: HeaderReader) -> tuple[datetime | None, str | None]:
    time_part = head.get(values.time_of_day, "AcquisitionTime")
    if time_part is None:
        when = moment(head, "AcquisitionDateTime", head)
        return when, None if when is None else "AcquisitionDateTime"
    for keyword in ("AcquisitionDate", "SeriesDate", "StudyDate"):
        date_part = head.get(values.day, keyword)
        if date_part is not None:
            return datetime.combine(date_part, time_part), keyword
    return datetime.combine(DATE_NOT_STATED, time_part), None


def moment(source: HeaderReader, keyword: str, head: HeaderReader) -> datetime | None:
    """A date-time in the local time of the other elements, which have no offset of their own."""
    found = source.get(values.text, keyword)
    return None if found is None else _local(keyword, found, source, head)


def _local(keyword: str, found: str, source: HeaderReader, head: HeaderReader) -> datetime | None:
    try:
        when = values.parse_datetime(keyword, found)
    except HeaderValueError:
        source.damaged[keyword] = found
        return None
    if when.tzinfo is None:
        return when
    local = _timezone(head)
    if local is None:
        # Without (0008,0201) nobody knows by how many hours the two clocks differ.
        source.damaged[keyword] = f"{found} (offset from UTC, but no TimezoneOffsetFromUTC for the other times)"
        return None
    return when.astimezone(local).replace(tzinfo=None)


def _timezone(head: HeaderReader) -> tzinfo | None:
    found = head.get(values.text, "TimezoneOffsetFromUTC")
    if found is None:
        return None
    try:
        return values.parse_offset("TimezoneOffsetFromUTC", found)
    except HeaderValueError:
        head.damaged["TimezoneOffsetFromUTC"] = found
        return None


def _start_datetime(dose: HeaderReader, head: HeaderReader) -> datetime | None:
    return moment(dose, "RadiopharmaceuticalStartDateTime", head)


def _private_text(dataset: Dataset, group: int, creator: str, offset: int) -> str | None:
    """Text of a private element, found through its private creator (DICOM PS3.5, 7.8.1)."""
    for element in list(dataset.group_dataset(group).values()):
        tag = int(element.tag)
        if not 0x10 <= tag & 0xFFFF <= 0xFF:
            continue
        if values.private_text(dataset, tag).upper() != creator:
            continue
        found = values.private_text(dataset, (group << 16) | ((tag & 0xFFFF) << 8) | offset)
        if found:
            return found
    return None


def _scan_start(dataset: Dataset, head: HeaderReader) -> datetime | None:
    for keyword, (group, creator, offset) in zip(SCAN_START_KEYWORDS, SCAN_STARTS, strict=True):
        found = _private_text(dataset, group, creator, offset)
        when = None if found is None else _local(keyword, found, head, head)
        if when is not None:
            return when
    return None


def _philips_factor(dataset: Dataset, offset: int, damaged: dict[str, str]) -> float | None:
    group, creator = PHILIPS
    found = _private_text(dataset, group, creator, offset)
    if not found:
        return None
    keyword = f"({group:04X},xx{offset:02X}) Philips PET Private Group"
    try:
        value = values.parse_number(keyword, found)
    except HeaderValueError:
        damaged[keyword] = found
        return None
    # Zero counts as unavailable.
    return value if value > 0 else None
