"""Body-weight SUV from a PET series, by the IBSI-SUV guideline; what cannot be computed without guessing is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from petct.errors import SuvError
from petct.image.volume import Volume
from petct.suv import body_size
from petct.suv.account import SuvAccount
from petct.suv.decay import decay_constant, nuclide_of
from petct.suv.inputs import dose_bq, half_life_of, if_stated, sex_of, size_m, stated_administration, weight_kg
from petct.suv.override_cells import NO_OVERRIDES, SuvOverrides
from petct.suv.overrides import overridden
from petct.suv.policy import SuvPolicy
from petct.suv.result import SuvFacts, SuvResult
from petct.suv.size_factors import body_size_factors
from petct.suv.times import (
    CORRECTED_TO_DATETIME,
    administration_time,
    check_decay_factors,
    earliest_slice,
    reference_time,
    require_day_of_scan,
    undecayed,
)

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from petct.dicom.images import PetSeries


_NOT_STATED = "NOT_STATED"


def compute_suv(
    series: PetSeries,
    scan_id: str,
    policy: SuvPolicy = SuvPolicy.LENIENT,
    overrides: SuvOverrides = NO_OVERRIDES,
) -> SuvResult:
    """The body-weight SUV of a PET series.

    Parameters
    ----------
    series
        As ``petct.dicom.series.read_pet`` gives it: values in the units of the header, and the header's facts.
    scan_id
        Names the scan in the rows of adaptations and findings.
    policy
        What may be assumed; see ``SuvPolicy``.
    overrides
        What the chart says in place of the header; see ``petct.suv.overrides``.

    Raises
    ------
    SuvError
        A coded refusal with the DICOM keyword and the series, for whatever could only be guessed.
    """
    account = SuvAccount(series, scan_id, policy)
    series = overridden(series, overrides, account)
    _check_corrections(series, account)
    units = series.header.units
    if units == "BQML":
        array, facts = _from_activity(series, 1.0, account)
    elif units == "GML":
        array, facts = _from_gml(series, account)
    elif units == "CM2ML":
        array, facts = _from_cm2ml(series, account)
    elif units == "CNTS":
        array, facts = _from_counts(series, account)
    else:
        raise account.refusal(
            "SUV_UNITS_UNSUPPORTED",
            "The units of the image cannot become an SUV",
            "Units",
            units,
            "BQML, GML, CM2ML or CNTS",
        )
    if not np.isfinite(array).all():
        message = "A value of the image is beyond every number that an SUV can be"
        raise account.refusal(
            "SUV_NOT_FINITE", message, "RescaleSlope", max(one.rescale_slope for one in series.slices)
        )
    if any(one.acquisition is not None and one.acquisition_date_keyword is None for one in series.slices):
        # Times of day were enough for the uptake, but they are no date-times.
        facts = replace(facts, administration_datetime=None, reference_datetime=None)
    return SuvResult(
        series.patient_id,
        scan_id,
        series.series_instance_uid,
        Volume(array, series.volume.geometry),
        facts,
        body_size_factors(series, scan_id, account),
        policy,
        tuple(account.adaptations),
        tuple(account.findings),
    )


def _check_corrections(series: PetSeries, account: SuvAccount) -> None:
    """Attenuation must be corrected, and decay unless Decay Correction is NONE."""
    header = series.header
    if header.is_declared:
        message = "The file does not say what its values are; study.yaml does."
        account.adapt("SUV_UNITS_DECLARED", "Units", None, header.units, message)
        return
    corrected = header.corrected_image
    if not corrected and header.units in ("GML", "CM2ML") and "DERIVED" in header.image_type:
        message = "The derived image does not repeat the corrections of its source; they were taken as done."
        account.adapt("SUV_CORRECTIONS_NOT_STATED", "CorrectedImage", None, None, message)
        return
    if "ATTN" not in corrected:
        raise account.refusal(
            "SUV_NOT_ATTENUATION_CORRECTED",
            "The image is not corrected for attenuation",
            "CorrectedImage",
            "\\".join(corrected) or None,
            "ATTN among them",
        )
    if header.decay_correction != "NONE" and "DECY" not in corrected:
        raise account.refusal(
            "SUV_NOT_DECAY_CORRECTED",
            "The image is not corrected for decay",
            "CorrectedImage",
            "\\".join(corrected),
            "DECY among them, or Decay Correction NONE",
        )
    if header.decay_correction == "NONE" and "DECY" in corrected:
        message = "Decay Correction is NONE, Corrected Image says DECY"
        account.note("SUV_DECAY_CORRECTION_CONTRADICTORY", message, "DecayCorrection")


def _from_activity(series: PetSeries, to_bq_per_ml: float, account: SuvAccount) -> tuple[NDArray[np.float32], SuvFacts]:
    """SUV = C x weight / D, where D is the dose at the time to which C is corrected."""
    header = series.header
    weight_g = weight_kg(series, account) * 1000
    dose = dose_bq(series, account)
    nuclide, half_life = half_life_of(series, account)
    decay = header.decay_correction
    if decay not in ("START", "ADMIN", "NONE", CORRECTED_TO_DATETIME):
        raise account.refusal(
            "SUV_DECAY_CORRECTION_UNKNOWN",
            "The time to which the image is decay corrected is not stated",
            "DecayCorrection",
            decay,
            "START, ADMIN or NONE",
        )
    per_slice = np.full(len(series.slices), weight_g * to_bq_per_ml / dose)
    administration: datetime | None
    reference: datetime | None
    uptake: float | None
    if decay == "ADMIN":
        administration, uptake = stated_administration(series, half_life)
        reference = administration
    elif decay in ("START", CORRECTED_TO_DATETIME):
        reference = reference_time(series, half_life, account)
        administration = administration_time(header, reference, half_life, account)
        uptake = (reference - administration).total_seconds()
        check_decay_factors(series, reference, half_life, account)
        per_slice *= math.exp(decay_constant(half_life) * uptake)
    else:
        _, first = earliest_slice(series, account)
        require_day_of_scan(series, half_life, account)
        administration = administration_time(header, first, half_life, account)
        reference = None
        uptake = (first - administration).total_seconds()
        per_slice *= undecayed(series, administration, half_life, account)
    facts = SuvFacts(
        units=header.units or "",
        decay_correction=decay,
        radionuclide=nuclide,
        radiopharmaceutical=header.radiopharmaceutical,
        half_life_s=half_life,
        injected_dose_bq=dose,
        patient_weight_kg=weight_g / 1000,
        patient_size_m=if_stated(lambda quiet: size_m(series, quiet), series),
        patient_sex=header.sex,
        administration_datetime=administration,
        reference_datetime=reference,
        uptake_duration_s=uptake,
    )
    return _scaled(series, per_slice), facts


def _from_gml(series: PetSeries, account: SuvAccount) -> tuple[NDArray[np.float32], SuvFacts]:
    """g/ml is an SUV already; normalised by another body size it is converted to body weight."""
    _require_decay_corrected(series, account)
    suv_type = series.header.suv_type
    if suv_type in (None, "BW"):
        return _scaled(series, np.ones(len(series.slices))), _stated_facts(series, account)
    if suv_type not in ("LBMJAMES128", "LBMJANMA", "IBW"):
        raise account.refusal(
            "SUV_TYPE_UNSUPPORTED",
            "The SUV type does not say which body size was used, or does not fit the units g/ml",
            "SUVType",
            suv_type,
            "BW, LBMJAMES128, LBMJANMA or IBW",
        )
    size, sex = size_m(series, account), sex_of(series, account)
    weight = weight_kg(series, account)
    if suv_type == "LBMJAMES128":
        body = body_size.lean_body_mass_james_kg(weight, size, sex)
    elif suv_type == "LBMJANMA":
        body = body_size.lean_body_mass_janmahasatian_kg(weight, size, sex)
    else:
        body = body_size.ideal_body_weight_kg(size, sex)
    if body <= 0:
        raise account.refusal(
            "SUV_BODY_SIZE_IMPLAUSIBLE",
            "The formula of the SUV type has no positive value for this patient",
            "PatientSize",
            f"{size:g} m, {weight:g} kg",
        )
    message = f"SUV normalised by a body size of {body:.3f} kg was converted to body weight, {weight:g} kg."
    account.adapt("SUV_TYPE_CONVERTED", "SUVType", suv_type, "BW", message)
    return _scaled(series, np.full(len(series.slices), weight / body)), _stated_facts(series, account)


def _from_cm2ml(series: PetSeries, account: SuvAccount) -> tuple[NDArray[np.float32], SuvFacts]:
    """cm2/ml is an SUV by body surface area, converted to body weight."""
    _require_decay_corrected(series, account)
    suv_type = series.header.suv_type
    if suv_type not in (None, "BSA"):
        raise account.refusal(
            "SUV_TYPE_UNSUPPORTED", "The SUV type does not fit the units cm2/ml", "SUVType", suv_type, "BSA"
        )
    weight, size = weight_kg(series, account), size_m(series, account)
    area_m2 = body_size.body_surface_area_m2(weight, size)
    message = f"SUV normalised by a body surface of {area_m2:.3f} m2 was converted to body weight, {weight:g} kg."
    account.adapt("SUV_TYPE_CONVERTED", "SUVType", suv_type, "BW", message)
    factor = weight * 1000 / (area_m2 * 1e4)
    return _scaled(series, np.full(len(series.slices), factor)), _stated_facts(series, account)


def _from_counts(series: PetSeries, account: SuvAccount) -> tuple[NDArray[np.float32], SuvFacts]:
    """Counts have a meaning only with the private scale factors of Philips."""
    header = series.header
    if "PHILIPS" not in (header.manufacturer or "").upper():
        raise account.refusal(
            "SUV_COUNTS_UNSCALED",
            "Counts have scale factors only on Philips scanners",
            "Manufacturer",
            header.manufacturer,
        )
    if header.philips_activity_factor is not None:
        factor = header.philips_activity_factor
        message = "Counts became Bq/ml by the activity scale factor (7053,xx09)."
        account.adapt("SUV_PHILIPS_ACTIVITY_FACTOR", "Units", "CNTS", f"BQML, factor {factor!r}", message)
        return _from_activity(series, factor, account)
    if header.philips_suv_factor is None:
        raise account.refusal(
            "SUV_COUNTS_UNSCALED", "The private scale factors of the counts are absent or zero", "(7053,xx09) Philips"
        )
    _require_decay_corrected(series, account)
    factor = header.philips_suv_factor
    message = "Counts became SUV by the SUV scale factor (7053,xx00)."
    account.adapt("SUV_PHILIPS_SUV_FACTOR", "Units", "CNTS", f"SUV, factor {factor!r}", message)
    return _scaled(series, np.full(len(series.slices), factor)), _stated_facts(series, account)


def _require_decay_corrected(series: PetSeries, account: SuvAccount) -> None:
    if series.header.decay_correction == "NONE":
        raise account.refusal(
            "SUV_NOT_DECAY_CORRECTED",
            "An image that is already an SUV must be corrected for decay",
            "DecayCorrection",
            "NONE",
            "START or ADMIN",
        )


def _scaled(series: PetSeries, per_slice: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        scaled = np.multiply(series.volume.array, per_slice[:, None, None], dtype=np.float64)
        return np.asarray(scaled, dtype=np.float32)


def _stated_facts(series: PetSeries, account: SuvAccount) -> SuvFacts:
    """Facts of an image that is an SUV already: none of them takes part in its value."""
    header = series.header
    nuclide, half_life = _stated_half_life(series, account)
    administration = reference = uptake = None
    if half_life is not None:
        administration, uptake = stated_administration(series, half_life)
        if header.decay_correction == "ADMIN":
            reference = administration
        elif header.decay_correction in ("START", CORRECTED_TO_DATETIME):
            known = half_life
            reference = if_stated(lambda quiet: reference_time(series, known, quiet), series)
            if administration is not None and reference is not None:
                uptake = (reference - administration).total_seconds()
    return SuvFacts(
        units=header.units or "",
        decay_correction=header.decay_correction or _NOT_STATED,
        radionuclide=nuclide or nuclide_of(header.nuclide_code, header.nuclide_meaning, header.radiopharmaceutical),
        radiopharmaceutical=header.radiopharmaceutical,
        half_life_s=half_life,
        injected_dose_bq=if_stated(lambda quiet: dose_bq(series, quiet), series),
        patient_weight_kg=if_stated(lambda quiet: weight_kg(series, quiet), series),
        patient_size_m=if_stated(lambda quiet: size_m(series, quiet), series),
        patient_sex=header.sex,
        administration_datetime=administration,
        reference_datetime=reference,
        uptake_duration_s=uptake,
    )


def _stated_half_life(series: PetSeries, account: SuvAccount) -> tuple[str | None, float | None]:
    """Nuclide and half-life where they fit one another; where they do not, the scanner may have used the wrong one."""
    try:
        return half_life_of(series, SuvAccount(series, ""))
    except SuvError as error:
        if error.code == "SUV_HALF_LIFE_MISMATCH":
            account.note(error.code, f"{error.message}: {error.found}, expected {error.expected}", error.keyword or "")
        return None, None
