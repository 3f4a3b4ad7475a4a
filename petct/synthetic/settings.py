"""What defines a synthetic cohort, and everything that follows from its seed: random streams, patient keys, UIDs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum

import numpy as np

from petct.errors import PetctError

#: Raised whenever the same settings give other bytes than before, so that an old cohort is not mistaken for a new one.
GENERATOR_VERSION = 1


class Effect(StrEnum):
    """Whether the outcomes know anything of the images."""

    NULL = "null"
    PLANTED = "planted"


class Stream(IntEnum):
    """Independent random streams of one patient: drawing more from one never shifts another."""

    CLINICAL = 0
    ANATOMY = 1
    LESIONS = 2
    PET_NOISE = 3
    CT_NOISE = 4
    OUTCOME = 5


@dataclass(frozen=True)
class CohortSettings:
    """A synthetic cohort; equal settings give equal bytes.

    Attributes
    ----------
    n_patients
        Patients NET-001, NET-002, ... The images of a patient depend on the seed and the number, not on how many
        follow; the outcomes depend on the whole cohort, on which they are calibrated (``petct.synthetic.outcomes``).
    seed
        Everything random follows from it.
    voxel_mm
        Edge of a PET voxel, 2 to 8 mm. The CT is finer in plane (three quarters) and has the same slices.
    effect
        ``null``: outcomes are drawn independently of everything; ``planted``: the hazard grows with tumour volume.
    hazard_ratio_per_doubling
        Hazard ratio per doubling of the total tumour volume when the effect is planted.

    Raises
    ------
    PetctError
        COHORT_SETTINGS_INVALID when a value is outside its range.
    """

    n_patients: int = 67
    seed: int = 20250681
    voxel_mm: float = 4.0
    effect: Effect = Effect.NULL
    hazard_ratio_per_doubling: float = 1.6

    def __post_init__(self) -> None:
        if str(self.effect) not in list(Effect):
            raise _invalid("effect", self.effect, "null or planted")
        object.__setattr__(self, "effect", Effect(self.effect))
        if not 1 <= self.n_patients <= 999:
            raise _invalid("n_patients", self.n_patients, "1 to 999")
        if self.seed < 0:
            raise _invalid("seed", self.seed, "0 or more")
        if not 2.0 <= self.voxel_mm <= 8.0:
            raise _invalid("voxel_mm", self.voxel_mm, "2 to 8 mm")
        if not 0.1 <= self.hazard_ratio_per_doubling <= 10.0:
            raise _invalid("hazard_ratio_per_doubling", self.hazard_ratio_per_doubling, "0.1 to 10")

    @property
    def log_hazard_ratio(self) -> float:
        """Natural logarithm of the hazard ratio per doubling; 0 when no effect is planted."""
        return float(np.log(self.hazard_ratio_per_doubling)) if self.effect is Effect.PLANTED else 0.0

    def to_json(self) -> str:
        """The settings and the generator's version as canonical JSON."""
        return json.dumps({"generator_version": GENERATOR_VERSION, **asdict(self)}, indent=2, sort_keys=True) + "\n"


def _invalid(name: str, found: object, expected: str) -> PetctError:
    return PetctError(
        "COHORT_SETTINGS_INVALID",
        "The synthetic cohort cannot be made with this setting",
        keyword=name,
        found=str(found),
        expected=expected,
    )


def patient_key(number: int) -> str:
    """Patient ID of patient ``number``, counted from 1: NET-001, ..."""
    return f"NET-{number:03d}"


def generator(settings: CohortSettings, number: int, stream: Stream) -> np.random.Generator:
    """The random numbers of one patient for one purpose, whatever else is drawn before or beside them."""
    return np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(number, int(stream))))


def uid(settings: CohortSettings, number: int, purpose: str) -> str:
    """A UID below 2.25 (ISO/IEC 9834-8) from the settings that shape the images, the patient and the purpose.

    The voxel size takes part: two images of one phantom on different grids must not share a SOP Instance UID.
    """
    text = f"petlake synthetic {GENERATOR_VERSION}|{settings.seed}|{settings.voxel_mm:g}|{number}|{purpose}"
    return f"2.25.{int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], 'big')}"
