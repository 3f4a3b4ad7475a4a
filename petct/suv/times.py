"""The two reference times of an SUV: when the dose was given, and the time to which the image is decay corrected."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from petct.dicom.pet_header import SCAN_START_KEYWORDS
from petct.suv.decay import decay_constant, frame_factor, mean_activity_time_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from petct.dicom.images import PetHeader, PetSeries, PetSlice
    from petct.suv.account import SuvAccount

REBUILDABLE_HALF_LIFE_S = 41400.0
"""Below this half-life the date of administration may be taken from the scan: a day earlier would leave no signal."""

CORRECTED_TO_DATETIME = "DATETIME"
"""Decay Correction of Enhanced PET that is corrected to its Decay Correction DateTime (0018,9701)."""

_EARLIEST_UPTAKE_S = -3600.0
_STATED_UPTAKE_HALF_LIVES = 2.0
_REBUILT_UPTAKE_HALF_LIVES = 4.0
_SCAN_WINDOW = timedelta(hours=12)
_DECAY_FACTOR_TOLERANCE = 0.005
_TIMES_DIFFER_S = 60.0
_LARGEST_EXPONENT = 700.0


def earliest_slice(series: PetSeries, account: SuvAccount) -> tuple[PetSlice, datetime]:
    """The slice acquired first, and when; among equals the one with the smallest Frame Reference Time.

    Raises
    ------
    SuvError
        SUV_ACQUISITION_TIME_MISSING, SUV_ACQUISITION_DATE_AMBIGUOUS, SUV_ACQUISITION_TIMES_APART.
    """
    times = acquisition_times(series.slices, account)
    keywords = {one.acquisition_date_keyword for one in series.slices} - {"AcquisitionDate", "AcquisitionDateTime"}
    if keywords:
        if max(times) - min(times) > _SCAN_WINDOW:
            raise account.refusal(
                "SUV_ACQUISITION_DATE_AMBIGUOUS",
                "The slices have times on both sides of midnight and no dates",
                "AcquisitionDate",
            )
        if None in keywords:
            message = "No date of the scan is stated; the uptake follows from the times of day alone."
            account.adapt("SUV_ACQUISITION_DATE_UNKNOWN", "AcquisitionDate", None, None, message)
        else:
            source = ", ".join(sorted(keyword for keyword in keywords if keyword is not None))
            message = f"The slices have no acquisition date; it was taken from {source}."
            account.adapt("SUV_ACQUISITION_DATE_SUBSTITUTED", "AcquisitionDate", None, min(times).date(), message)

    if max(times) - min(times) > _SCAN_WINDOW:
        raise account.refusal(
            "SUV_ACQUISITION_TIMES_APART",
            "The slices were acquired so far apart that they are not of one scan",
            "AcquisitionDate",
            f"{min(times)} to {max(times)}",
            f"at most {_SCAN_WINDOW}",
        )

    def rank(index: int) -> tuple[datetime, float]:
        reference = series.slices[index].frame_reference_s
        return times[index], math.inf if reference is None else reference

    first = min(range(len(times)), key=rank)
    return series.slices[first], times[first]


def require_day_of_scan(series: PetSeries, half_life_s: float, account: SuvAccount) -> None:
    """Refuse the day of the study in place of the scan's where the scan may be days after the injection.

    Raises
    ------
    SuvError
        SUV_ACQUISITION_DATE_AMBIGUOUS.
    """
    if half_life_s < REBUILDABLE_HALF_LIFE_S:
        return
    if any(one.acquisition_date_keyword == "StudyDate" for one in series.slices):
        raise account.refusal(
            "SUV_ACQUISITION_DATE_AMBIGUOUS",
            "Only the day of the study is stated, and this nuclide can be imaged days after it",
            "AcquisitionDate",
        )


def acquisition_times(slices: Sequence[PetSlice], account: SuvAccount) -> list[datetime]:
    """When each slice was acquired; raises ``SuvError`` SUV_ACQUISITION_TIME_MISSING."""
    times = [one.acquisition for one in slices if one.acquisition is not None]
    if len(times) < len(slices) or not times:
        raise account.refusal(
            "SUV_ACQUISITION_TIME_MISSING",
            f"{len(slices) - len(times)} of {len(slices)} slices have no acquisition date and time",
            "AcquisitionTime",
        )
    return times


def reference_time(series: PetSeries, half_life_s: float, account: SuvAccount) -> datetime:
    """The one time to which a series is corrected, by the first rule that applies.

    Enhanced PET states it. Else: (i) the vendor's private scan start; (ii) the earliest acquisition, when it is the
    series time to the second; (iii) not GE: acquisition + T_ave - Frame Reference Time of the earliest slice; (iv) GE:
    acquisition - Frame Reference Time (IBSI-SUV guideline).

    Raises
    ------
    SuvError
        SUV_REFERENCE_TIME_UNKNOWN and those of ``earliest_slice``.
    """
    if series.header.decay_correction == CORRECTED_TO_DATETIME:
        corrected_to = series.header.decay_correction_datetime
        if corrected_to is None:
            raise account.refusal(
                "SUV_REFERENCE_TIME_UNKNOWN",
                "The image is decay corrected, but the time to which it is corrected is not stated",
                "DecayCorrectionDateTime",
            )
        return corrected_to
    scan_start = _private_scan_start(series, account)
    if scan_start is not None:
        return scan_start
    first, acquired_at = earliest_slice(series, account)
    require_day_of_scan(series, half_life_s, account)
    series_time = series.header.series_time
    if series_time is not None and acquired_at.time().replace(microsecond=0) == series_time.replace(microsecond=0):
        return acquired_at
    manufacturer = (series.header.manufacturer or "").upper()
    if not manufacturer:
        raise account.refusal(
            "SUV_REFERENCE_TIME_UNKNOWN", "The meaning of Frame Reference Time depends on the vendor", "Manufacturer"
        )
    if first.frame_reference_s is None:
        raise account.refusal(
            "SUV_REFERENCE_TIME_UNKNOWN",
            "The acquisition does not begin with the series, and how much later is not stated",
            "FrameReferenceTime",
        )
    if is_ge(manufacturer):
        after_acquisition_s = -first.frame_reference_s
        code, rule = "SUV_REFERENCE_FROM_FRAME_START", "acquisition time - Frame Reference Time (GE)"
    else:
        if not first.frame_duration_s or first.frame_duration_s < 0:
            raise account.refusal(
                "SUV_REFERENCE_TIME_UNKNOWN",
                "The acquisition does not begin with the series, and the frame duration is not stated",
                "ActualFrameDuration",
                first.frame_duration_s,
            )
        after_acquisition_s = mean_activity_time_s(half_life_s, first.frame_duration_s) - first.frame_reference_s
        code, rule = "SUV_REFERENCE_FROM_FRAME_MEAN", "acquisition time + T_ave - Frame Reference Time"
    if abs(after_acquisition_s) > _SCAN_WINDOW.total_seconds():
        raise account.refusal(
            "SUV_REFERENCE_TIME_UNKNOWN",
            "Frame Reference Time leads to a time that is not near the acquisition",
            "FrameReferenceTime",
            f"{first.frame_reference_s:g} s",
            f"within {_SCAN_WINDOW} of the acquisition",
        )
    reference = acquired_at + timedelta(seconds=after_acquisition_s)
    message = f"The acquisition does not begin at the series time; the reference time is {rule} of the earliest slice."
    account.adapt(code, "FrameReferenceTime", series_time, reference, message)
    return reference


def _private_scan_start(series: PetSeries, account: SuvAccount) -> datetime | None:
    """The vendor's private scan start, where it is stated and near the acquisition; what is not used is noted."""
    stated = sorted({one.scan_start for one in series.slices if one.scan_start is not None})
    if stated:
        acquired = [one.acquisition for one in series.slices if one.acquisition is not None]
        if not acquired or abs(stated[0] - min(acquired)) <= _SCAN_WINDOW:
            if len(stated) > 1:
                message = "The private scan start differs between slices; the earliest was used."
                account.adapt("SUV_SCAN_START_VARIES", "ScanStart (private)", stated[-1], stated[0], message)
            return stated[0]
        message = "The private scan start is not near the acquisition and was not used."
        account.adapt("SUV_SCAN_START_IMPLAUSIBLE", "ScanStart (private)", stated[0], None, message)
    for keyword in SCAN_START_KEYWORDS:
        unreadable = account.damaged(keyword)
        if unreadable is not None:
            message = "The private scan start cannot be read and was not used."
            account.adapt("SUV_SCAN_START_UNREADABLE", keyword, unreadable, None, message)
    return None


