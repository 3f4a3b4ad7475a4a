"""Everything that is decided about a patient before anything is drawn or written."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from petct.synthetic.anatomy import Anatomy, draw_anatomy, pet_geometry
from petct.synthetic.lesions import Lesion, draw_lesions
from petct.synthetic.settings import CohortSettings, Stream, generator, patient_key

#: First therapies fall into this window. It is shorter than the mean observed time, so that the data lock of any cohort
#: lies behind the last therapy start (``petct.synthetic.outcomes``).
ACCRUAL_START = dt.date(2012, 1, 2)
ACCRUAL_DAYS = 1218
_MEAN_AGE, _SD_AGE = 67.0, 9.0


@dataclass(frozen=True)
class Injection:
    """The tracer as given: activity in Bq at the time of injection, and when."""

    activity_bq: float
    administered: dt.datetime


@dataclass(frozen=True)
class PatientPlan:
    """One synthetic patient, complete but for the outcome: pure data, a function of the settings and the number.

    Attributes
    ----------
    therapy_cycles
        As planned. The number given would depend on how long the patient lived, and so carry a signal.
    contours_as
        ``RTSTRUCT`` or ``SEG``.
    """

    number: int
    patient_id: str
    sex: str
    age_years: int
    birth_date: dt.date
    weight_kg: float
    height_m: float
    grade: str
    ki67_percent: float
    chromogranin_a_ng_ml: float | None
    therapy_cycles: int
    scan_start: dt.datetime
    therapy_start: dt.date
    injection: Injection
    anatomy: Anatomy
    lesions: tuple[Lesion, ...]
    contours_as: str

    @property
    def tumour_volume_ml(self) -> float:
        """Analytic total tumour volume."""
        return sum(lesion.shape.volume_ml for lesion in self.lesions)


def is_tumour_free(number: int) -> bool:
    """Patients 7, 39, 71, ...: scanned, read, and nothing to draw."""
    return number % 32 == 7


def has_liver_lesions(number: int) -> bool:
    """All but patients 2, 7, 12, ...: a fifth of the cohort is structurally absent from liver features."""
    return number % 5 != 2


def contours_format(number: int) -> str:
    """RTSTRUCT for odd, SEG for even numbers; a DICOM SEG cannot say "nothing drawn", and the tumour-free are odd."""
    return "RTSTRUCT" if number % 2 else "SEG"


def plan_patient(settings: CohortSettings, number: int) -> PatientPlan:
    """Draw patient ``number``, counted from 1, who is the same however large the cohort is."""
    rng = generator(settings, number, Stream.CLINICAL)
    sex = "F" if rng.random() < 0.46 else "M"
    height = round(float(np.clip(rng.normal(1.76 if sex == "M" else 1.63, 0.065), 1.48, 1.96)), 2)
    bmi = float(np.clip(rng.normal(25.0, 3.6), 18.0, 36.0))
    weight = round(bmi * height**2, 1)
    age = _age(settings, number)
    therapy_start = ACCRUAL_START + dt.timedelta(days=int(rng.integers(ACCRUAL_DAYS)))
    scan_date = therapy_start - dt.timedelta(days=int(rng.integers(5, 61)))
    scan_start = dt.datetime.combine(scan_date, dt.time(9)) + dt.timedelta(seconds=int(rng.integers(6 * 3600)))
    activity = round(float(np.clip(weight * rng.normal(2.0e6, 0.2e6), 80e6, 240e6)), -4)
    injection = Injection(activity, scan_start - dt.timedelta(seconds=int(np.clip(rng.normal(3600, 480), 2400, 5400))))
    grade, ki67 = _proliferation(rng)
    cga_noise, cga_missing, cycles = rng.normal(0.0, 0.8), rng.random() < 0.12, rng.choice(4, p=(0.06, 0.1, 0.14, 0.7))
    anatomy = draw_anatomy(generator(settings, number, Stream.ANATOMY), height, bmi)
    lesions: tuple[Lesion, ...] = ()
    if not is_tumour_free(number):
        lesions = draw_lesions(
            generator(settings, number, Stream.LESIONS),
            anatomy,
            pet_geometry(settings.voxel_mm),
            liver=has_liver_lesions(number),
        )
    volume = sum(lesion.shape.volume_ml for lesion in lesions)
    cga = round(float(60.0 * max(volume, 1.0) ** 0.4 * np.exp(cga_noise)), 0)
    return PatientPlan(
        number=number,
        patient_id=patient_key(number),
        sex=sex,
        age_years=age,
        birth_date=_birth_date(scan_date, age, int(rng.integers(1, 365))),
        weight_kg=weight,
        height_m=height,
        grade=grade,
        ki67_percent=ki67,
        chromogranin_a_ng_ml=None if cga_missing else cga,
        therapy_cycles=int(cycles) + 1,
        scan_start=scan_start,
        therapy_start=therapy_start,
        injection=injection,
        anatomy=anatomy,
        lesions=lesions,
        contours_as=contours_format(number),
    )


def _age(settings: CohortSettings, number: int) -> int:
    """Normal ages from a golden-ratio sequence of quantiles: any cohort's mean is close to 67 without calibration."""
    from scipy.special import ndtri

    start = np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(0,))).random()
    quantile = (start + number * (5**0.5 - 1) / 2) % 1.0
    return round(_MEAN_AGE + _SD_AGE * float(ndtri(np.clip(quantile, 0.005, 0.995))))


def _birth_date(scan_date: dt.date, age: int, days_since_birthday: int) -> dt.date:
    birthday = scan_date - dt.timedelta(days=days_since_birthday)
    return birthday.replace(year=birthday.year - age, day=min(birthday.day, 28))


def _proliferation(rng: np.random.Generator) -> tuple[str, float]:
    """WHO grade and the Ki-67 that goes with it: below 3 %, 3 to 20 %, above 20 %."""
    grade = ("G1", "G2", "G3")[int(rng.choice(3, p=(0.35, 0.55, 0.10)))]
    low, high = {"G1": (0.5, 2.9), "G2": (3.0, 20.0), "G3": (20.1, 45.0)}[grade]
    return grade, round(float(rng.uniform(low, high)), 1)
