"""The steps from lesions to numbers: PET metrics and radiomic features."""

import numpy as np

from assets.patient_data import Measure, PatientData, StepOutput
from assets.records import RefusalRecord, refusal
from petct.body_size import body_surface_area_m2
from petct.dicom.scans import ScanRecord
from petct.errors import DicomError, FeatureError, MaskError, PetctError
from petct.lesions import DelineationRecord, Lesion, LesionMap, LesionRecord
from petct.pet_metrics import Comparison, PetMetrics, measure
from petct.radiomics.definitions import ORIGINAL_FEATURES
from petct.radiomics.feature_sets import FeatureSet
from petct.radiomics.features import FeatureValue, compute_features
from petct.reference_regions import ReferenceRegionRecord
from petct.segmentation import Protocol
from petct.suv import SuvRecord
from petct.volume import Geometry, Mask, Volume

ROI_ABSENT = "ROI_ABSENT"
"""Status of the features of a lesion that holds no voxel of the image's grid."""


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
                _check_known(data, "PT", suv.scan_id, protocol.protocol_id)
                rows.extend(
                    measure(
                        image,
                        _lesion_map(data, of_scan, image.geometry),
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
    """The reference regions of the scan, and the body surface area where height and weight are stated."""
    means = {
        row.region: row.suv_mean
        for row in data.rows("reference_regions", ReferenceRegionRecord)
        if row.scan_id == suv.scan_id
    }
    area = None
    if suv.patient_weight_kg is not None and suv.patient_size_m is not None:
        area = body_surface_area_m2(suv.patient_weight_kg, suv.patient_size_m)
    return Comparison(means.get("liver"), means.get("spleen"), area, protocol.krenning)


def radiomic_features_step(data: PatientData) -> StepOutput:
    """Radiomic features of each lesion in each feature set, of each scan under each protocol."""
    rows: list[FeatureValue] = []
    refusals: list[RefusalRecord] = []
    computed = False
    lesions = data.rows("lesions", LesionRecord)
    for scan in data.scans():
        for feature_set in data.settings.feature_sets:
            for protocol in data.settings.protocols:
                of_scan = [r for r in lesions if (r.scan_id, r.protocol_id) == (scan.scan_id, protocol.protocol_id)]
                try:
                    rows.extend(_features(data, scan, protocol, feature_set, of_scan))
                    computed = True
                except PetctError as error:
                    refusals.append(refusal(error, patient_id=data.patient_id, table="radiomic_features"))
    return StepOutput(
        rows if computed else None,
        refusals=tuple(dict.fromkeys(refusals)),
        measures=(
            Measure("lesions and feature sets", len({(r.scan_id, r.lesion_id, r.feature_set_id) for r in rows})),
            Measure("values", sum(row.value is not None for row in rows)),
            Measure("reasons instead of values", sum(row.value is None for row in rows)),
        ),
    )


def _features(
    data: PatientData, scan: ScanRecord, protocol: Protocol, feature_set: FeatureSet, lesions: list[LesionRecord]
) -> list[FeatureValue]:
    modality = feature_set.modality
    on_grid = {row.lesion_id: row for row in lesions if row.modality == modality}
    _check_known(data, modality, scan.scan_id, protocol.protocol_id)
    if not lesions:
        return []
    image = _image(data, scan, modality)
    rows = []
    for lesion_id in sorted({row.lesion_id for row in lesions}):
        if lesion_id in on_grid:
            lesion = on_grid[lesion_id]
            labels = data.volume(lesion.label_map_sha256)
            values = _values(image, Mask(labels.array == lesion.label, labels.geometry), feature_set)
        else:
            values = [(definition.feature_name, None, ROI_ABSENT) for definition in ORIGINAL_FEATURES]
        rows.extend(
            FeatureValue(
                data.patient_id, scan.scan_id, protocol.protocol_id, lesion_id, feature_set.feature_set_id, *value
            )
            for value in values
        )
    return rows


def _values(image: Volume, mask: Mask, feature_set: FeatureSet) -> list[tuple[str, float | None, str]]:
    """Name, value and status of each feature; a lesion that the engine refuses has the refusal's code everywhere."""
    try:
        features = compute_features(image, mask, feature_set)
    except FeatureError as error:
        return [(definition.feature_name, None, error.code) for definition in ORIGINAL_FEATURES]
    return [(feature.feature_name, feature.value, feature.status) for feature in features]


def _check_known(data: PatientData, modality: str, scan_id: str, protocol_id: str) -> None:
    """No lesion on a grid means no tumour only where the lesions of that grid could be determined."""
    known = {(row.scan_id, row.protocol_id, row.modality) for row in data.rows("delineations", DelineationRecord)}
    if (scan_id, protocol_id, modality) not in known:
        raise MaskError(
            "LESIONS_UNKNOWN",
            f"The lesions on the {'PET' if modality == 'PT' else modality} of scan {scan_id} could not be determined",
            patient_id=data.patient_id,
            found=", ".join(sorted({record.code for record in data.refusals("lesions")})) or None,
        )


def _lesion_map(data: PatientData, lesions: list[LesionRecord], geometry: Geometry) -> LesionMap:
    if not lesions:
        return LesionMap(np.zeros(geometry.shape, dtype=np.uint16), geometry, ())
    labels = data.volume(lesions[0].label_map_sha256)
    return LesionMap(
        labels.array,
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


def _image(data: PatientData, scan: ScanRecord, modality: str) -> Volume:
    if modality == "CT":
        if scan.ct_image_sha256 is None:
            raise DicomError(
                "CT_SERIES_MISSING",
                "The scan has no readable CT image",
                patient_id=data.patient_id,
                keyword=scan.scan_id,
            )
        return data.volume(scan.ct_image_sha256)
    for row in data.rows("suv", SuvRecord):
        if row.scan_id == scan.scan_id:
            return data.volume(row.suv_image_sha256)
    raise FeatureError("SUV_MISSING", "The scan has no SUV image", patient_id=data.patient_id, keyword=scan.scan_id)
