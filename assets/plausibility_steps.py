"""Whether organs take up what the tracer gives healthy ones: findings beside the PET metrics."""

import numpy as np

from assets.patient_data import PatientData
from petct.dicom.index import Finding
from petct.dicom.masks import contour_names, read_contours
from petct.dicom.scans import ScanSeries
from petct.errors import PetctError
from petct.lesions import LesionRecord, organ_masks
from petct.plausibility import LIMITS, organ_finding, tracer_of
from petct.suv import SuvRecord
from petct.volume import Geometry, resample_mask


def organ_findings(data: PatientData, suv: SuvRecord) -> list[Finding]:
    """Findings about the mean SUV of the organs that have a mask and limits for the tracer, tumours excluded.

    Masks that cannot be read are refused by ``lesions``, and are passed over here.
    """
    tracer = tracer_of(data.settings.tracer, suv.radiopharmaceutical, suv.radionuclide)
    judged = {organ for organ, _ in LIMITS[tracer].organ_suv_mean}
    wanted = [organ for organ, _ in data.settings.masks.organs if organ.lower() in judged]
    scan = next((one for one in data.scan_series() if one.scan_id == suv.scan_id), None)
    if not wanted or scan is None:
        return []
    image = data.volume(suv.suv_image_sha256)
    masks = organ_masks(_regions(data, scan, image.geometry, wanted), data.settings.masks)
    healthy = ~_tumour(data, suv, image.geometry)
    found = []
    for organ in wanted:
        if organ in masks:
            voxels = image.array[resample_mask(masks[organ], image.geometry).array & healthy]
            found.append(organ_finding(data.patient_id, suv.scan_id, organ, voxels, tracer))
    return [finding for finding in found if finding is not None]


def _regions(data: PatientData, scan: ScanSeries, geometry: Geometry, organs: list[str]) -> list:
    rules = data.settings.masks
    geometries = {scan.require_pet().series_instance_uid: geometry}
    regions = []
    for series in scan.contours:
        try:
            if scan.ct is not None and series.referenced_series_instance_uid == scan.ct.series_instance_uid:
                geometries[scan.ct.series_instance_uid] = data.ct(scan).volume.geometry
            for path in data.paths(series.series_instance_uid):
                names = {name for name in contour_names(series, path) if rules.organ_of(name) in organs}
                regions.extend(read_contours(series, path, geometries, roi_names=names) if names else ())
        except PetctError:
            continue
    return regions


def _tumour(data: PatientData, suv: SuvRecord, geometry: Geometry) -> np.ndarray:
    """Voxels of any lesion of the scan on the PET grid, under any protocol."""
    tumour = np.zeros(geometry.shape, dtype=bool)
    digests = {
        row.label_map_sha256
        for row in data.rows("lesions", LesionRecord)
        if row.scan_id == suv.scan_id and row.modality == "PT"
    }
    for digest in digests:
        tumour |= data.volume(digest).array > 0
    return tumour
