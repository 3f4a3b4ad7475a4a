"""What the header says about patient and dose, checked, and converted where a unit is plainly another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from petct.errors import SuvError
from petct.suv import body_size
from petct.suv.account import SuvAccount
from petct.suv.decay import HALF_LIVES_S, nuclide_of
from petct.suv.times import administration_time, earliest_slice, require_day_of_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from petct.dicom.images import PetSeries

_T = TypeVar("_T")
_HALF_LIFE_TOLERANCE = 0.02
_GENERATOR = "68Ge"
_LARGEST_DOSE_IN_MBQ = 1e4
_LARGEST_WEIGHT_KG = 1000.0
_LARGEST_SIZE_M = 3.0


def weight_kg(series: PetSeries, account: SuvAccount) -> float:
    """Weight after adaptation of grams; raises ``SuvError`` SUV_WEIGHT_MISSING, SUV_WEIGHT_IMPLAUSIBLE."""
    weight = series.header.weight
    if weight is None or weight <= 0:
        raise account.refusal(
            "SUV_WEIGHT_MISSING",
            "The patient's weight is not stated",
            "PatientWeight",
            weight,
            "kilograms",
            "Correct the header; there is no default weight.",
        )
    if weight > _LARGEST_WEIGHT_KG:
        if weight > _LARGEST_WEIGHT_KG * 1000:
            raise account.refusal(
                "SUV_WEIGHT_IMPLAUSIBLE", "The weight is neither in kg nor in g", "PatientWeight", weight
            )
        account.adapt(
            "SUV_WEIGHT_GRAMS", "PatientWeight", weight, weight / 1000, "The weight is in grams and was converted."
        )
        return weight / 1000
    return weight


def size_m(series: PetSeries, account: SuvAccount) -> float:
    """Height after adaptation of centimetres; raises ``SuvError`` SUV_SIZE_MISSING, SUV_SIZE_IMPLAUSIBLE."""
    size = series.header.size
    if size is None or size <= 0:
        raise account.refusal("SUV_SIZE_MISSING", "The patient's height is not stated", "PatientSize", size, "metres")
    if size > _LARGEST_SIZE_M:
        if size > _LARGEST_SIZE_M * 100:
            raise account.refusal("SUV_SIZE_IMPLAUSIBLE", "The height is neither in m nor in cm", "PatientSize", size)
        account.adapt(
            "SUV_SIZE_CENTIMETRES", "PatientSize", size, size / 100, "The height is in centimetres and was converted."
        )
        return size / 100
    return size


def sex_of(series: PetSeries, account: SuvAccount) -> str:
    """M, F or O (recorded: the mean of both formulas is used); raises ``SuvError`` SUV_SEX_MISSING."""
    sex = series.header.sex
    if sex not in body_size.SEXES:
        raise account.refusal(
            "SUV_SEX_MISSING", "The body size depends on the patient's sex", "PatientSex", sex, "M, F or O"
        )
    if sex == body_size.OTHER:
        message = "The body size is the mean of the formulas for men and women."
        account.adapt("SUV_SEX_MEAN", "PatientSex", sex, "mean of M and F", message)
    return sex


def dose_bq(series: PetSeries, account: SuvAccount) -> float:
    """Administered activity after adaptation of MBq.

    Raises
    ------
    SuvError
        SUV_DOSE_MISSING, SUV_SEVERAL_RADIOPHARMACEUTICALS.
    """
    header = series.header
    if header.n_radiopharmaceuticals > 1:
        raise account.refusal(
            "SUV_SEVERAL_RADIOPHARMACEUTICALS",
            "The header describes more than one administration",
            "RadiopharmaceuticalInformationSequence",
            header.n_radiopharmaceuticals,
            "1",
        )
    dose = header.total_dose
    if dose is None or dose <= 0:
        raise account.refusal(
            "SUV_DOSE_MISSING",
            "The administered activity is not stated",
            "RadionuclideTotalDose",
            dose,
            "becquerels",
            "Correct the header; there is no default dose.",
        )
    if dose < _LARGEST_DOSE_IN_MBQ:
        account.adapt(
            "SUV_DOSE_MBQ", "RadionuclideTotalDose", dose, dose * 1e6, "The dose is in MBq and was converted to Bq."
        )
        return dose * 1e6
    return dose


def half_life_of(series: PetSeries, account: SuvAccount) -> tuple[str | None, float]:
    """Nuclide and half-life of the header; the one must fit the other.

    Raises
    ------
    SuvError
        SUV_HALF_LIFE_MISSING, SUV_HALF_LIFE_MISMATCH.
    """
    header = series.header
    stated = header.half_life_s
    if stated is None or stated <= 0:
        raise account.refusal(
            "SUV_HALF_LIFE_MISSING", "The half-life is not stated", "RadionuclideHalfLife", stated, "seconds"
        )
    nuclide = nuclide_of(header.nuclide_code, header.nuclide_meaning, header.radiopharmaceutical)
    if nuclide is None:
        if abs(stated / HALF_LIVES_S[_GENERATOR] - 1) <= _HALF_LIFE_TOLERANCE:
            raise _half_life_of_the_generator(stated, account)
        named = header.nuclide_meaning or header.nuclide_code or "nothing"
        message = f"The half-life of {stated:g} s cannot be checked: the nuclide is {named}"
        account.note("SUV_NUCLIDE_UNKNOWN", message, "RadionuclideCodeSequence")
    elif nuclide == _GENERATOR:
        raise _half_life_of_the_generator(stated, account)
    elif abs(stated / HALF_LIVES_S[nuclide] - 1) > _HALF_LIFE_TOLERANCE:
        raise account.refusal(
            "SUV_HALF_LIFE_MISMATCH",
            f"The half-life is not that of {nuclide}",
            "RadionuclideHalfLife",
            f"{stated:g} s",
            f"{HALF_LIVES_S[nuclide]:g} s within {_HALF_LIFE_TOLERANCE:.0%}",
            "Correct the header: the scanner may have used the wrong half-life, too.",
        )
    return nuclide, stated


def _half_life_of_the_generator(stated: float, account: SuvAccount) -> SuvError:
    """Nobody is injected with 68Ge: it is the parent of 68Ga in the generator, written in its daughter's place."""
    return account.refusal(
        "SUV_HALF_LIFE_MISMATCH",
        "The header gives the generator's nuclide 68Ge in place of the one that was injected",
        "RadionuclideHalfLife",
        f"{stated:g} s",
        f"that of 68Ga, {HALF_LIVES_S['68Ga']:g} s",
        "Correct the header: the scanner may have used the wrong half-life, too.",
    )


def if_stated(read: Callable[[SuvAccount], _T], series: PetSeries) -> _T | None:
    """A fact that the value does not depend on: read by the same rules, None where they refuse, nothing recorded."""
    try:
        return read(SuvAccount(series, ""))
    except SuvError:
        return None


def stated_administration(series: PetSeries, half_life: float) -> tuple[datetime | None, float | None]:
    """Administration time and uptake up to the first acquisition, where the header states them."""

    def read(quiet: SuvAccount) -> tuple[datetime, float]:
        _, first = earliest_slice(series, quiet)
        require_day_of_scan(series, half_life, quiet)
        administration = administration_time(series.header, first, half_life, quiet)
        return administration, (first - administration).total_seconds()

    return if_stated(read, series) or (None, None)
