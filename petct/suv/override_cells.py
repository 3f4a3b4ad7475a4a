"""The columns of the clinical table that override the header of a PET, read for one patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from typing import TYPE_CHECKING, TypeVar

from petct.clinical.text import Reading, located, read_date, read_moment, read_number
from petct.errors import ClinicalError

if TYPE_CHECKING:
    from petct.clinical.spec import ClinicalSpec

T = TypeVar("T")

ACTIVITY_UNITS = {"Bq": 1.0, "kBq": 1e3, "MBq": 1e6, "GBq": 1e9, "uCi": 3.7e4, "mCi": 3.7e7}
WEIGHT_UNITS = {"kg": 1.0, "g": 1e-3}
HEIGHT_UNITS = {"m": 1.0, "cm": 1e-2}
_FACTORS = ACTIVITY_UNITS | WEIGHT_UNITS | HEIGHT_UNITS

_ACTIVITY_BQ = (1e5, 2e10)
_RESIDUAL_BQ = (0.0, 2e10)
_WEIGHT_KG = (1.0, 500.0)
_HEIGHT_M = (0.3, 2.6)


@dataclass(frozen=True)
class Quantity:
    """A column of the clinical table with the unit of its numbers."""

    column: str
    unit: str


@dataclass(frozen=True)
class SuvOverrideSpec:
    """Which columns of the clinical table override the header.

    Attributes
    ----------
    measured_activity, measured_time
        Activity of the full syringe, and when it was measured; always both.
    residual_activity, residual_time
        Activity that stayed in the syringe, and when it was measured; always both.
    injection_time
        When it was injected; the header's time where there is no such column.
    weight, height
        From the chart.
    scan_date
        The day of the scan that the row is about; needed for patients with more than one scan.
    """

    measured_activity: Quantity | None = None
    measured_time: str | None = None
    residual_activity: Quantity | None = None
    residual_time: str | None = None
    injection_time: str | None = None
    weight: Quantity | None = None
    height: Quantity | None = None
    scan_date: str | None = None

    def columns(self) -> tuple[str, ...]:
        """The columns that are needed, each once."""
        named = [getattr(self, field.name) for field in fields(self)]
        return tuple(dict.fromkeys(n.column if isinstance(n, Quantity) else n for n in named if n is not None))

    def settings(self) -> dict[str, object]:
        """The same as plain values, for the digest of the settings."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {k: [v.column, v.unit] if isinstance(v, Quantity) else v for k, v in named.items() if v is not None}


@dataclass(frozen=True)
class Override:
    """One value of the chart in base units (Bq, kg, m), with its column and its text there."""

    column: str
    text: str
    value: float


@dataclass(frozen=True)
class OverrideTime:
    """A time of the chart, be it one without a date, with its column and its text there."""

    column: str
    text: str
    moment: datetime | time


@dataclass(frozen=True)
class Syringe:
    """An activity in a syringe, and when it was measured."""

    activity: Override
    measured_at: OverrideTime


@dataclass(frozen=True)
class SuvOverrides:
    """What the chart says about one scan; None where it says nothing."""

    measured: Syringe | None = None
    residual: Syringe | None = None
    injection_time: OverrideTime | None = None
    weight: Override | None = None
    height: Override | None = None
    scan_date: date | None = None

    def is_empty(self) -> bool:
        """Whether the chart says nothing that an SUV depends on."""
        return not any((self.measured, self.residual, self.injection_time, self.weight, self.height))

    def of_scan(self, scan_date: date | None, n_scans: int) -> SuvOverrides:
        """The overrides where they are about the scan of this day, otherwise none.

        Raises
        ------
        ClinicalError
            SUV_OVERRIDE_SCAN_AMBIGUOUS for a patient with several scans and a row that does not say which it is about.
        """
        if self.is_empty() or (n_scans == 1 and self.scan_date is None):
            return self
        if self.scan_date is None:
            raise ClinicalError(
                "SUV_OVERRIDE_SCAN_AMBIGUOUS",
                "The clinical table overrides the SUV of a patient with several scans, and does not say of which",
                keyword="suv.overrides.scan_date",
                found=f"{n_scans} scans",
                hint="Name the column of the day of the scan in study.yaml.",
            )
        return self if scan_date == self.scan_date else SuvOverrides()


NO_OVERRIDES = SuvOverrides()
"""The header stands as it is."""


def read_overrides(row: Mapping[str, str], spec: SuvOverrideSpec, clinical: ClinicalSpec) -> SuvOverrides:
    """Read the overrides of one row of the clinical table.

    Raises
    ------
    ClinicalError
        SUV_OVERRIDE_IMPLAUSIBLE, SUV_OVERRIDE_TIME_MISSING, and the codes of ``read_number``, ``read_date`` and
        ``read_moment``, each with the column.
    """
    patient_id = row[clinical.patient_id_column].strip()

    def cell(column: str | None, read: Callable[[str], Reading[T]]) -> tuple[str, T] | None:
        if column is None or clinical.is_missing(row[column]):
            return None
        text = row[column].strip()
        try:
            return text, read(text).value
        except ClinicalError as error:
            raise located(error, patient_id, column) from None

    def number(quantity: Quantity | None, limits: tuple[float, float]) -> Override | None:
        found = None if quantity is None else cell(quantity.column, read_number)
        if quantity is None or found is None:
            return None
        text, factor = found[0], _FACTORS[quantity.unit]
        value = found[1] * factor
        if not limits[0] <= value <= limits[1]:
            raise ClinicalError(
                "SUV_OVERRIDE_IMPLAUSIBLE",
                "A value that overrides the header is implausible",
                patient_id=patient_id,
                keyword=quantity.column,
                found=f"{text} {quantity.unit}",
                expected=f"{limits[0] / factor:g} to {limits[1] / factor:g} {quantity.unit}",
                hint="Is the unit in study.yaml the one of the column?",
            )
        return Override(quantity.column, text, value)

    def moment(column: str | None) -> OverrideTime | None:
        found = cell(column, read_moment)
        return None if column is None or found is None else OverrideTime(column, *found)

    def syringe(quantity: Quantity | None, time_column: str | None, limits: tuple[float, float]) -> Syringe | None:
        activity, when = number(quantity, limits), moment(time_column)
        if activity is None:
            return None
        if when is None:
            raise ClinicalError(
                "SUV_OVERRIDE_TIME_MISSING",
                "An activity without the time of its measurement cannot be decayed",
                patient_id=patient_id,
                keyword=time_column,
                found="nothing",
                expected=f"the time of {activity.column}",
            )
        return Syringe(activity, when)

    day = cell(spec.scan_date, read_date)
    return SuvOverrides(
        measured=syringe(spec.measured_activity, spec.measured_time, _ACTIVITY_BQ),
        residual=syringe(spec.residual_activity, spec.residual_time, _RESIDUAL_BQ),
        injection_time=moment(spec.injection_time),
        weight=number(spec.weight, _WEIGHT_KG),
        height=number(spec.height, _HEIGHT_M),
        scan_date=None if day is None else day[1],
    )