def administration_time(header: PetHeader, reference: datetime, half_life_s: float, account: SuvAccount) -> datetime:
    """When the dose was given: the stated date-time where it fits the scan, else its time of day before the reference.

    Raises
    ------
    SuvError
        SUV_ADMINISTRATION_TIME_MISSING, SUV_ADMINISTRATION_DATE_UNKNOWN, SUV_UPTAKE_IMPLAUSIBLE.
    """
    stated = header.start_datetime
    if stated is not None:
        uptake = (reference - stated).total_seconds()
        if _EARLIEST_UPTAKE_S <= uptake < _STATED_UPTAKE_HALF_LIVES * half_life_s:
            _compare_times(stated, header, account)
            return stated
        keyword, found, time_of_day = "RadiopharmaceuticalStartDateTime", str(stated), stated.time()
        reason = f"an uptake of {uptake:.0f} s does not fit the half-life"
    elif header.start_time is not None:
        keyword, found, time_of_day = "RadiopharmaceuticalStartTime", str(header.start_time), header.start_time
        reason = "the header states a time of day only"
        broken = account.damaged("RadiopharmaceuticalStartDateTime")
        if broken is not None:
            keyword, found, reason = "RadiopharmaceuticalStartDateTime", broken, "it cannot be read"
    else:
        raise account.refusal(
            "SUV_ADMINISTRATION_TIME_MISSING",
            "The header does not say when the dose was given",
            "RadiopharmaceuticalStartDateTime",
            hint="Give the time of injection in the clinical table.",
        )
    if half_life_s >= REBUILDABLE_HALF_LIFE_S:
        raise account.refusal(
            "SUV_ADMINISTRATION_DATE_UNKNOWN",
            "The date of administration is not certain, and this nuclide can be imaged days later",
            keyword,
            found,
            f"a date-time up to {_STATED_UPTAKE_HALF_LIVES:g} half-lives before {reference}",
        )
    rebuilt = datetime.combine(reference.date(), time_of_day)
    if rebuilt > reference and reference.date() == date.min:
        raise account.refusal(
            "SUV_ADMINISTRATION_DATE_UNKNOWN",
            "There is no day before the scan on which the dose could have been given",
            "AcquisitionDate",
            str(reference),
        )
    if rebuilt > reference:
        rebuilt -= timedelta(days=1)
    uptake = (reference - rebuilt).total_seconds()
    if uptake > _REBUILT_UPTAKE_HALF_LIVES * half_life_s:
        raise account.refusal(
            "SUV_UPTAKE_IMPLAUSIBLE",
            "No date makes the time of administration fit the scan",
            keyword,
            f"{found}, {uptake:.0f} s before {reference}",
            f"at most {_REBUILT_UPTAKE_HALF_LIVES:g} half-lives",
        )
    message = f"The date of administration was taken from the reference time: {reason}."
    account.adapt("SUV_ADMINISTRATION_DATE_REBUILT", keyword, found, rebuilt, message)
    return rebuilt


