"""From lesions to PET metrics."""

import numpy as np

from assets.refusal_rows import refusal
from assets.steps.patient_data import Measure, PatientData, StepOutput
from assets.steps.table import Check, PatientTable
from petct.errors import MaskError, PetctError
from petct.image.volume import Geometry
from petct.lesions.lesion_map import Lesion, LesionMap
from petct.lesions.pet_metrics import BODY_SIZE_UNKNOWN, Comparison, measure
from petct.lesions.protocol import Protocol
from petct.suv.body_size import LeanBodyMass, body_surface_area_m2
from records.features import PetMetrics
from records.imaging import RefusalRecord, SuvRecord
from records.masks import DelineationRecord, LesionRecord, ReferenceRegionRecord
from warehouse.storage.lake import Lake

_TOLERANCE_ML = 1e-6


def pet_metrics_step(data: PatientData) -> StepOutput:
    """Volume and uptake of lesions, organs and patient, of each scan under each protocol."""
    rows: list[PetMetrics] = []
    refusals: list[RefusalRecord] = []
    lesions = [row for row in data.rows("lesions", LesionRecord) if row.modality == "PT"]
    for suv in data.rows("suv", SuvRecord):
        image = data.volume(suv.suv_image_sha256)
        for protocol in data.settings.protocols:
            of_scan = [r for r in lesions if (r.scan_id, r.protocol_id) == (suv.scan_id, protocol.protocol_id)]
            try:
                check_known(data, "PT", suv.scan_id, protocol.protocol_id)
                rows.extend(
                    measure(
                        image,
                        lesion_map(data, of_scan, image.geometry),
                        _comparison(data, suv, protocol),
                        patient_id=data.patient_id,
                        scan_id=suv.scan_id,
                        protocol_id=protocol.protocol_id,
                    )
                )
            except PetctError as error:
                refusals.append(refusal(error, patient_id=data.patient_id, table="pet_metrics"))
    total = next((row for row in rows if row.grain == "patient"), None)
    return StepOutput(
        rows or None,
        refusals=tuple(refusals),
        measures=()
        if total is None
        else (
            Measure("lesions", total.n_lesions),
            Measure("tumour volume", total.volume_ml, "ml"),
            *((Measure("SUVmax", total.suv_max, "SUV"),) if total.suv_max is not None else ()),
        ),
    )


def _comparison(data: PatientData, suv: SuvRecord, protocol: Protocol) -> Comparison:
    """The reference regions of the scan; body surface and lean body mass where height, weight and sex are stated."""
    means = {
        row.region: row.suv_mean
        for row in data.rows("reference_regions", ReferenceRegionRecord)
        if row.scan_id == suv.scan_id
    }
    area = None
    if suv.patient_weight_kg is not None and suv.patient_size_m is not None:
        area = body_surface_area_m2(suv.patient_weight_kg, suv.patient_size_m)
    formula = data.settings.lean_body_mass
    return Comparison(
        means.get("liver"),
        means.get("spleen"),
        area,
        protocol.krenning,
        suv.sul_james_per_suv_bw if formula is LeanBodyMass.JAMES else suv.sul_janma_per_suv_bw,
        suv.body_size_reason or BODY_SIZE_UNKNOWN,
        formula,
    )


def check_known(data: PatientData, modality: str, scan_id: str, protocol_id: str) -> None:
    """No lesion on a grid means no tumour only where the lesions of that grid could be determined."""
    known = {(row.scan_id, row.protocol_id, row.modality) for row in data.rows("delineations", DelineationRecord)}
    if (scan_id, protocol_id, modality) not in known:
        raise MaskError(
            "LESIONS_UNKNOWN",
            f"The lesions on the {'PET' if modality == 'PT' else modality} of scan {scan_id} could not be determined",
            patient_id=data.patient_id,
            found=", ".join(sorted({record.code for record in data.refusals("lesions")})) or None,
        )


def lesion_map(data: PatientData, lesions: list[LesionRecord], geometry: Geometry) -> LesionMap:
    """The lesions of a scan on one grid, from their rows; without rows, a grid without lesions."""
    if not lesions:
        return LesionMap(np.zeros(geometry.shape, dtype=np.uint16), geometry, ())
    labels = data.volume(lesions[0].label_map_sha256)
    return LesionMap(
        labels.array.astype(np.uint16, copy=False),
        labels.geometry,
        tuple(
            Lesion(
                row.lesion_id,
                row.label,
                row.organ,
                row.roi_name,
                row.n_voxels,
                row.volume_ml,
                (row.centroid_x_mm, row.centroid_y_mm, row.centroid_z_mm),
            )
            for row in lesions
        ),
    )


def _volumes_do_not_add_up(lake: Lake, patient_id: str) -> bool:
    totals: dict[tuple[str, str], dict[str, float]] = {}
    for row in lake.read_if_computed("pet_metrics", patient_id, PetMetrics):
        of_scan = totals.setdefault((row.scan_id, row.protocol_id), {"lesion": 0.0, "organ": 0.0, "patient": 0.0})
        of_scan[row.grain] += row.volume_ml
    return any(abs(t[grain] - t["patient"]) > _TOLERANCE_ML for t in totals.values() for grain in ("lesion", "organ"))


PET_METRICS = PatientTable(
    "pet_metrics",
    "3",
    lambda study: {"protocols": study.protocol_ids, "lean_body_mass": study.lean_body_mass.value},
    step=pet_metrics_step,
    upstream=("suv", "lesions", "delineations", "reference_regions"),
    checks=(Check("volumes_add_up", "Lesions and organs sum to the patient's tumour volume.", _volumes_do_not_add_up),),
)
