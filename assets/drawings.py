"""What was drawn on the images of a scan: the grids, and every contour file that can be read or cannot."""

from assets.patient_data import PatientData
from assets.records import RefusalRecord, refusal
from petct.delineation import Drawing, UnreadableDrawing
from petct.dicom.index import SeriesRecord
from petct.dicom.masks import contour_names, read_contours
from petct.dicom.scans import ScanSeries
from petct.errors import PetctError
from petct.lesions import Modality
from petct.volume import Geometry


def grids_of(data: PatientData, scan: ScanSeries, refusals: list[RefusalRecord]) -> dict[Modality, Geometry]:
    """The grids of the images that can be read; a CT that cannot is a refusal of the lesions on it."""
    grids: dict[Modality, Geometry] = {"PT": data.pet(scan.pet).volume.geometry}
    try:
        grids["CT"] = data.ct(scan).volume.geometry
    except PetctError as error:
        refusals.append(refusal(error, patient_id=data.patient_id, table="lesions"))
    return grids


def drawings_of(
    data: PatientData, scan: ScanSeries, grids: dict[Modality, Geometry], refusals: list[RefusalRecord]
) -> tuple[list[Drawing], list[UnreadableDrawing]]:
    """Every contour file of the scan; one that cannot be read is a refusal of the lesions."""
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