def undecayed(
    series: PetSeries, administration: datetime, half_life_s: float, account: SuvAccount
) -> NDArray[np.float64]:
    """For each slice of an image without decay correction: activity at administration / mean activity in the frame.

    Enhanced PET states when a frame had its mean activity (Frame Reference DateTime); otherwise it follows from the
    frame's start and duration.

    Raises
    ------
    SuvError
        SUV_FRAME_DURATION_MISSING, SUV_ACQUISITION_TIME_MISSING.
    """
    rate = decay_constant(half_life_s)
    times = acquisition_times(series.slices, account)
    factors = []
    misfits = 0
    for one, start in zip(series.slices, times, strict=True):
        duration = one.frame_duration_s or 0.0
        if one.frame_reference is not None:
            delay = (one.frame_reference - administration).total_seconds()
            if duration > 0:
                computed = (start - administration).total_seconds() + mean_activity_time_s(half_life_s, duration)
                misfits += abs(math.expm1(rate * (computed - delay))) > _DECAY_FACTOR_TOLERANCE
            factors.append(math.exp(rate * delay))
        elif duration > 0:
            delay = (start - administration).total_seconds()
            factors.append(frame_factor(half_life_s, duration) * math.exp(rate * delay))
        else:
            raise account.refusal(
                "SUV_FRAME_DURATION_MISSING",
                "Without decay correction every slice needs the duration of its frame",
                "ActualFrameDuration",
            )
    if misfits:
        account.note(
            "SUV_FRAME_REFERENCE_MISFIT",
            f"Frame Reference DateTime (used) of {misfits} of {len(factors)} frames is not the time of the mean "
            "activity that follows from the frame's start and duration",
            "FrameReferenceDateTime",
        )
    return np.array(factors)


