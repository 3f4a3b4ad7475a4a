"""Body sizes by which an SUV may be normalised, from weight, height and sex."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FEMALE = "F"
MALE = "M"
OTHER = "O"
SEXES = (MALE, FEMALE, OTHER)


class LeanBodyMass(StrEnum):
    """Formula of the lean body mass that SUL is normalised by.

    Janmahasatian's grows with the weight at every size; James's falls again above a BMI of about 36 (women) or 43
    (men), so that the SUL of obese patients is too low (doi 10.2967/jnumed.113.136986).
    """

    JANMAHASATIAN = "janmahasatian"
    JAMES = "james"


def lean_body_mass_janmahasatian_kg(weight_kg: float, height_m: float, sex: str) -> float:
    """Lean body mass by Janmahasatian 2005 (doi 10.2165/00003088-200544100-00004); sex M, F, or O for their mean."""
    bmi = weight_kg / height_m**2
    return _by_sex(sex, lambda: 9270 * weight_kg / (6680 + 216 * bmi), lambda: 9270 * weight_kg / (8780 + 244 * bmi))


def lean_body_mass_james_kg(weight_kg: float, height_m: float, sex: str) -> float:
    """Lean body mass by James 1976, with 128 for men (LBMJAMES128); ``sex`` M, F, or O for their mean."""
    ratio = (weight_kg / (height_m * 100)) ** 2
    return _by_sex(sex, lambda: 1.10 * weight_kg - 128 * ratio, lambda: 1.07 * weight_kg - 148 * ratio)


def ideal_body_weight_kg(height_m: float, sex: str) -> float:
    """Ideal body weight as in DICOM's SUV Type IBW; ``sex`` M, F, or O for their mean."""
    above = height_m * 100 - 152
    return _by_sex(sex, lambda: 48.0 + 1.06 * above, lambda: 45.5 + 0.91 * above)


def body_surface_area_m2(weight_kg: float, height_m: float) -> float:
    """Body surface area by DuBois 1916."""
    return 0.007184 * float((height_m * 100) ** 0.725) * float(weight_kg**0.425)


def _by_sex(sex: str, male: Callable[[], float], female: Callable[[], float]) -> float:
    if sex == OTHER:
        return (male() + female()) / 2
    return male() if sex == MALE else female()
