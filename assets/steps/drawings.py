"""What was drawn on the images of a scan: the grids, and every file of contours or masks that can be read or cannot."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from assets.refusal_rows import refusal
from assets.steps.patient_data import PatientData
from petct.dicom.declared_masks import read_label_map
from petct.dicom.masks import contour_names, read_contours
from petct.dicom.regions import RULES, RoiMask
from petct.dicom.roles import LABEL_MAP
from petct.dicom.scans import ScanSeries
from petct.dicom.series import read_grid
from petct.errors import MaskError, PetctError
from petct.image.mask_resampling import check_overlap, resample_checked
from petct.image.volume import Geometry
from petct.lesions.delineation import Drawing, UnreadableDrawing
from petct.lesions.lesion_map import Modality
from records.imaging import Finding, RefusalRecord, SeriesRecord


@dataclass(frozen=True)
class Drawn:
    """All drawings of a scan, those that cannot be read, and what is to be said about them."""

    drawings: list[Drawing] = field(default_factory=list)
    unreadable: list[UnreadableDrawing] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def grids_of(data: PatientData, scan: ScanSeries, refusals: list[RefusalRecord]) -> dict[Modality, Geometry]:
    """The grids of the images that can be read; a CT that cannot, or that the study needs, is a refusal of lesions."""
    grids: dict[Modality, Geometry] = {"PT": data.pet(scan.require_pet()).volume.geometry}
    if scan.ct is None and not data.settings.needs_ct:
        return grids
    try:
        grids["CT"] = data.ct(scan).volume.geometry
    except PetctError as error:
        refusals.append(refusal(error, patient_id=data.patient_id, table="lesions"))
    return grids


def drawings_of(
    data: PatientData, scan: ScanSeries, grids: dict[Modality, Geometry], refusals: list[RefusalRecord]
) -> Drawn:
    """Every file of contours or masks of the scan; one that cannot be read is a refusal of the lesions."""
    # A file of which nothing is known may have been contours: others must not take their place.
    found = Drawn(
        unreadable=[
            UnreadableDrawing(None, finding.code, is_contours=False)
            for finding in data.findings("files")
            if finding.code == "INDEX_FILE_UNREADABLE"
        ]
    )
    for series in scan.contours:
        for path in data.paths(series.series_instance_uid):
            modality = None if series.role == LABEL_MAP else _drawn_on(series, scan)
            if modality is not None and modality not in grids:
                # Contours of an image that is not there; the image's own refusal says so.
                continue
            try:
                read = _label_map if series.role == LABEL_MAP else _contours
                found.drawings.extend(read(data, scan, series, path, grids, found))
            except PetctError as error:
                found.unreadable.append(UnreadableDrawing(modality, error.code))
                refusals.append(refusal(error, patient_id=data.patient_id, table="lesions"))
    _check_readers(data, found, refusals)
    _without_overlapping_organs(data, scan, found)
    found.findings.extend(_how_read(data, scan, found.drawings))
    return found


def _contours(
    data: PatientData, scan: ScanSeries, series: SeriesRecord, path: Path, grids: dict[Modality, Geometry], found: Drawn
) -> list[Drawing]:
    """An RTSTRUCT or SEG, split by reader; its regions are on the grid of the image they are used on."""
    rules, modality, referenced = data.settings.masks, _drawn_on(series, scan), series.referenced_series_instance_uid
    geometries = {
        image.series_instance_uid: grids[of]
        for of, image in (("PT", scan.pet), ("CT", scan.ct))
        if image is not None and of in grids
    }
    names = contour_names(series, path)
    wanted = {name for name in names if rules.is_tumour(name) or rules.organ_of(name) is not None}
    if not wanted:
        return _by_reader(data, series, modality or "PT", names, (), found)
    other = next((s for s in data.series() if s.series_instance_uid == referenced and modality is None), None)
    if other is not None and referenced is not None:
        _check_frame(series, other, scan)
        where = {"patient_id": data.patient_id, "series_instance_uid": referenced}
        geometries[referenced] = read_grid(data.paths(referenced), **where)
        modality = "CT" if other.modality == "CT" and "CT" in grids else "PT"
    rois = read_contours(series, path, geometries, roi_names=wanted, limits=rules.resampling)
    if other is not None:
        rois = tuple(_moved(roi, grids[modality or "PT"], data) for roi in rois)
    lost = sorted(wanted - {roi.name for roi in rois})
    if lost:
        message = f"Regions of {series.series_instance_uid} are single points and were left out: {', '.join(lost)}"
        found.findings.append(_finding(data, scan, series.series_instance_uid, "ROI_ONLY_POINTS", message, "warning"))
    return _by_reader(data, series, modality or "PT", names, rois, found)


def _check_frame(series: SeriesRecord, other: SeriesRecord, scan: ScanSeries) -> None:
    frame = scan.require_pet().frame_of_reference_uid
    if frame is None or other.frame_of_reference_uid != frame:
        raise MaskError(
            "CONTOURS_FRAME_DIFFERS",
            "The contours were drawn on a series that does not share the frame of reference of the PET",
            series_instance_uid=series.series_instance_uid,
            keyword="FrameOfReferenceUID",
            found=other.frame_of_reference_uid,
            expected=frame,
            hint="Register the series, or draw the contours on the PET or its CT.",
        )


def _moved(roi: RoiMask, onto: Geometry, data: PatientData) -> RoiMask:
    moved = resample_checked(roi.mask, onto, data.settings.masks.resampling, roi.name)
    return replace(roi, mask=moved, rules=(*roi.rules, "MASK_OF_OTHER_SERIES"))


def _label_map(
    data: PatientData, scan: ScanSeries, series: SeriesRecord, path: Path, grids: dict[Modality, Geometry], found: Drawn
) -> list[Drawing]:
    """A declared file of masks; one that holds nothing that is wanted is not read."""
    rules = data.settings.masks
    relative = path.relative_to(data.settings.dicom_folder).as_posix()
    declared = next(one for one in data.settings.declared_masks if one.match(relative))
    names = declared.names(path.name)
    wanted = {name for name in names if rules.is_tumour(name) or rules.organ_of(name) is not None}
    if not wanted:
        return []
    # Organs are segmented on the CT as a rule.
    order: tuple[Modality, ...] = ("CT", "PT")
    ordered: dict[str, Geometry] = {of: grids[of] for of in order if of in grids}
    try:
        read = read_label_map(
            path,
            declared,
            ordered,
            patient_id=data.patient_id,
            series_instance_uid=series.series_instance_uid,
            wanted=wanted,
            limits=rules.resampling,
        )
    except MaskError as error:
        if any(rules.is_tumour(name) for name in wanted):
            raise
        # An organ that cannot be used costs the organ, not the lesions; without its mask theirs is unknown.
        found.findings.append(_finding(data, scan, series.series_instance_uid, error.code, error.sentence(), "warning"))
        return []
    tumours = [roi for roi in read.rois if rules.is_tumour(roi.name)]
    is_empty = not tumours or not all(roi.mask.array.any() for roi in tumours)
    if is_empty and any(rules.is_tumour(name) for name in wanted):
        raise MaskError(
            "ROI_EMPTY",
            "A mask of tumour has no voxels",
            series_instance_uid=series.series_instance_uid,
            keyword="masks.files in study.yaml",
            found=path.name,
            hint="An RTSTRUCT without regions says that a reader found no tumour.",
        )
    modality: Modality = "CT" if read.on == "CT" else "PT"
    return (
        _by_reader(data, series, modality, tuple(roi.name for roi in read.rois), read.rois, found) if read.rois else []
    )


def _by_reader(
    data: PatientData,
    series: SeriesRecord,
    modality: Modality,
    names: Sequence[str],
    rois: Sequence[RoiMask],
    found: Drawn,
) -> list[Drawing]:
    """The drawing, split by the readers of its tumour; organs and the rest go with the primary reader."""
    rules, uid = data.settings.masks, series.series_instance_uid
    primary = rules.readers[0].name if rules.readers else ""
    of_name: dict[str, str] = {}
    for name in names:
        reader = rules.reader_of(name, series.series_description, uid) if rules.is_tumour(name) else primary
        of_name[name] = _UNKNOWN_READER if reader is None and rules.readers else reader or ""
    readers = set(of_name.values()) or {rules.reader_of("", series.series_description, uid) or primary}
    return [
        Drawing(
            modality,
            series.role,
            uid,
            tuple(name for name in names if of_name[name] == reader),
            tuple(roi for roi in rois if of_name[roi.name] == reader),
            "" if reader == primary else reader,
        )
        for reader in sorted(readers)
    ]


_UNKNOWN_READER = "?"


def _check_readers(data: PatientData, found: Drawn, refusals: list[RefusalRecord]) -> None:
    """Tumour that no rule gives to a reader is the primary one's where nobody is named, and refused elsewhere."""
    unknown = [drawing for drawing in found.drawings if drawing.reader == _UNKNOWN_READER]
    if not unknown:
        return
    known = {drawing.reader for drawing in found.drawings if drawing.reader not in ("", _UNKNOWN_READER)}
    rules = data.settings.masks
    named = known or any(
        drawing.reader == "" and any(rules.is_tumour(name) for name in drawing.names) for drawing in found.drawings
    )
    for drawing in unknown:
        found.drawings.remove(drawing)
        if not named:
            found.drawings.append(replace(drawing, reader=""))
            continue
        error = MaskError(
            "READER_UNKNOWN",
            "Several readers drew tumour in this scan, and of some regions nothing says whose they are",
            series_instance_uid=drawing.series_instance_uid,
            keyword="masks.readers in study.yaml",
            found=", ".join(sorted(drawing.names)),
            expected="regions or series that match one reader",
        )
        found.unreadable.append(UnreadableDrawing(drawing.modality, error.code))
        refusals.append(refusal(error, patient_id=data.patient_id, table="lesions"))


