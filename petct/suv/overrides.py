"""Clinical overrides of an SUV: what the chart and the dose calibrator say in place of the image's header.

The header's dose is rarely corrected for what stays in the syringe. With the activity that was measured in the
full syringe and the residual one, the administered (net) activity at the injection is::

    A_net(t_inj) = A_measured * exp(-lambda (t_inj - t_measured)) - A_residual * exp(+lambda (t_residual - t_inj))

with lambda = ln 2 / half-life: both decayed to the time of the injection. Where only the residual is known, the
header's dose stands for the first term. Source: EANM procedure guidelines for tumour imaging 2.0,
doi 10.1007/s00259-014-2961-x.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from petct.suv.account import SuvAccount
from petct.suv.decay import decay_constant
from petct.suv.inputs import dose_bq, half_life_of, if_stated, size_m, stated_administration, weight_kg
from petct.suv.override_cells import Override, OverrideTime, SuvOverrides, Syringe
from petct.suv.times import REBUILDABLE_HALF_LIFE_S, earliest_slice

if TYPE_CHECKING:
    from petct.dicom.images import PetSeries


_LONGEST_WAIT = timedelta(hours=12)
_EQUAL = 0.01
_DIFFERS = 1.3


def overridden(series: PetSeries, overrides: SuvOverrides, account: SuvAccount) -> PetSeries:
    """The series with the chart's values in place of the header's, each replacement recorded as an adaptation.

    Raises
    ------
    SuvError
        SUV_OVERRIDE_NOT_APPLICABLE for an image that is an SUV already, by another value;
        SUV_OVERRIDE_TIME_IMPLAUSIBLE, SUV_OVERRIDE_INJECTION_UNKNOWN, SUV_OVERRIDE_RESIDUAL_IMPLAUSIBLE. Each names
        the column.
    """
    if overrides.is_empty() or _is_suv_already(series, overrides, account):
        return series
    header = series.header
    if overrides.weight is not None:
        old = if_stated(lambda quiet: weight_kg(series, quiet), series)
        _record(account, "SUV_WEIGHT_OVERRIDDEN", "PatientWeight", old, overrides.weight, "kg")
        header = replace(header, weight=overrides.weight.value)
    if overrides.height is not None:
        old = if_stated(lambda quiet: size_m(series, quiet), series)
        _record(account, "SUV_SIZE_OVERRIDDEN", "PatientSize", old, overrides.height, "m")
        header = replace(header, size=overrides.height.value)
    if overrides.injection_time is not None:
        injected = _injected(series, overrides.injection_time, account)
        message = f"The injection was at {injected}, by the column {overrides.injection_time.column}."
        stated = header.start_datetime or header.start_time
        account.adapt("SUV_INJECTION_OVERRIDDEN", "RadiopharmaceuticalStartDateTime", stated, injected, message)
        header = replace(header, start_datetime=injected, start_time=injected.time())
    series = replace(series, header=header)
    if overrides.measured is not None or overrides.residual is not None:
        net = _net_dose_bq(series, overrides, account)
        series = replace(series, header=replace(series.header, total_dose=net))
    return series


def _is_suv_already(series: PetSeries, overrides: SuvOverrides, account: SuvAccount) -> bool:
    """Whether the scanner has divided already; refused where it did so by another value than the chart's."""
    header = series.header
    by_factor = header.units == "CNTS" and header.philips_activity_factor is None
    if header.units not in ("GML", "CM2ML") and not by_factor:
        return False
    weight = if_stated(lambda quiet: weight_kg(series, quiet), series)
    size = if_stated(lambda quiet: size_m(series, quiet), series)
    syringes = [syringe.activity for syringe in (overrides.measured, overrides.residual) if syringe is not None]
    asked: list[tuple[Override | OverrideTime | None, float | None]] = [
        (overrides.weight, weight),
        (overrides.height, size),
        *((activity, None) for activity in syringes),
        (overrides.injection_time, None),
    ]
    for override, stated in asked:
        is_same = isinstance(override, Override) and stated is not None and abs(override.value / stated - 1) <= _EQUAL
        if override is not None and not is_same:
            raise account.refusal(
                "SUV_OVERRIDE_NOT_APPLICABLE",
                "The image is an SUV already: what the scanner divided by cannot be replaced",
                override.column,
                override.text,
                None if stated is None else f"{stated:g}, as in the header",
                "Leave the cell empty for this patient, or bring the image in Bq/ml.",
            )
    return True


def _record(account: SuvAccount, code: str, keyword: str, old: float | None, override: Override, unit: str) -> None:
    message = f"{override.value:g} {unit} is from the column {override.column}."
    account.adapt(code, keyword, None if old is None else f"{old:g}", f"{override.value:g}", message)
    _note_difference(account, keyword, old, override.value, override.column)


