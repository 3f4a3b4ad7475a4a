"""The step from contours to lesions."""

from assets.patient_data import Measure, PatientData, StepOutput
from assets.records import RefusalRecord, refusal
from petct.delineation import RESAMPLED, Delineation, Drawing, UnreadableDrawing, delineate
from petct.dicom.index import Finding, SeriesRecord
from petct.dicom.masks import contour_names, read_contours
from petct.dicom.scans import ScanSeries
from petct.errors import PetctError
from petct.lesions import UNKNOWN_ORGAN, DelineationRecord, LesionRecord, Modality, organ_masks
from petct.volume import Geometry, Volume

# Above this share of the drawn volume, resampling is worth a warning.
_NOTABLE_VOLUME_CHANGE = 0.1


def lesions_step(data: PatientData) -> StepOutput:
    """Lesions on the PET and on the CT grid of each scan, under each protocol."""
    rows: list[LesionRecord] = []
    delineations: list[DelineationRecord] = []
    findings: list[Finding] = []
    refusals: list[RefusalRecord] = []
    by_id = {scan.scan_id: scan for scan in data.scan_series()}
    for record in data.scans():
        scan = by_id[record.scan_id]
        grids = _grids(data, scan, refusals)
        drawings, unreadable = _drawings(data, scan, grids, refusals)
        findings.extend(_missing_organs(data, scan.scan_id, drawings))
        for protocol in data.settings.protocols:
            for modality in grids:
                try:
                    found = delineate(modality, grids, drawings, unreadable, protocol, data.settings.masks)
                    rows.extend(_lesion_rows(data, scan.scan_id, protocol.protocol_id, found))
                    delineations.append(_delineation(data.patient_id, scan.scan_id, protocol.protocol_id, found))
                    findings.extend(_resampled(data.patient_id, scan.scan_id, delineations[-1]))
                except PetctError as error:
                    refusals.append(refusal(error, patient_id=data.patient_id, table="lesions"))
    return StepOutput(
        rows if delineations else None,
        companions=(("delineations", delineations),),
        findings=tuple(findings),
        refusals=tuple(dict.fromkeys(refusals)),
        measures=(
            Measure("lesions", len({(row.scan_id, row.protocol_id, row.lesion_id) for row in rows})),
            Measure("tumour volume", sum(row.volume_ml for row in rows if row.modality == "PT"), "ml"),
        ),
    )


def _delineation(patient_id: str, scan_id: str, protocol_id: str, found: Delineation) -> DelineationRecord:
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


def _resampled(patient_id: str, scan_id: str, row: DelineationRecord) -> list[Finding]:
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


def _missing_organs(data: PatientData, scan_id: str, drawings: list[Drawing]) -> list[Finding]:
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


def _grids(data: PatientData, scan: ScanSeries, refusals: list[RefusalRecord]) -> dict[Modality, Geometry]:
    """The grids of the images that can be read; a CT that cannot is a refusal of the lesions on it."""
    grids: dict[Modality, Geometry] = {"PT": data.pet(scan.pet).volume.geometry}
    try:
        grids["CT"] = data.ct(scan).volume.geometry
    except PetctError as error:
        refusals.append(refusal(error, patient_id=data.patient_id, table="lesions"))
    return grids


def _drawings(
    data: PatientData, scan: ScanSeries, grids: dict[Modality, Geometry], refusals: list[RefusalRecord]
) -> tuple[list[Drawing], list[UnreadableDrawing]]:
    rules = data.settings.masks
    drawings = []
    # A file of which nothing is known may have been contours: others must not take their place.
    unreadable = [
        UnreadableDrawing(None, finding.code, is_contours=False)
        for finding in data.findings("files")
        if finding.code == "INDEX_FILE_UNREADABLE"
    ]
    geometries = {
        image.series_instance_uid: grids[modality]
        for modality, image in (("PT", scan.pet), ("CT", scan.ct))
        if image is not None and modality in grids
    }
    for series in scan.contours:
        modality = _drawn_on(series, scan)
        if modality is not None and modality not in grids:
            # Contours of an image that is not there; the image's own refusal says so.
            continue
        try:
            for path in data.paths(series.series_instance_uid):
                names = contour_names(series, path)
                wanted = {name for name in names if rules.is_tumour(name) or rules.organ_of(name) is not None}
                rois = read_contours(series, path, geometries, roi_names=wanted) if wanted or not names else ()
                drawings.append(Drawing(modality or "PT", series.role, series.series_instance_uid, names, rois))
        except PetctError as error:
            unreadable.append(UnreadableDrawing(modality, error.code))
            refusals.append(refusal(error, patient_id=data.patient_id, table="lesions"))
    return drawings, unreadable


def _drawn_on(contours: SeriesRecord, scan: ScanSeries) -> Modality | None:
    """The image that contours refer to, or None where they do not say."""
    referenced = contours.referenced_series_instance_uid
    if scan.ct is not None and referenced == scan.ct.series_instance_uid:
        return "CT"
    return "PT" if scan.pet is not None and referenced == scan.pet.series_instance_uid else None


def _lesion_rows(data: PatientData, scan_id: str, protocol_id: str, found: Delineation) -> list[LesionRecord]:
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
