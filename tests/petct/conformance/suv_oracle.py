"""What an SUV must be, or why it must be refused: the rules once more, from the header's texts and by other means.

Nothing of petlake is imported here. An SUV is the stored value times the slope over ``Expected.one_suv``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.some import some

Text = str | list[str] | None

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_PADDING = " \0"
_CODES = {"C-111A1": "18F", "C-131A3": "68Ga", "C-168A4": "89Zr", "C-127A2": "64Cu", "C-128A2": "68Ge"}
_MEANINGS = {"^18^FLUORINE": "18F", "^68^GALLIUM": "68Ga", "^89^ZIRCONIUM": "89Zr"}
_HALF_LIVES = {"18F": 6586.2, "68Ga": 4057.7, "89Zr": 78.4 * 3600, "64Cu": 12.7 * 3600, "68Ge": 270.95 * 86400}


@dataclass
class Header:
    """The texts of a series: what all slices share, each slice's own, and private elements by (creator, offset)."""

    shared: dict[str, Text]
    slices: list[dict[str, Text]]
    private: dict[tuple[str, int], str]
    n_radiopharmaceuticals: int = 1


class Expected:
    """The codes of which one must be the refusal; if there are none, the value and the adaptations beside it."""

    def __init__(self) -> None:
        self.refusals: set[str] = set()
        self.adaptations: set[str] = set()
        self.one_suv: list[float] = []


def number(text: Text) -> float | None:
    """The text as a number, by the rules of a decimal string; None when it is none."""
    if not isinstance(text, str) or not _NUMBER.fullmatch(text.strip(_PADDING)):
        return None
    value = float(text.strip(_PADDING))
    return value if math.isfinite(value) else None


def word(text: Text) -> str:
    """A code string without padding, in capitals."""
    return "" if text is None or isinstance(text, list) else text.strip(_PADDING).upper()


