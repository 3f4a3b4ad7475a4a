"""The rows and findings that say what a delineation of a scan is."""

from collections.abc import Sequence

from assets.steps.patient_data import PatientData
from petct.image.volume import Volume
from petct.lesions.delineation import RESAMPLED, Delineation, Drawing
from petct.lesions.lesion_map import UNKNOWN_ORGAN, organ_masks
from petct.lesions.protocol import Protocol
from petct.lesions.thresholding import Exclusion
from records.imaging import Finding
from records.masks import DelineationRecord, ExclusionRecord, LesionRecord

# Above this share of the drawn volume, resampling is worth a warning.
_NOTABLE_VOLUME_CHANGE = 0.1


def exclusion_rows(
    patient_id: str, scan_id: str, protocol_id: str, account: Sequence[Exclusion]
) -> list[ExclusionRecord]:
    """The account of a threshold."""
    return [
        ExclusionRecord(
            patient_id,
            scan_id,
            protocol_id,
            line.reason,
            line.organ or "",
            line.n_voxels,
            line.volume_ml,
            line.suv_max,
        )
        for line in account
    ]


def readers_not_compared(patient_id: str, scan_id: str, protocol: Protocol) -> Finding:
    """That what several readers drew plays no part under a protocol."""
    message = (
        f"Readers are not compared under {protocol.name}: it searches the whole image, so that what they drew "
        "plays no part in it"
    )
    return Finding(patient_id, scan_id, None, "lesions", "READERS_NOT_COMPARED", "info", message)


def delineation_row(patient_id: str, scan_id: str, protocol_id: str, found: Delineation) -> DelineationRecord:
    """That the lesions of one grid are known."""
    return DelineationRecord(
        patient_id=patient_id,
        scan_id=scan_id,
        protocol_id=protocol_id,
        modality=found.modality,
        n_lesions=len(found.lesions.lesions),
        volume_ml=sum(lesion.volume_ml for lesion in found.lesions.lesions),
        drawn_volume_ml=found.drawn_volume_ml,
        mask_source=found.source,
        mask_series_instance_uid=found.series_instance_uid,
    )


def resampled_findings(patient_id: str, scan_id: str, row: DelineationRecord) -> list[Finding]:
    """A mask that was moved to another grid has another volume; by how much is said."""
    if row.mask_source != RESAMPLED or row.drawn_volume_ml == 0:
        return []
    change = row.volume_ml / row.drawn_volume_ml - 1
    return [
        Finding(
            patient_id=patient_id,
            scan_id=scan_id,
            series_instance_uid=row.mask_series_instance_uid,
            table_name="lesions",
            code="MASK_RESAMPLED",
            severity="warning" if abs(change) > _NOTABLE_VOLUME_CHANGE else "info",
            message=(
                f"The lesions were drawn on the other image: {row.drawn_volume_ml:.2f} ml there, "
                f"{row.volume_ml:.2f} ml on the {row.modality} grid ({100 * change:+.1f} %)"
            ),
        )
    ]


def missing_organs(data: PatientData, scan_id: str, drawings: list[Drawing]) -> list[Finding]:
    """The declared organs that have no mask."""
    masks = organ_masks([roi for drawing in drawings for roi in drawing.rois], data.settings.masks)
    missing = [organ for organ, _ in data.settings.masks.organs if organ not in masks]
    if not missing:
        return []
    return [
        Finding(
            patient_id=data.patient_id,
            scan_id=scan_id,
            series_instance_uid=None,
            table_name="lesions",
            code="ORGAN_MASK_MISSING",
            severity="warning",
            message=(
                f"There is no mask of {', '.join(missing)}: a lesion outside the other organs has the organ "
                f"'{UNKNOWN_ORGAN}'"
            ),
        )
    ]


def lesion_rows(data: PatientData, scan_id: str, protocol_id: str, found: Delineation) -> list[LesionRecord]:
    """The lesions of a delineation; their label map goes to the lake."""
    lesions = found.lesions
    if not lesions.lesions:
        return []
    sha256 = data.keep(Volume(lesions.labels, lesions.geometry))
    return [
        LesionRecord(
            patient_id=data.patient_id,
            scan_id=scan_id,
            protocol_id=protocol_id,
            lesion_id=lesion.lesion_id,
            modality=found.modality,
            organ=lesion.organ,
            roi_name=lesion.roi_name,
            label=lesion.label,
            n_voxels=lesion.n_voxels,
            volume_ml=lesion.volume_ml,
            centroid_x_mm=lesion.centroid_mm[0],
            centroid_y_mm=lesion.centroid_mm[1],
            centroid_z_mm=lesion.centroid_mm[2],
            mask_source=found.source,
            mask_series_instance_uid=found.series_instance_uid,
            label_map_sha256=sha256,
        )
        for lesion in lesions.lesions
    ]
