"""Is the SUV plausible? Findings about a scan that is computed all the same, with the sources of their limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from records.imaging import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.image.volume import Volume
    from petct.suv.result import SuvResult


class Tracer(StrEnum):
    """Tracers whose limits are known; all others are only checked for what no tracer does."""

    GA68_SSTR = "68Ga-SSTR"
    F18_FDG = "18F-FDG"
    OTHER = "other"


@dataclass(frozen=True)
class Limits:
    """What is plausible for a tracer.

    Attributes
    ----------
    uptake_min
        Minutes from injection to the scan; the upper one is None where it is two half-lives.
    activity_mbq_per_kg
        Injected activity for the weight.
    organ_suv_mean
        Organ name -> range of its mean SUV.
    source
        Where the limits come from.
    """

    uptake_min: tuple[float, float | None]
    activity_mbq_per_kg: tuple[float, float]
    organ_suv_mean: tuple[tuple[str, tuple[float, float]], ...]
    source: str


LIMITS: dict[Tracer, Limits] = {
    Tracer.GA68_SSTR: Limits(
        (40.0, 90.0),
        (0.8, 5.0),
        (("liver", (2.3, 12.4)), ("spleen", (5.4, 34.0))),
        "EANM guideline 2017, doi 10.1007/s00259-017-3728-y",
    ),
    Tracer.F18_FDG: Limits((45.0, 90.0), (1.5, 10.0), (), "EANM guideline 2.0, doi 10.1007/s00259-014-2961-x"),
    Tracer.OTHER: Limits((0.0, None), (0.1, 20.0), (), "what no tracer of a patient exceeds"),
}
"""Limits by tracer: outside of them a scan is computed, and a finding says so."""

MOST_ACTIVITY_IN_FIELD = 1.1
"""Above this share of the injected activity in the image, its scale is wrong: activity does not multiply."""

_SSTR = re.compile(r"DOTA-?(?:TOC|TATE|NOC)|EDOTREOTIDE|DOTATATE|SSTR", re.IGNORECASE)
_FDG = re.compile(r"FDG|FLU(?:ORO|DE)[- ]?(?:DE)?OXYGLUCOSE", re.IGNORECASE)


def tracer_of(declared: str | None, radiopharmaceutical: str | None, radionuclide: str | None) -> Tracer:
    """The tracer, by its name in study.yaml, else in the header; the nuclide must not contradict it."""
    name = declared or radiopharmaceutical or ""
    if _SSTR.search(name) and (radionuclide == "68Ga" or (radionuclide is None and "68" in name)):
        return Tracer.GA68_SSTR
    if _FDG.search(name) and radionuclide in ("18F", None):
        return Tracer.F18_FDG
    return Tracer.OTHER


def scan_findings(result: SuvResult, declared_tracer: str | None) -> tuple[Finding, ...]:
    """What is not plausible about times, activity and image of a scan (findings of the table ``suv``)."""
    facts = result.facts
    tracer = tracer_of(declared_tracer, facts.radiopharmaceutical, facts.radionuclide)
    found: list[tuple[str, str]] = []
    uptake = _uptake(facts.uptake_duration_s, facts.half_life_s, tracer)
    if uptake is not None:
        found.append(("QC_UPTAKE_DURATION", uptake))
    activity = _activity(facts.injected_dose_bq, facts.patient_weight_kg, tracer)
    if activity is not None:
        found.append(("QC_ACTIVITY_PER_WEIGHT", activity))
    share = result.dose_share_in_field
    if share is not None and share > MOST_ACTIVITY_IN_FIELD:
        message = f"The image holds {share:.0%} of the injected activity: dose, weight, times or scale are wrong"
        found.append(("QC_ACTIVITY_EXCEEDS_DOSE", message))
    where = maximum_at_edge(result.volume)
    if where is not None:
        message = f"The largest SUV of the image, {float(result.volume.array.max()):.2f}, lies {where}"
        found.append(("QC_SUV_MAX_AT_EDGE", message))
    return tuple(
        Finding(result.patient_id, result.scan_id, result.series_instance_uid, "suv", code, "warning", message)
        for code, message in found
    )


def organ_finding(
    patient_id: str, scan_id: str, organ: str, suv: NDArray[np.floating], tracer: Tracer
) -> Finding | None:
    """A finding (of ``lesions``) when the mean SUV of an organ is not what the tracer gives a healthy one.

    Parameters
    ----------
    organ
        Name of the organ, as in ``Limits.organ_suv_mean``; others are not judged.
    suv
        SUV of the organ's voxels, those of tumours excluded.
    """
    limits = dict(LIMITS[tracer].organ_suv_mean).get(organ.lower())
    if limits is None or suv.size == 0:
        return None
    mean, (low, high) = float(suv.mean(dtype=np.float64)), limits
    if low <= mean <= high:
        return None
    message = f"Mean SUV of the {organ.lower()} is {mean:.2f}, for {tracer.value} {low:g} to {high:g} is expected"
    return Finding(patient_id, scan_id, None, "lesions", "QC_ORGAN_UPTAKE", "warning", message)


def maximum_at_edge(volume: Volume) -> str | None:
    """Where the largest value lies, when that is the edge of the field of view; None elsewhere.

    The edge is the first and the last slice, the border of the slice, and where the image begins to be exactly zero
    (outside the circle of reconstruction).
    """
    array = volume.array
    z, y, x = (int(i) for i in np.unravel_index(int(array.argmax()), array.shape))
    depth, rows, columns = array.shape
    if z in (0, depth - 1):
        return "on the first or last slice: the uptake is cut by the field of view"
    if y in (0, rows - 1) or x in (0, columns - 1) or not array[z, y - 1 : y + 2, x - 1 : x + 2].all():
        return "at the border of the transaxial field of view"
    return None


def _uptake(uptake_s: float | None, half_life_s: float | None, tracer: Tracer) -> str | None:
    if uptake_s is None:
        return None
    low, high = LIMITS[tracer].uptake_min
    if high is None:
        high = 2 * half_life_s / 60 if half_life_s is not None else np.inf
    minutes = uptake_s / 60
    if low <= minutes <= high:
        return None
    return f"Uptake of {minutes:.0f} minutes, for {tracer.value} {low:.0f} to {high:.0f} is usual ({_source(tracer)})"


def _activity(dose_bq: float | None, weight_kg: float | None, tracer: Tracer) -> str | None:
    if dose_bq is None or weight_kg is None:
        return None
    low, high = LIMITS[tracer].activity_mbq_per_kg
    per_kg = dose_bq / 1e6 / weight_kg
    if low <= per_kg <= high:
        return None
    return f"{per_kg:.2f} MBq/kg were injected, for {tracer.value} {low:g} to {high:g} is usual ({_source(tracer)})"


def _source(tracer: Tracer) -> str:
    return LIMITS[tracer].source
