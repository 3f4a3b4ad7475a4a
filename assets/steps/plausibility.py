"""Whether organs take up what the tracer gives healthy ones: findings beside the lesions."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from assets.steps.patient_data import PatientData
from petct.errors import PetctError
from petct.image.volume import resample_mask
from petct.lesions.delineation import Drawing
from petct.lesions.lesion_map import organ_masks
from petct.suv.plausibility import LIMITS, organ_finding, tracer_of
from records.imaging import Finding, SuvRecord


def organ_findings(data: PatientData, scan_id: str, drawings: Sequence[Drawing]) -> list[Finding]:
    """Findings about the mean SUV of the organs that have a mask and limits for the tracer, drawn tumour excluded."""
    try:
        suv = next(row for row in data.rows("suv", SuvRecord) if row.scan_id == scan_id)
    except (PetctError, StopIteration):
        # A scan without SUV is refused by `suv`, and has nothing to judge.
        return []
    tracer = tracer_of(data.settings.tracer, suv.radiopharmaceutical, suv.radionuclide)
    judged = {organ for organ, _ in LIMITS[tracer].organ_suv_mean}
    rules = data.settings.masks
    rois = [roi for drawing in drawings for roi in drawing.rois]
    masks = {organ: mask for organ, mask in organ_masks(rois, rules).items() if organ.lower() in judged}
    if not masks:
        return []
    image = data.volume(suv.suv_image_sha256)
    suv_image = cast("NDArray[np.floating]", image.array)
    healthy = np.ones(image.geometry.shape, dtype=bool)
    for roi in rois:
        if rules.is_tumour(roi.name):
            healthy &= ~resample_mask(roi.mask, image.geometry).array
    found = [
        organ_finding(
            data.patient_id, scan_id, organ, suv_image[resample_mask(mask, image.geometry).array & healthy], tracer
        )
        for organ, mask in sorted(masks.items())
    ]
    return [finding for finding in found if finding is not None]