def _note_difference(account: SuvAccount, keyword: str, old: float | None, new: float, column: str) -> None:
    if old is not None and max(old / new, new / old) > _DIFFERS:
        message = f"The column {column} gives {new:g}, the header {old:g}: more than 30 % apart"
        account.note("SUV_OVERRIDE_DIFFERS", message, keyword)


def _injected(series: PetSeries, override: OverrideTime, account: SuvAccount) -> datetime:
    """The injection as a date-time; a time of day alone is the last one before the first acquisition."""
    if isinstance(override.moment, datetime):
        return override.moment
    half_life = series.header.half_life_s
    if half_life is not None and half_life >= REBUILDABLE_HALF_LIFE_S:
        raise account.refusal(
            "SUV_OVERRIDE_INJECTION_UNKNOWN",
            "The time of the injection has no date, and this nuclide can be imaged days later",
            override.column,
            override.text,
            "a date and a time",
        )
    _, first = earliest_slice(series, SuvAccount(series, ""))
    candidate = datetime.combine(first.date(), override.moment)
    return candidate if candidate <= first else candidate - timedelta(days=1)


def _net_dose_bq(series: PetSeries, overrides: SuvOverrides, account: SuvAccount) -> float:
    """Administered activity at the injection by the formula of this module."""
    _, half_life = half_life_of(series, SuvAccount(series, ""))
    rate = decay_constant(half_life)
    stated = if_stated(lambda silent: dose_bq(series, silent), series)
    injected, _ = stated_administration(series, half_life)
    measured, residual = overrides.measured, overrides.residual
    columns = [syringe.activity.column for syringe in (measured, residual) if syringe is not None]
    if injected is None:
        raise account.refusal(
            "SUV_OVERRIDE_INJECTION_UNKNOWN",
            "The syringe's activity cannot be decayed to the injection: its time is not stated",
            ", ".join(columns),
            expected="RadiopharmaceuticalStartDateTime, or a column `injection_time`",
        )
    if measured is not None:
        waited = _wait_s(injected, measured.measured_at, account, is_before=True)
        full = measured.activity.value * math.exp(-rate * waited)
        _record_syringe("SUV_SYRINGE_MEASURED", measured, f"{waited:g} s before", full, account)
    else:
        full = dose_bq(series, account)
    left = 0.0
    if residual is not None:
        waited = _wait_s(injected, residual.measured_at, account, is_before=False)
        left = residual.activity.value * math.exp(rate * waited)
        _record_syringe("SUV_SYRINGE_RESIDUAL", residual, f"{waited:g} s after", left, account)
        if left >= full / 2:
            raise account.refusal(
                "SUV_OVERRIDE_RESIDUAL_IMPLAUSIBLE",
                "Half of the syringe's activity or more would not have been injected",
                residual.activity.column,
                f"{left:.4g} Bq of {full:.4g} Bq at the injection",
                "less than half",
            )
    net = full - left
    message = f"Net dose at the injection {injected}: {full:.6g} Bq - {left:.6g} Bq."
    account.adapt("SUV_DOSE_OVERRIDDEN", "RadionuclideTotalDose", stated, net, message)
    _note_difference(account, "RadionuclideTotalDose", stated, net, ", ".join(columns))
    return net


def _record_syringe(code: str, syringe: Syringe, when: str, at_injection: float, account: SuvAccount) -> None:
    activity = syringe.activity
    message = f"The column {activity.column} gives {activity.value:.6g} Bq, {when} the injection."
    account.adapt(code, activity.column, activity.text, f"{at_injection:.6g} Bq at the injection", message)


def _wait_s(injected: datetime, when: OverrideTime, account: SuvAccount, *, is_before: bool) -> float:
    """Seconds between the measurement and the injection, in the order in which they must be."""
    if isinstance(when.moment, datetime):
        measured = when.moment
    else:
        # A time of day without a date is that nearest to the injection, also across midnight.
        days = [datetime.combine(injected.date() + timedelta(days=n), when.moment) for n in (-1, 0, 1)]
        measured = min(days, key=lambda day: abs(day - injected))
    wait = injected - measured if is_before else measured - injected
    if not timedelta(0) <= wait <= _LONGEST_WAIT:
        raise account.refusal(
            "SUV_OVERRIDE_TIME_IMPLAUSIBLE",
            f"The syringe was not measured {'before' if is_before else 'after'} the injection at {injected}",
            when.column,
            when.text,
            f"at most 12 h {'before' if is_before else 'after'} it",
        )
    return wait.total_seconds()