def check_decay_factors(series: PetSeries, reference: datetime, half_life_s: float, account: SuvAccount) -> None:
    """Note slices whose Decay Factor (0054,1321) does not lead from their frame to the reference time.

    Expected is exp(lambda (frame start - reference)) x lambda T / (1 - exp(-lambda T)). Where all slices repeat one
    acquisition time (as after some anonymisers) their Frame Reference Times tell the frames apart.
    """
    starts = [one.acquisition for one in series.slices]
    offsets = [one.frame_reference_s for one in series.slices]
    known = [offset for offset in offsets if offset is not None]
    repeated = len(set(starts)) == 1 and len(known) == len(offsets)
    lambda_ = decay_constant(half_life_s)
    misfits: list[tuple[float, float]] = []
    for one, start, offset in zip(series.slices, starts, offsets, strict=True):
        factor, duration = one.decay_factor or 0.0, one.frame_duration_s or 0.0
        if start is None or factor <= 0 or duration <= 0:
            continue
        delay = (start - reference).total_seconds()
        if repeated and offset is not None:
            delay += offset - min(known)
        # A slice whose clock is years away from the others must not overflow.
        expected = math.exp(min(lambda_ * delay, _LARGEST_EXPONENT)) * frame_factor(half_life_s, duration)
        if abs(factor - expected) > _DECAY_FACTOR_TOLERANCE * expected:
            misfits.append((factor, expected))
    if misfits:
        found, expected = max(misfits, key=lambda pair: abs(pair[0] - pair[1]))
        account.note(
            "SUV_DECAY_FACTOR_MISFIT",
            f"The decay factor of {len(misfits)} of {len(series.slices)} slices does not fit the reference time "
            f"{reference}: up to {found:.5g} where {expected:.5g} is expected",
            "DecayFactor",
        )


def is_ge(manufacturer: str | None) -> bool:
    """Whether the scanner is GE's, whose Frame Reference Time is the start of the frame."""
    words = (manufacturer or "").upper().replace(",", " ").split()
    return bool({"GE", "GEMS", "GENERAL"} & set(words))


def _compare_times(stated: datetime, header: PetHeader, account: SuvAccount) -> None:
    if header.start_time is None:
        return
    apart = abs((datetime.combine(stated.date(), header.start_time) - stated).total_seconds())
    if min(apart, 86400 - apart) > _TIMES_DIFFER_S:
        account.note(
            "SUV_ADMINISTRATION_TIMES_DIFFER",
            f"The dose was given at {stated} (Start DateTime, used) or at {header.start_time} (Start Time, not used)",
            "RadiopharmaceuticalStartTime",
        )
