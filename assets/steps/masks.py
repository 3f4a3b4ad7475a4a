"""The step from contours, or from a threshold, to lesions."""

from dataclasses import dataclass, field, replace

import numpy as np

from assets.refusal_rows import refusal
from assets.settings import StudySettings
from assets.steps.drawings import drawings_of, grids_of
from assets.steps.lesion_rows import (
    delineation_row,
    exclusion_rows,
    lesion_rows,
    missing_organs,
    readers_not_compared,
    resampled_findings,
)
from assets.steps.matching import Between, compare_readers, protocol_matches, time_point_matches, unaligned_time_points
from assets.steps.patient_data import Measure, PatientData, StepOutput
from assets.steps.plausibility import organ_findings
from assets.steps.table import Check, PatientTable, Settings
from petct.errors import MaskError, PetctError
from petct.image.volume import resample_mask
from petct.lesions.delineation import (
    Delineation,
    Drawing,
    DrawnScan,
    SuvImage,
    check_resampled,
    delineate,
    delineate_by_threshold,
    lesions_above_threshold,
)
from petct.lesions.lesion_map import LesionMap, MaskRules, organ_masks
from petct.lesions.protocol import Protocol
from petct.lesions.reference_regions import RADIUS_MM, ReferenceRegion, place_reference
from records.imaging import Finding, RefusalRecord, SuvRecord
from records.masks import (
    DelineationRecord,
    ExclusionRecord,
    LesionMatchRecord,
    LesionRecord,
    ReaderAgreementRecord,
    ReferenceRegionRecord,
)
from warehouse.storage.lake import Lake


def lesions_step(data: PatientData) -> StepOutput:
    """Lesions on the PET and on the CT grid of each scan, under each protocol."""
    found = _Found()
    by_id = {scan.scan_id: scan for scan in data.scan_series()}
    for record in data.scans():
        scan = by_id[record.scan_id]
        grids = grids_of(data, scan, found.refusals)
        drawn = drawings_of(data, scan, grids, found.refusals)
        drawings = [drawing for drawing in drawn.drawings if not drawing.reader]
        found.findings.extend(drawn.findings)
        found.findings.extend(missing_organs(data, scan.scan_id, drawings))
        suv = _suv(data, record.scan_id)
        references = _references(data, record.scan_id, suv, drawings, found)
        found.findings.extend(organ_findings(data, record.scan_id, drawings))
        of_readers = [drawing for drawing in drawn.drawings if drawing.reader]
        of_images = DrawnScan(grids, drawings, drawn.unreadable)
        for protocol in data.settings.protocols:
            of_scan = _OfScan(record.scan_id, of_images, suv, references, protocol)
            if protocol.threshold is None:
                _as_drawn(data, of_scan, found)
            else:
                _by_threshold(data, of_scan, found)
            _by_readers(data, of_scan, of_readers, found)
    matches = [*found.matches, *protocol_matches(data, found.maps), *time_point_matches(data, found.maps)]
    found.findings.extend(unaligned_time_points(data))
    return StepOutput(
        found.rows if found.delineations else None,
        companions=(
            ("delineations", found.delineations),
            ("exclusions", found.exclusions),
            ("reference_regions", found.references),
            ("lesion_matches", matches),
            ("reader_agreement", found.agreements),
        ),
        findings=tuple(dict.fromkeys(found.findings)),
        refusals=tuple(dict.fromkeys(found.refusals)),
        measures=(
            Measure("lesions", len({(row.scan_id, row.protocol_id, row.lesion_id) for row in found.rows})),
            Measure(
                "tumour volume",
                sum(
                    row.volume_ml
                    for row in found.rows
                    if row.modality == "PT" and row.protocol_id == data.settings.protocols[0].protocol_id
                ),
                "ml",
            ),
        ),
    )


@dataclass
class _Found:
    """The rows of the step, as they are gathered."""

    rows: list[LesionRecord] = field(default_factory=list)
    delineations: list[DelineationRecord] = field(default_factory=list)
    exclusions: list[ExclusionRecord] = field(default_factory=list)
    references: list[ReferenceRegionRecord] = field(default_factory=list)
    matches: list[LesionMatchRecord] = field(default_factory=list)
    agreements: list[ReaderAgreementRecord] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    refusals: list[RefusalRecord] = field(default_factory=list)
    maps: dict[tuple[str, str], LesionMap] = field(default_factory=dict)
    """Scan and protocol to the lesions on the PET grid."""


@dataclass(frozen=True, eq=False)
class _OfScan:
    """What a delineation of one scan is made from."""

    scan_id: str
    drawn: DrawnScan
    suv: SuvImage | None
    references: dict[str, ReferenceRegion]
    protocol: Protocol


def _as_drawn(data: PatientData, of: _OfScan, found: _Found) -> None:
    for modality in of.drawn.grids:
        try:
            _add(data, of, delineate(modality, of.drawn, of.protocol, data.settings.masks), found)
        except PetctError as error:
            found.refusals.append(refusal(error, patient_id=data.patient_id, table="lesions"))


def _by_readers(data: PatientData, of: _OfScan, of_readers: list[Drawing], found: _Found) -> None:
    """Compare the lesions of the other readers with those of the primary one, where both are known."""
    primary = found.maps.get((of.scan_id, of.protocol.protocol_id))
    rules = data.settings.masks
    if primary is None or not of_readers:
        return
    if of.protocol.search == "image":
        found.findings.append(readers_not_compared(data.patient_id, of.scan_id, of.protocol))
        return
    organs = [_without_tumour(drawing, rules) for drawing in of.drawn.drawings]
    for reader in sorted({drawing.reader for drawing in of_readers}):
        drawings = [drawing for drawing in of_readers if drawing.reader == reader]
        drawings += [drawing for drawing in organs if drawing.names]
        try:
            lesions = _read_lesions(of, drawings, rules)
        except PetctError as error:
            found.refusals.append(refusal(error, patient_id=data.patient_id, table="lesions"))
            continue
        between = Between(data.patient_id, of.scan_id, of.protocol.protocol_id, rules.readers[0].name, reader)
        matches, agreements = compare_readers(between, primary, lesions)
        found.matches.extend(matches)
        found.agreements.extend(agreements)