def _without_overlapping_organs(data: PatientData, scan: ScanSeries, found: Drawn) -> None:
    """Leave out organs that claim the same voxels beyond the limit: which of them a lesion lies in is not known."""
    rules = data.settings.masks
    organs: dict[tuple[Modality, str], np.ndarray] = {}
    grids: dict[Modality, Geometry] = {}
    for drawing in found.drawings:
        for roi in drawing.rois:
            organ = None if rules.is_tumour(roi.name) else rules.organ_of(roi.name)
            if organ is not None:
                grids[drawing.modality] = roi.mask.geometry
                before = organs.get((drawing.modality, organ))
                organs[drawing.modality, organ] = roi.mask.array if before is None else before | roi.mask.array
    refused: set[tuple[Modality, str]] = set()
    for modality, grid in grids.items():
        names = sorted(organ for of, organ in organs if of == modality)
        claims = np.zeros(grid.shape, dtype=np.uint8)
        for name in names:
            claims += organs[modality, name]
        contested = np.nonzero(claims > 1)
        for position, name in enumerate(names if contested[0].size else ()):
            for other in names[:position]:
                one, two = organs[modality, name], organs[modality, other]
                shared = np.count_nonzero(one[contested] & two[contested])
                if shared:
                    smaller = min(np.count_nonzero(one), np.count_nonzero(two))
                    ml = grid.voxel_volume_ml
                    try:
                        check_overlap(other, name, shared * ml, smaller * ml, rules.resampling)
                    except MaskError as error:
                        refused |= {(modality, name), (modality, other)}
                        found.findings.append(_finding(data, scan, None, error.code, error.sentence(), "warning"))
    if refused:
        found.drawings[:] = [
            replace(
                drawing,
                rois=tuple(
                    roi
                    for roi in drawing.rois
                    if rules.is_tumour(roi.name) or (drawing.modality, rules.organ_of(roi.name)) not in refused
                ),
            )
            for drawing in found.drawings
        ]


def _how_read(data: PatientData, scan: ScanSeries, drawings: Sequence[Drawing]) -> list[Finding]:
    """What was done to masks on their way, one finding a file and rule."""
    regions: dict[tuple[str, str], list[str]] = defaultdict(list)
    for drawing in drawings:
        for roi in drawing.rois:
            for rule in roi.rules:
                regions[drawing.series_instance_uid, rule].append(roi.name)
    return [
        _finding(data, scan, uid, rule, f"{RULES[rule]}: {', '.join(sorted(set(names)))}", "info")
        for (uid, rule), names in regions.items()
    ]


def _finding(
    data: PatientData, scan: ScanSeries, series_instance_uid: str | None, code: str, message: str, severity: str
) -> Finding:
    return Finding(data.patient_id, scan.scan_id, series_instance_uid, "lesions", code, severity, message)


def _drawn_on(contours: SeriesRecord, scan: ScanSeries) -> Modality | None:
    """The image that contours refer to, or None where they do not say."""
    referenced = contours.referenced_series_instance_uid
    if scan.ct is not None and referenced == scan.ct.series_instance_uid:
        return "CT"
    return "PT" if scan.pet is not None and referenced == scan.pet.series_instance_uid else None
