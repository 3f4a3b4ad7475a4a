"""From lesions to pictures: a maximum-intensity projection of each scan under each protocol."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from assets.refusal_rows import refusal
from assets.steps.masks import lesions_step, mask_settings
from assets.steps.metrics import check_known, lesion_map
from assets.steps.patient_data import Measure, PatientData, StepOutput
from assets.steps.table import Check, PatientTable
from petct.errors import PetctError
from petct.image.volume import Volume
from petct.lesions.lesion_map import UNKNOWN_ORGAN, LesionMap, MaskRules
from petct.lesions.projection import SUV_WINDOW, project
from petct.lesions.protocol import Protocol
from petct.lesions.reference_regions import ReferenceRegion
from petct.suv.plausibility import tracer_of
from records.imaging import RefusalRecord, SuvRecord
from records.masks import LesionRecord, PictureRecord, ReferenceRegionRecord
from warehouse.errors import WarehouseError
from warehouse.storage.lake import Lake

MIP = "mip"


def pictures_step(data: PatientData) -> StepOutput:
    """The picture of each scan under each protocol whose lesions are known."""
    rows: list[PictureRecord] = []
    refusals: list[RefusalRecord] = []
    paths: list[tuple[str, str]] = []
    scans = data.rows("suv", SuvRecord)
    lesions = [row for row in data.rows("lesions", LesionRecord) if row.modality == "PT"]
    for number, suv in enumerate(scans, start=1):
        for protocol in data.settings.protocols:
            of_scan = [r for r in lesions if (r.scan_id, r.protocol_id) == (suv.scan_id, protocol.protocol_id)]
            try:
                check_known(data, "PT", suv.scan_id, protocol.protocol_id)
                rows.append(_mip(data, suv, protocol, of_scan))
            except PetctError as error:
                refusals.append(refusal(error, patient_id=data.patient_id, table="pictures"))
                continue
            # The number of the scan and not its id, which begins with a date.
            which = f"scan {number}, {protocol.name}" if len(scans) > 1 else protocol.name
            paths.append((f"projection ({which})", rows[-1].path))
    return StepOutput(
        rows or None, refusals=tuple(refusals), measures=(Measure("pictures", len(rows)),), paths=tuple(paths)
    )


def _mip(data: PatientData, suv: SuvRecord, protocol: Protocol, lesions: list[LesionRecord]) -> PictureRecord:
    # Here and not at the top: Pillow takes its time, and `petlake status` draws nothing.
    from figures.mip import MipWords, mip_picture
    from figures.organ_colours import organ_colours
    from figures.png import png_bytes

    image = data.volume(suv.suv_image_sha256)
    found = lesion_map(data, lesions, image.geometry)
    excluded = _excluded(data, suv.scan_id, protocol)
    views = project(image, found, excluded, _references(data, suv.scan_id))
    window = SUV_WINDOW[tracer_of(data.settings.tracer, suv.radiopharmaceutical, suv.radionuclide)]
    words = MipWords(
        data.patient_id,
        suv.scan_id,
        protocol.protocol_id,
        _counts(found, data.settings.masks),
        sum(lesion.volume_ml for lesion in found.lesions),
        window,
    )
    picture = mip_picture(views, words, organ_colours(organs_of(data.settings.masks)))
    png = png_bytes(picture, {"Title": words.title, "Description": words.subtitle, "Software": "petlake"})
    sha256 = data.lake.write_picture(data.patient_id, png)
    path = data.lake.picture_path(data.patient_id, sha256)
    return PictureRecord(
        patient_id=data.patient_id,
        scan_id=suv.scan_id,
        protocol_id=protocol.protocol_id,
        kind=MIP,
        picture_sha256=sha256,
        path=path.relative_to(data.lake.root).as_posix(),
        width_px=picture.width,
        height_px=picture.height,
        suv_window_low=window[0],
        suv_window_high=window[1],
        n_lesions=len(found.lesions),
        suv_image_sha256=suv.suv_image_sha256,
        label_map_sha256=lesions[0].label_map_sha256 if lesions else None,
        excluded_mask_sha256=None if excluded is None else data.keep(Volume(excluded.astype(np.uint8), image.geometry)),
        code_version=PICTURES.code_version,
    )


def organs_of(rules: MaskRules) -> list[str]:
    """Every organ that a lesion of the study may lie in, in the order of study.yaml."""
    return [*(organ for organ, _ in rules.organs), rules.elsewhere, UNKNOWN_ORGAN]


def _counts(lesions: LesionMap, rules: MaskRules) -> dict[str, int]:
    """Lesions of each organ that has some, in the order of study.yaml."""
    counts = Counter(lesion.organ for lesion in lesions.lesions)
    return {organ: counts[organ] for organ in organs_of(rules) if counts[organ]}


def _excluded(data: PatientData, scan_id: str, protocol: Protocol) -> NDArray[np.bool_] | None:
    """What the protocol excluded as physiological; found again where the lesions were found by an earlier run."""
    key = scan_id, protocol.protocol_id
    if protocol.threshold is None or not protocol.exclude:
        return None
    if key not in data.excluded:
        lesions_step(data)
    excluded = data.excluded.get(key)
    return excluded if excluded is not None and excluded.any() else None


def _references(data: PatientData, scan_id: str) -> list[ReferenceRegion]:
    return [
        ReferenceRegion(
            row.region,
            (row.centre_x_mm, row.centre_y_mm, row.centre_z_mm),
            row.radius_mm,
            row.n_voxels,
            row.suv_mean,
            row.suv_sd,
        )
        for row in data.rows("reference_regions", ReferenceRegionRecord)
        if row.scan_id == scan_id
    ]


def _pictures_lost(lake: Lake, patient_id: str) -> bool:
    try:
        for row in lake.read_if_computed("pictures", patient_id, PictureRecord):
            lake.read_picture(patient_id, row.picture_sha256)
    except WarehouseError:
        return True
    return False


PICTURES = PatientTable(
    "pictures",
    "1",
    mask_settings,
    step=pictures_step,
    upstream=("dicom_files", "series", "scans", "suv", "lesions", "delineations", "reference_regions"),
    checks=(Check("every_picture_is_there", "The file of each picture is what was written.", _pictures_lost),),
)
