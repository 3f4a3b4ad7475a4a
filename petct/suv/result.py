"""The SUV image of a scan, and what it was computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from records.imaging import SuvRecord

if TYPE_CHECKING:
    from datetime import datetime

    from petct.image.volume import Volume
    from petct.suv.policy import SuvPolicy
    from petct.suv.size_factors import BodySizeFactors
    from records.imaging import Finding, SuvAdaptation


@dataclass(frozen=True)
class SuvFacts:
    """What the SUV was computed from, after adaptations; None where it is not stated and was not needed.

    Attributes
    ----------
    reference_datetime
        The time to which the image is decay corrected; None for Decay Correction NONE.
    uptake_duration_s
        From administration to the reference time; to the first acquisition where the image is corrected to the
        administration itself (ADMIN) or not at all (NONE).
    """

    units: str
    decay_correction: str
    radionuclide: str | None
    radiopharmaceutical: str | None
    half_life_s: float | None
    injected_dose_bq: float | None
    patient_weight_kg: float | None
    patient_size_m: float | None
    patient_sex: str | None
    administration_datetime: datetime | None
    reference_datetime: datetime | None
    uptake_duration_s: float | None


@dataclass(frozen=True, eq=False)
class SuvResult:
    """The SUV image (float32, g/ml) with the facts, adaptations and findings of its computation."""

    patient_id: str
    scan_id: str
    series_instance_uid: str
    volume: Volume
    facts: SuvFacts
    factors: BodySizeFactors
    policy: SuvPolicy
    adaptations: tuple[SuvAdaptation, ...]
    findings: tuple[Finding, ...]

    @property
    def dose_share_in_field(self) -> float | None:
        """Activity in the field of view over the injected one; None where the weight is not stated.

        The integral of the body-weight SUV (g/ml) over the volume is that share of the weight.
        """
        weight = self.facts.patient_weight_kg
        if weight is None:
            return None
        total = float(self.volume.array.sum(dtype=np.float64)) * self.volume.geometry.voxel_volume_ml
        return total / (weight * 1000)

    def record(self, suv_image_sha256: str) -> SuvRecord:
        """The row of ``suv``, given the digest of the volume in the lake."""
        return SuvRecord(
            patient_id=self.patient_id,
            scan_id=self.scan_id,
            series_instance_uid=self.series_instance_uid,
            suv_max=float(self.volume.array.max()),
            suv_image_sha256=suv_image_sha256,
            policy=self.policy.value,
            dose_share_in_field=self.dose_share_in_field,
            **vars(self.facts),
            **vars(self.factors),
        )