def _read_lesions(of: _OfScan, drawings: list[Drawing], rules: MaskRules) -> LesionMap:
    """A reader's lesions on the PET grid: as drawn, or what exceeds the threshold inside the contours."""
    drawn = replace(of.drawn, drawings=drawings)
    if of.protocol.threshold is None or of.suv is None:
        return delineate("PT", drawn, of.protocol, rules).lesions
    thresholded, _ = lesions_above_threshold(of.suv, drawn, of.references, of.protocol, rules)
    return thresholded.lesions


def _without_tumour(drawing: Drawing, rules: MaskRules) -> Drawing:
    return replace(
        drawing,
        names=tuple(name for name in drawing.names if not rules.is_tumour(name)),
        rois=tuple(roi for roi in drawing.rois if not rules.is_tumour(roi.name)),
    )


def _by_threshold(data: PatientData, of: _OfScan, found: _Found) -> None:
    try:
        if of.suv is None:
            raise MaskError(
                "SUV_MISSING",
                f"Scan {of.scan_id} has no SUV, and the protocol {of.protocol.name} needs one",
                found=", ".join(sorted({record.code for record in data.refusals("suv")})) or None,
            )
        delineations, account = delineate_by_threshold(
            of.suv, of.drawn, of.references, of.protocol, data.settings.masks
        )
    except PetctError as error:
        found.refusals.append(refusal(error, patient_id=data.patient_id, table="lesions"))
        return
    for delineation in delineations.values():
        try:
            _add(data, of, delineation, found)
        except PetctError as error:
            found.refusals.append(refusal(error, patient_id=data.patient_id, table="lesions"))
    data.excluded[of.scan_id, of.protocol.protocol_id] = delineations["PT"].physiological
    found.exclusions.extend(exclusion_rows(data.patient_id, of.scan_id, of.protocol.protocol_id, account))


def _add(data: PatientData, of: _OfScan, delineation: Delineation, found: _Found) -> None:
    check_resampled(delineation, of.drawn.grids, data.settings.masks.resampling)
    protocol_id = of.protocol.protocol_id
    if delineation.modality == "PT":
        found.maps[of.scan_id, protocol_id] = delineation.lesions
    found.rows.extend(lesion_rows(data, of.scan_id, protocol_id, delineation))
    found.delineations.append(delineation_row(data.patient_id, of.scan_id, protocol_id, delineation))
    found.findings.extend(resampled_findings(data.patient_id, of.scan_id, found.delineations[-1]))


def _suv(data: PatientData, scan_id: str) -> SuvImage | None:
    """The SUV image of a scan; lesions as they are drawn need none, so that its absence is no refusal here."""
    try:
        rows = data.rows("suv", SuvRecord)
    except PetctError:
        return None
    record = next((row for row in rows if row.scan_id == scan_id), None)
    return None if record is None else SuvImage(record.series_instance_uid, data.volume(record.suv_image_sha256))


def _references(
    data: PatientData, scan_id: str, suv: SuvImage | None, drawings: list[Drawing], found: _Found
) -> dict[str, ReferenceRegion]:
    """The reference regions of the organs that have a mask, outside everything that was drawn as tumour."""
    organs = organ_masks([roi for drawing in drawings for roi in drawing.rois], data.settings.masks)
    wanted = sorted(set(organs) & set(RADIUS_MM))
    if suv is None or not wanted:
        return {}
    tumour = np.zeros(suv.image.geometry.shape, dtype=bool)
    for drawing in drawings:
        for roi in drawing.rois:
            if data.settings.masks.is_tumour(roi.name):
                tumour |= resample_mask(roi.mask, suv.image.geometry).array
    placed = {}
    for region in wanted:
        try:
            placed[region] = place_reference(region, suv.image, organs[region], tumour)
        except MaskError as error:
            uid, message = suv.series_instance_uid, error.sentence()
            found.findings.append(Finding(data.patient_id, scan_id, uid, "lesions", error.code, "warning", message))
    found.references.extend(
        ReferenceRegionRecord(
            data.patient_id, scan_id, r.region, *r.centre_mm, r.radius_mm, r.n_voxels, r.suv_mean, r.suv_sd
        )
        for r in placed.values()
    )
    return placed


def mask_settings(study: StudySettings) -> Settings:
    """What lesions, and pictures of them, depend on."""
    return {
        "masks": {**study.masks.settings(), "labels": [[one.files, one.labels] for one in study.declared_masks]},
        "protocols": study.protocol_ids,
        "tracer": study.tracer,
    }


def _lesions_empty(lake: Lake, patient_id: str) -> bool:
    return any(
        row.n_voxels < 1 or row.volume_ml <= 0 for row in lake.read_if_computed("lesions", patient_id, LesionRecord)
    )


LESIONS = PatientTable(
    "lesions",
    "5",
    lambda study: {**mask_settings(study), "needs_ct": study.needs_ct},
    step=lesions_step,
    upstream=("dicom_files", "series", "scans", "suv"),
    checks=(Check("no_empty_lesion", "Every lesion has a voxel and a volume.", _lesions_empty),),
    companions=("delineations", "exclusions", "reference_regions", "lesion_matches", "reader_agreement"),
)
