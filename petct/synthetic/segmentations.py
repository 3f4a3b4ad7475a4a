"""Masks as DICOM SEG on the PET grid: the organs of every patient, the tumours of every second one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from highdicom.sr.coding import CodedConcept
from pydicom.dataset import Dataset
from pydicom.uid import SegmentationStorage

from petct.synthetic.dicom import (
    MANUFACTURER,
    MODEL,
    SOFTWARE,
    SeriesIdentity,
    da,
    instance_uid,
    series_uid,
    tm,
)
from petct.synthetic.patients import PatientPlan
from petct.synthetic.settings import CohortSettings, uid

if TYPE_CHECKING:
    from numpy.typing import NDArray

TUMOUR_KEY, ORGAN_KEY = "SEG tumour", "SEG organs"
_ANATOMICAL = CodedConcept("91723000", "SCT", "Anatomical Structure")
_ABNORMAL = CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure")
_LESION = CodedConcept("52988006", "SCT", "Lesion")
#: In the order of ``anatomy.ORGANS``.
_ORGANS = {
    "liver": CodedConcept("10200004", "SCT", "Liver"),
    "spleen": CodedConcept("78961009", "SCT", "Spleen"),
    "kidneys": CodedConcept("64033007", "SCT", "Kidney"),
    "bladder": CodedConcept("89837001", "SCT", "Bladder"),
    "pituitary": CodedConcept("56329008", "SCT", "Pituitary"),
    "spine": CodedConcept("421060004", "SCT", "Spine"),
}


def organ_segmentation(
    settings: CohortSettings, plan: PatientPlan, organs: NDArray[np.uint8], pet_headers: list[Dataset]
) -> Dataset:
    """A binary SEG of the organs (z, y, x), one segment an organ; lesions inside an organ belong to it."""
    segments = [
        SegmentDescription(number, name, _ANATOMICAL, concept, SegmentAlgorithmTypeValues.MANUAL)
        for number, (name, concept) in enumerate(_ORGANS.items(), start=1)
    ]
    series = _series(plan, ORGAN_KEY, 4, "Organ segmentation")
    return _segmentation(settings, plan, organs, pet_headers, segments, series)


def tumour_segmentation(
    settings: CohortSettings, plan: PatientPlan, lesions: NDArray[np.uint8], pet_headers: list[Dataset]
) -> Dataset:
    """A binary SEG of the lesions (z, y, x), one segment a lesion; there must be at least one."""
    segments = [
        SegmentDescription(
            lesion.number,
            lesion.name,
            _ABNORMAL,
            _LESION,
            SegmentAlgorithmTypeValues.MANUAL,
            tracking_uid=uid(settings, plan.number, f"tracking {lesion.number}"),
            tracking_id=lesion.name,
        )
        for lesion in plan.lesions
    ]
    series = _series(plan, TUMOUR_KEY, 3, "Tumour segmentation")
    return _segmentation(settings, plan, lesions, pet_headers, segments, series)


def _series(plan: PatientPlan, key: str, number: int, description: str) -> SeriesIdentity:
    return SeriesIdentity(key, "SEG", number, description, SegmentationStorage, plan.scan_start)


def _segmentation(
    settings: CohortSettings,
    plan: PatientPlan,
    labels: NDArray[np.uint8],
    pet_headers: list[Dataset],
    segments: list[SegmentDescription],
    series: SeriesIdentity,
) -> Dataset:
    # Slices without any segment are left out before highdicom looks at them: it then has few to encode.
    used = np.flatnonzero(labels.any(axis=(1, 2)))
    out: Dataset = Segmentation(
        source_images=[pet_headers[index] for index in used],
        pixel_array=labels[used],
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=segments,
        series_instance_uid=series_uid(settings, plan, series.key),
        series_number=series.number,
        sop_instance_uid=instance_uid(settings, plan, series.key, 1),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL,
        software_versions=SOFTWARE,
        device_serial_number="0",
        omit_empty_frames=True,
        content_label="PETLAKE",
        series_description=series.description,
        series_date=da(plan.scan_start),
        series_time=tm(plan.scan_start),
        content_date=da(plan.scan_start),
        content_time=tm(plan.scan_start),
    )
    # highdicom writes the present moment, twice, and a random UID; they would change the bytes from run to run.
    out.InstanceCreationDate, out.InstanceCreationTime = da(plan.scan_start), tm(plan.scan_start)
    for equipment in out.ContributingEquipmentSequence:
        equipment.ContributionDateTime = plan.scan_start.strftime("%Y%m%d%H%M%S")
    organization = uid(settings, plan.number, f"dimension organization {series.key}")
    for item in (*out.DimensionOrganizationSequence, *out.DimensionIndexSequence):
        item.DimensionOrganizationUID = organization
    return out
