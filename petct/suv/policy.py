"""What may be assumed on the way to an SUV: the guideline's path, or only what the header states."""

from __future__ import annotations

from enum import StrEnum


class SuvPolicy(StrEnum):
    """How to treat a header that says less, or other things, than the straight path needs.

    ``LENIENT`` is the path of the IBSI-SUV guideline: plain slips are adapted and recorded. ``STRICT`` refuses where a
    unit, a date or a correction would be assumed, and where the header contradicts itself
    (``REFUSED_WHEN_STRICT``). What only follows from stated elements by a formula (another SUV type, Philips' scale
    factors, the reference time from Frame Reference Time) is an adaptation under both.
    """

    LENIENT = "lenient"
    STRICT = "strict"


REFUSED_WHEN_STRICT = {
    "SUV_DOSE_MBQ": "a unit is assumed",
    "SUV_WEIGHT_GRAMS": "a unit is assumed",
    "SUV_SIZE_CENTIMETRES": "a unit is assumed",
    "SUV_SEX_MEAN": "a formula is assumed",
    "SUV_ADMINISTRATION_DATE_REBUILT": "a date is assumed",
    "SUV_ACQUISITION_DATE_SUBSTITUTED": "a date is assumed",
    "SUV_ACQUISITION_DATE_UNKNOWN": "a date is assumed",
    "SUV_CORRECTIONS_NOT_STATED": "corrections are assumed",
    "SUV_SCAN_START_VARIES": "the header contradicts itself",
    "SUV_SCAN_START_IMPLAUSIBLE": "the header contradicts itself",
    "SUV_ADMINISTRATION_TIMES_DIFFER": "the header contradicts itself",
    "SUV_DECAY_CORRECTION_CONTRADICTORY": "the header contradicts itself",
    "SUV_DECAY_FACTOR_MISFIT": "the header contradicts itself",
    "SUV_FRAME_REFERENCE_MISFIT": "the header contradicts itself",
    "SUV_NUCLIDE_UNKNOWN": "the half-life cannot be checked",
}
"""Codes of adaptations and findings that the policy ``strict`` refuses, each with the reason."""