def moment(day: Text, clock: Text) -> datetime | None:
    """Date and time of day as one moment; None when either is not readable."""
    if not isinstance(day, str) or not isinstance(clock, str):
        return None
    found = re.fullmatch(r"(\d{8}) (\d{6})(?:\.(\d{1,6}))?", f"{day.strip(_PADDING)} {clock.strip(_PADDING)}")
    if found is None:
        return None
    try:
        whole = datetime.strptime(found[1] + found[2], "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return whole + timedelta(seconds=float(f"0.{found[3] or 0}"))


def expect(header: Header) -> Expected:
    """What a series with this header must give."""
    out = Expected()
    shared = header.shared
    units, decay = word(shared.get("Units")), word(shared.get("DecayCorrection"))
    _corrections(shared, units, decay, out)
    n = len(header.slices)
    _rescale(header, out)
    if units == "BQML":
        _activity(header, decay, 1.0, out)
    elif units == "GML":
        _gml(shared, decay, n, out)
    elif units == "CM2ML":
        if decay == "NONE":
            out.refusals.add("SUV_NOT_DECAY_CORRECTED")
        if word(shared.get("SUVType")) not in ("", "BSA"):
            out.refusals.add("SUV_TYPE_UNSUPPORTED")
        weight, size = _weight(shared, out), _size(shared, out)
        if weight and size:
            out.one_suv = [0.007184 * (100 * size) ** 0.725 * weight**0.425 * 10 / weight] * n
            out.adaptations.add("SUV_TYPE_CONVERTED")
    elif units == "CNTS":
        _counts(header, decay, out)
    else:
        out.refusals.add("SUV_UNITS_UNSUPPORTED")
    return out


def _corrections(shared: Mapping[str, Text], units: str, decay: str, out: Expected) -> None:
    corrected = shared.get("CorrectedImage") or []
    done = {word(part) for part in (corrected if isinstance(corrected, list) else [corrected])}
    kinds = shared.get("ImageType")
    if not corrected and units in ("GML", "CM2ML") and "DERIVED" in [word(part) for part in kinds or []]:
        return
    if "ATTN" not in done:
        out.refusals |= {"SUV_NOT_ATTENUATION_CORRECTED", "NOT_ATTENUATION_CORRECTED"}
    elif decay != "NONE" and "DECY" not in done:
        out.refusals.add("SUV_NOT_DECAY_CORRECTED")


def _rescale(header: Header, out: Expected) -> None:
    for one in header.slices:
        slope, intercept = one.get("RescaleSlope"), one.get("RescaleIntercept")
        if not word(slope):
            out.refusals.add("HEADER_VALUE_MISSING")
        elif number(slope) is None:
            out.refusals.add("HEADER_VALUE_INVALID")
        elif float(number(slope) or 0) <= 0:
            out.refusals.add("RESCALE_SLOPE_INVALID")
        if word(intercept) and number(intercept) is None:
            out.refusals.add("HEADER_VALUE_INVALID")
        elif number(intercept):
            out.refusals.add("PET_INTERCEPT_NONZERO")


def _weight(shared: Mapping[str, Text], out: Expected) -> float | None:
    found = number(shared.get("PatientWeight"))
    if found is None or found <= 0:
        out.refusals.add("SUV_WEIGHT_MISSING")
        return None
    if found > 1e6:
        out.refusals.add("SUV_WEIGHT_IMPLAUSIBLE")
    if found > 1000:
        out.adaptations.add("SUV_WEIGHT_GRAMS")
        return found / 1000
    return found


def _size(shared: Mapping[str, Text], out: Expected) -> float | None:
    found = number(shared.get("PatientSize"))
    if found is None or found <= 0:
        out.refusals.add("SUV_SIZE_MISSING")
        return None
    if found > 300:
        out.refusals.add("SUV_SIZE_IMPLAUSIBLE")
    if found > 3:
        out.adaptations.add("SUV_SIZE_CENTIMETRES")
        return found / 100
    return found


def _gml(shared: Mapping[str, Text], decay: str, n: int, out: Expected) -> None:
    if decay == "NONE":
        out.refusals.add("SUV_NOT_DECAY_CORRECTED")
    kind = word(shared.get("SUVType"))
    if kind in ("", "BW"):
        out.one_suv = [1.0] * n
        return
    if kind not in ("LBMJAMES128", "LBMJANMA", "IBW"):
        out.refusals.add("SUV_TYPE_UNSUPPORTED")
        return
    weight, size, sex = _weight(shared, out), _size(shared, out), word(shared.get("PatientSex"))
    if sex not in ("M", "F", "O"):
        out.refusals.add("SUV_SEX_MISSING")
    if weight is None or size is None or out.refusals & {"SUV_SEX_MISSING"}:
        return
    if sex == "O":
        out.adaptations.add("SUV_SEX_MEAN")
    height, bmi = 100 * size, weight / (size * size)
    male, female = {
        "LBMJAMES128": (1.10 * weight - 128 * (weight / height) ** 2, 1.07 * weight - 148 * (weight / height) ** 2),
        "LBMJANMA": (9270 * weight / (6680 + 216 * bmi), 9270 * weight / (8780 + 244 * bmi)),
        "IBW": (48.0 + 1.06 * (height - 152), 45.5 + 0.91 * (height - 152)),
    }[kind]
    body = {"M": male, "F": female, "O": (male + female) / 2}[sex]
    if body <= 0:
        out.refusals.add("SUV_BODY_SIZE_IMPLAUSIBLE")
        return
    out.one_suv = [body / weight] * n
    out.adaptations.add("SUV_TYPE_CONVERTED")


def _counts(header: Header, decay: str, out: Expected) -> None:
    if "PHILIPS" not in word(header.shared.get("Manufacturer")):
        out.refusals.add("SUV_COUNTS_UNSCALED")
        return
    activity, suv = (number(header.private.get(("Philips PET Private Group", offset))) for offset in (0x09, 0x00))
    if activity is not None and activity > 0:
        out.adaptations.add("SUV_PHILIPS_ACTIVITY_FACTOR")
        _activity(header, decay, activity, out)
    elif suv is not None and suv > 0:
        out.adaptations.add("SUV_PHILIPS_SUV_FACTOR")
        if decay == "NONE":
            out.refusals.add("SUV_NOT_DECAY_CORRECTED")
        out.one_suv = [1 / suv] * len(header.slices)
    else:
        out.refusals.add("SUV_COUNTS_UNSCALED")


def _half_life(header: Header, out: Expected) -> float | None:
    half_life = number(header.shared.get("RadionuclideHalfLife"))
    if half_life is None or half_life <= 0:
        out.refusals.add("SUV_HALF_LIFE_MISSING")
        return None
    nuclide = _CODES.get(word(header.shared.get("CodeValue"))) or _MEANINGS.get(word(header.shared.get("CodeMeaning")))
    if nuclide is not None and not 0.98 <= half_life / _HALF_LIVES[nuclide] <= 1.02:
        out.refusals.add("SUV_HALF_LIFE_MISMATCH")
    return half_life


def _activity(header: Header, decay: str, bq_per_ml: float, out: Expected) -> None:
    weight = _weight(header.shared, out)
    dose = number(header.shared.get("RadionuclideTotalDose"))
    if header.n_radiopharmaceuticals > 1:
        out.refusals.add("SUV_SEVERAL_RADIOPHARMACEUTICALS")
    if dose is None or dose <= 0:
        out.refusals.add("SUV_DOSE_MISSING")
    elif dose < 1e4:
        out.adaptations.add("SUV_DOSE_MBQ")
        dose *= 1e6
    half_life = _half_life(header, out)
    if decay not in ("START", "ADMIN", "NONE"):
        out.refusals.add("SUV_DECAY_CORRECTION_UNKNOWN")
    if not weight or not dose or dose <= 0 or not half_life or out.refusals:
        return
    one_suv = dose / (1000 * weight) / bq_per_ml
    n = len(header.slices)
    if decay == "ADMIN":
        out.one_suv = [one_suv] * n
        return
    if decay == "START":
        reference = _scan_start(header, out) or _reference(header, half_life, out)
        uptake = None if reference is None else _uptake(header.shared, reference, half_life, out)
        out.one_suv = [] if uptake is None else [one_suv * 0.5 ** (uptake / half_life)] * n
        return
    starts = _acquired(header, out)
    if starts is None:
        return
    first = min(starts)
    uptake = _uptake(header.shared, first, half_life, out)
    durations = [number(one.get("ActualFrameDuration")) for one in header.slices]
    if any(duration is None or duration <= 0 for duration in durations):
        out.refusals.add("SUV_FRAME_DURATION_MISSING")
        return
    if uptake is None:
        return
    for start, duration in some(zip(starts, durations, strict=True)):
        assert duration is not None
        begin = uptake + (start - first).total_seconds()
        # The mean over the frame of a dose that halves: an integral of 2^(-t / half-life).
        end = begin + duration / 1000
        lost = (0.5 ** (begin / half_life) - 0.5 ** (end / half_life)) * half_life / math.log(2)
        out.one_suv.append(one_suv * lost / (end - begin))


def _starts(header: Header) -> list[tuple[datetime | None, bool]]:
    """For each slice when it was acquired, and whether the date is that of the acquisition."""
    found = []
    for one in header.slices:
        days = (one.get("AcquisitionDate"), header.shared.get("SeriesDate"), header.shared.get("StudyDate"))
        starts = [moment(day, one.get("AcquisitionTime")) for day in days]
        found.append((next((each for each in starts if each is not None), None), starts[0] is not None))
    return found


def _acquired(header: Header, out: Expected) -> list[datetime] | None:
    found = [start for start, _ in _starts(header) if start is not None]
    if len(found) < len(header.slices):
        out.refusals.add("SUV_ACQUISITION_TIME_MISSING")
        return None
    if not all(is_own for _, is_own in _starts(header)):
        out.adaptations.add("SUV_ACQUISITION_DATE_SUBSTITUTED")
    if "SUV_ACQUISITION_DATE_SUBSTITUTED" in out.adaptations and max(found) - min(found) > timedelta(hours=12):
        out.refusals.add("SUV_ACQUISITION_DATE_AMBIGUOUS")
    if max(found) - min(found) > timedelta(hours=12):
        out.refusals.add("SUV_ACQUISITION_TIMES_APART")
    return found


def _scan_start(header: Header, out: Expected) -> datetime | None:
    """The vendor's private scan start, when it is near the acquisition."""
    starts = [start for start, _ in _starts(header) if start is not None]
    for creator, offset in (("SIEMENS MED PT", 0x22), ("GEMS_PETD_01", 0x0D)):
        text = header.private.get((creator, offset), "")
        stated = moment(text[:8], text[8:])
        if stated is not None and (not starts or abs(stated - min(starts)) <= timedelta(hours=12)):
            return stated
        if stated is not None:
            out.adaptations.add("SUV_SCAN_START_IMPLAUSIBLE")
    return None


def _reference(header: Header, half_life: float, out: Expected) -> datetime | None:
    starts = _acquired(header, out)
    if starts is None:
        return None
    first = min(starts)
    series = moment("20000101", header.shared.get("SeriesTime"))
    if series is not None and series.strftime("%H%M%S") == first.strftime("%H%M%S"):
        return first
    maker = word(header.shared.get("Manufacturer"))
    earliest = [one for one, start in zip(header.slices, starts, strict=True) if start == first]
    offsets = [(number(one.get("FrameReferenceTime")), number(one.get("ActualFrameDuration"))) for one in earliest]
    known = [pair for pair in offsets if pair[0] is not None]
    offset, duration = min(known, key=lambda pair: pair[0]) if known else (None, offsets[0][1])
    is_ge = "GE" in maker.split() or "GENERAL" in maker.split()
    if not maker or offset is None or (not is_ge and (duration is None or duration <= 0)):
        out.refusals.add("SUV_REFERENCE_TIME_UNKNOWN")
        return None
    out.adaptations.add("SUV_REFERENCE_FROM_FRAME_START" if is_ge else "SUV_REFERENCE_FROM_FRAME_MEAN")
    later_s = -offset / 1000
    if not is_ge and duration is not None:
        x = duration / 1000 * math.log(2) / half_life
        later_s += half_life * math.log2(x / (1 - math.exp(-x)))
    if abs(later_s) > 12 * 3600:
        out.refusals.add("SUV_REFERENCE_TIME_UNKNOWN")
        return None
    return first + timedelta(seconds=later_s)


def _uptake(shared: Mapping[str, Text], reference: datetime, half_life: float, out: Expected) -> float | None:
    """Seconds from administration to the reference; the time of day is compared modulo a day."""
    whole = shared.get("RadiopharmaceuticalStartDateTime")
    stated = moment(whole[:8], whole[8:]) if isinstance(whole, str) else None
    clock = moment("20000101", shared.get("RadiopharmaceuticalStartTime"))
    if stated is not None:
        uptake = (reference - stated).total_seconds()
        if -3600 <= uptake <= 2 * half_life:
            return uptake
        clock = stated
    if clock is None:
        out.refusals.add("SUV_ADMINISTRATION_TIME_MISSING")
        return None
    if half_life >= 41400:
        out.refusals.add("SUV_ADMINISTRATION_DATE_UNKNOWN")
        return None
    if reference.year == 1 and _second_of_day(clock) > _second_of_day(reference):
        out.refusals.add("SUV_ADMINISTRATION_DATE_UNKNOWN")
        return None
    rebuilt = _second_of_day(reference) - _second_of_day(clock)
    rebuilt += 86400 if rebuilt < 0 else 0
    if rebuilt > 4 * half_life:
        out.refusals.add("SUV_UPTAKE_IMPLAUSIBLE")
        return None
    out.adaptations.add("SUV_ADMINISTRATION_DATE_REBUILT")
    return rebuilt


def _second_of_day(when: datetime) -> float:
    return 3600 * when.hour + 60 * when.minute + when.second + when.microsecond / 1e6
