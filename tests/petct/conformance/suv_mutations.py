"""Changes of a PET header that a scanner, an anonymiser or a hand may have made, drawn at random from a seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from petct.conformance.suv_objects import SuvObject, suv_objects
from petct.image.volume import Geometry
from petct.synthetic.dicom import save
from tests.petct.conformance.suv_oracle import Header, Text, moment, number
from tests.petct.conformance.suv_synthesis import SuvPhantom, pet_slices, small_phantom

BASES = (
    "DRO_0_0",
    "DRO_1_0",
    "DRO_2_0",
    "DRO_2_1_0",
    "DRO_2_2_2",
    "DRO_2_3",
    "DRO_2_4",
    "DRO_2_5",
    "DRO_2_6_1",
    "DRO_3_1",
    "DRO_3_2_1",
    "DRO_3_2_3",
    "DRO_3_3_0",
    "DRO_3_4_2",
    "DRO_3_4_3",
    "DRO_4_2",
    "DRO_4_5",
    "DRO_5_0",
)
PHANTOM: SuvPhantom = small_phantom(4, 6)
# One slice for each half of the objects: most of the time goes into writing and reading slices.
_HALVES = SuvPhantom(
    np.array([[[0.2, 1.0], [4.0, 0.0]], [[0.5, 2.0], [1.0, 3.0]]]),
    np.ones((2, 2, 2), dtype=bool),
    Geometry((2, 2, 2), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0)),
)
OF_A_SLICE = (
    "AcquisitionDate",
    "AcquisitionTime",
    "FrameReferenceTime",
    "ActualFrameDuration",
    "RescaleSlope",
    "RescaleIntercept",
)
_OF_THE_DOSE = (
    "RadiopharmaceuticalStartTime",
    "RadiopharmaceuticalStartDateTime",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
)
_OF_THE_CODE = ("CodeValue", "CodeMeaning")
_NO_NUMBER: tuple[Text, ...] = (None, "", "0", "-1.5", "seventy", "70,5", "7_0", "nan", "inf", "1e400")

Rng = np.random.Generator
Change = Callable[[Rng, str], Text]


def header_of(slices: list[Dataset], one: SuvObject) -> Header:
    """What the slices of an object say, for the oracle."""
    shared: dict[str, Text] = {key: value for key, value in one.header.items() if key not in OF_A_SLICE}
    own = [{key: str(each[key].value) if key in each else None for key in OF_A_SLICE} for each in slices]
    private = {(element.creator, element.offset): element.value for element in one.private}
    return Header(shared, own, private)


def mutated(rng: Rng) -> tuple[str, list[Dataset], Header]:
    """A description, the slices with one to three elements changed, and what they say now."""
    one = suv_objects()[BASES[rng.integers(len(BASES))]]
    slices = pet_slices(one, _HALVES)
    header = header_of(slices, one)
    said = [one.id]
    for _ in range(1 + int(rng.integers(3) == 0) + int(rng.integers(6) == 0)):
        said.append(_mutate(rng, one, slices, header))
    return "; ".join(said), slices, header


def write(slices: list[Dataset], folder: Path) -> None:
    """Write slices whose elements need not be what the standard wants."""
    mode = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.IGNORE
    try:
        for number_, each in enumerate(slices):
            save(each, folder / f"{number_}.dcm")
    finally:
        config.settings.writing_validation_mode = mode


def put(dataset: Dataset, keyword: str, value: Text) -> None:
    """Set the text of an element as it is, or remove it."""
    if keyword in _OF_THE_DOSE + _OF_THE_CODE:
        dataset = dataset.RadiopharmaceuticalInformationSequence[0]
    if keyword in _OF_THE_CODE:
        dataset = dataset.RadionuclideCodeSequence[0]
    tag = tag_for_keyword(keyword)
    assert tag is not None
    if value is None:
        dataset.pop(tag, None)
    else:
        dataset.add(DataElement(tag, dictionary_VR(tag), value, already_converted=True))


def _mutate(rng: Rng, one: SuvObject, slices: list[Dataset], header: Header) -> str:
    if one.private and rng.integers(4) == 0:
        return _mutate_private(rng, one, slices, header)
    keyword = _KEYWORDS[rng.integers(len(_KEYWORDS))]
    if keyword == "RadiopharmaceuticalInformationSequence":
        for each in slices:
            items = each.RadiopharmaceuticalInformationSequence
            items.append(items[0])
        header.n_radiopharmaceuticals += 1
        return "another radiopharmaceutical"
    if keyword not in OF_A_SLICE:
        current = header.shared.get(keyword)
        value = _draw(rng, keyword, current if isinstance(current, str) else "")
        header.shared[keyword] = value
        for each in slices:
            put(each, keyword, value)
        return f"{keyword}={value!r}"
    # The same change in every slice, or a change of one slice only.
    seed = rng.integers(2**32)
    chosen = range(len(slices)) if rng.integers(2) else [int(rng.integers(len(slices)))]
    for index in chosen:
        value = _draw(np.random.default_rng(seed), keyword, str(header.slices[index][keyword] or ""))
        header.slices[index][keyword] = value
        put(slices[index], keyword, value)
    return f"{keyword}={value!r} in {list(chosen)}"


def _mutate_private(rng: Rng, one: SuvObject, slices: list[Dataset], header: Header) -> str:
    element = one.private[rng.integers(len(one.private))]
    if element.vr == "DS":
        value = _scaled(0.2, 5)(rng, element.value) if rng.integers(2) else _pick("0", "", "x", "-1")(rng, "")
    else:
        value = _moment_text(rng, element.value, _seconds(rng))
    for each in slices:
        tag = each.private_block(element.group, element.creator).get_tag(element.offset)
        each.add(DataElement(tag, element.vr, value or "", already_converted=True))
    header.private[element.creator, element.offset] = value if isinstance(value, str) else ""
    return f"private {element.creator} {element.offset:02X}={value!r}"


def _draw(rng: Rng, keyword: str, current: str) -> Text:
    changes = _CHANGES[keyword]
    return changes[rng.integers(len(changes))](rng, current)


def _pick(*values: Text) -> Change:
    return lambda rng, _: values[rng.integers(len(values))]


def _scaled(low: float, high: float) -> Change:
    """The number times a factor, log-uniform between the two."""
    return lambda rng, now: f"{(number(now) or 1.0) * float(np.exp(rng.uniform(np.log(low), np.log(high)))):.7g}"


def _added(low: float, high: float) -> Change:
    return lambda rng, now: f"{(number(now) or 0.0) + rng.uniform(low, high):.3f}"


def _seconds(rng: Rng) -> float:
    """A shift of a time: a moment, minutes, past the scan, around a whole day, or anything."""
    kinds = (
        rng.uniform(-0.9, 0.9),
        rng.uniform(-1800, 1800),
        rng.uniform(3000, 8000),
        rng.choice([-86400, 86400, -172800]) + rng.uniform(-900, 900),
        rng.uniform(-1e5, 1e5),
    )
    return float(kinds[rng.integers(len(kinds))])


def _moment_text(rng: Rng, now: str, seconds: float) -> Text:
    if rng.integers(5) == 0 or moment(now[:8], now[8:]) is None:
        return _pick("yesterday", "20251345250000", "", "1900")(rng, now)
    return (datetime.strptime(now[:14], "%Y%m%d%H%M%S") + timedelta(seconds=seconds)).strftime("%Y%m%d%H%M%S.%f")


def _later(rng: Rng, now: str) -> Text:
    return _moment_text(rng, now, _seconds(rng))


def _clock(rng: Rng, now: str) -> Text:
    if moment("20250101", now) is None:
        return None
    return (datetime.strptime(now[:6], "%H%M%S") + timedelta(seconds=_seconds(rng))).strftime("%H%M%S.%f")


def _day(rng: Rng, now: str) -> Text:
    if moment(now, "000000") is None:
        return None
    return (datetime.strptime(now, "%Y%m%d") + timedelta(days=int(rng.integers(-2, 3)))).strftime("%Y%m%d")


_CHANGES: dict[str, tuple[Change, ...]] = {
    "PatientWeight": (_scaled(0.3, 4), _scaled(300, 3000), _pick(*_NO_NUMBER, "1e9", " 81.5 ")),
    "PatientSize": (_scaled(0.7, 1.3), _scaled(70, 130), _pick(*_NO_NUMBER, "400")),
    "PatientSex": (_pick("M", "F", "O", "X", "", None, "f"),),
    "RadionuclideTotalDose": (_scaled(0.1, 10), _scaled(1e-7, 1e-6), _pick(*_NO_NUMBER)),
    "RadionuclideHalfLife": (_scaled(0.99, 1.01), _scaled(0.5, 2), _pick("23410080", "4057.7", *_NO_NUMBER)),
    "CodeValue": (_pick("C-111A1", "C-131A3", "C-128A2", "C-127A2", "unknown"),),
    "CodeMeaning": (_pick("^18^Fluorine", "^68^Gallium", "unknown"),),
    "Units": (_pick("BQML", "GML", "CM2ML", "CNTS", "PROPCNTS", "CPS", "XYZ", "", None, "bqml"),),
    "SUVType": (_pick("BW", "LBM", "LBMJAMES128", "LBMJANMA", "IBW", "BSA", "FOO", None, "bw "),),
    "DecayCorrection": (_pick("START", "ADMIN", "NONE", "FOO", "", None),),
    "CorrectedImage": (
        _pick(["ATTN", "DECY"], ["DECY", "SCAT"], ["NORM", "ATTN"], None, "ATTN", ["attn", "decy"], ["NORM"]),
    ),
    "ImageType": (_pick(["DERIVED", "PRIMARY"], ["ORIGINAL", "PRIMARY"]),),
    "Manufacturer": (_pick("SIEMENS", "GE MEDICAL SYSTEMS", "Philips", "Synthetic", "", None),),
    "SeriesTime": (_clock, _pick(None, "noon", "")),
    "SeriesDate": (_day, _pick(None, "19000101")),
    "RadiopharmaceuticalStartDateTime": (_later, _later, _pick(None, "19000101100000.00")),
    "RadiopharmaceuticalStartTime": (_clock, _pick(None, "noon", "")),
    "RadiopharmaceuticalInformationSequence": (),
    "AcquisitionDate": (_day, _pick(None, "19000101", "00010101", "20251345", "")),
    "AcquisitionTime": (_clock, _clock, _pick(None, "noon", "")),
    "FrameReferenceTime": (_added(-5e5, 5e5), _pick(None, "x", "", "0", "1e300", "9e9")),
    "ActualFrameDuration": (_pick("1", "60000", "1200000", "0", "-300000", None, "", "x"),),
    "RescaleSlope": (_scaled(0.1, 10), _pick(*_NO_NUMBER)),
    "RescaleIntercept": (_pick("0", "", None, "1", "-0.5", "x"),),
    # What the SUV does not depend on.
    "DecayFactor": (_pick("1.5", "0", "x", None),),
    "InstitutionName": (_pick("ATTN\\DECY", ""),),
    "StudyDescription": (_pick("Units=GML", ""),),
    "SliceThickness": (_pick("5.0", "x", None),),
}
_KEYWORDS = tuple(_CHANGES)
