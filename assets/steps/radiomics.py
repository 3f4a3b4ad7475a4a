"""From lesions to radiomic features."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from assets.refusal_rows import refusal
from assets.settings import StudySettings
from assets.steps.metrics import check_known
from assets.steps.patient_data import Measure, PatientData, StepOutput
from assets.steps.table import Check, PatientTable, Settings
from petct.errors import DicomError, FeatureError, PetctError
from petct.image.volume import Volume
from petct.lesions.protocol import Protocol
from petct.radiomics.engines import extract
from petct.radiomics.extraction import Account, Extraction, Status, missing
from petct.radiomics.feature_sets import FeatureSet
from records.features import FeatureExtraction, FeatureValue
from records.imaging import RefusalRecord, ScanRecord, SuvRecord
from records.masks import LesionRecord
from warehouse.storage.lake import Lake


def radiomic_features_step(data: PatientData) -> StepOutput:
    """Radiomic features of each lesion in each feature set, of each scan under each protocol."""
    rows: list[FeatureValue] = []
    accounts: list[FeatureExtraction] = []
    refusals: list[RefusalRecord] = []
    computed = False
    lesions = data.rows("lesions", LesionRecord)
    for scan in data.scans():
        for feature_set in data.settings.feature_sets:
            for protocol in data.settings.protocols:
                of_scan = [r for r in lesions if (r.scan_id, r.protocol_id) == (scan.scan_id, protocol.protocol_id)]
                try:
                    for row, account in _extractions(data, scan, protocol, feature_set, of_scan):
                        rows.extend(row)
                        accounts.append(account)
                    computed = True
                except PetctError as error:
                    refusals.append(refusal(error, patient_id=data.patient_id, table="radiomic_features"))
    return StepOutput(
        rows if computed else None,
        companions=(("feature_extractions", accounts),),
        refusals=tuple(dict.fromkeys(refusals)),
        measures=(
            Measure("lesions and feature sets", len(accounts)),
            Measure("values", sum(row.value is not None for row in rows)),
            Measure("reasons instead of values", sum(row.value is None for row in rows)),
        ),
    )


def _extractions(
    data: PatientData, scan: ScanRecord, protocol: Protocol, feature_set: FeatureSet, lesions: Sequence[LesionRecord]
) -> list[tuple[list[FeatureValue], FeatureExtraction]]:
    """The rows of each lesion, in the order of the lesions' ids."""
    modality = feature_set.modality
    check_known(data, modality, scan.scan_id, protocol.protocol_id)
    if not lesions:
        return []
    image_sha256 = image_sha256_of(data, scan, modality)
    image = data.volume(image_sha256)
    on_grid = {row.lesion_id: row for row in lesions if row.modality == modality}
    found = _of_label_maps(data, image, tuple(on_grid.values()), feature_set)
    rows = []
    for lesion_id in sorted({row.lesion_id for row in lesions}):
        absent = Account(data.settings.radiomics_engine, (), image.geometry.spacing_mm, 0, None, None, 0, ())
        extraction = found.get(lesion_id) or Extraction(0, missing(feature_set, Status.ROI_ABSENT), absent)
        key = (data.patient_id, scan.scan_id, protocol.protocol_id, lesion_id, feature_set.feature_set_id)
        values = [FeatureValue(*key, item.feature_name, item.value, str(item.status)) for item in extraction.features]
        label_map = on_grid[lesion_id].label_map_sha256 if lesion_id in on_grid else None
        account = extraction.account
        rows.append(
            (
                values,
                FeatureExtraction(
                    *key,
                    account.engine,
                    ", ".join(account.reference_classes),
                    image_sha256,
                    label_map,
                    *account.spacing_mm,
                    account.n_voxels_segmented,
                    account.n_voxels_resampled,
                    account.n_voxels,
                    account.n_voxels_below_minimum,
                    len(values),
                    sum(value.value is None for value in values),
                ),
            )
        )
    return rows


def _of_label_maps(
    data: PatientData, image: Volume, lesions: Sequence[LesionRecord], feature_set: FeatureSet
) -> Mapping[str, Extraction]:
    """The extraction of each lesion by its id; all lesions of one label map at once."""
    found = {}
    for sha256, group in groupby(sorted(lesions, key=_label_map), key=_label_map):
        of_map = list(group)
        labels = [row.label for row in of_map]
        extractions = extract(image, data.volume(sha256), labels, feature_set, data.settings.radiomics_engine)
        found.update({row.lesion_id: extraction for row, extraction in zip(of_map, extractions, strict=True)})
    return found


def _label_map(row: LesionRecord) -> str:
    return row.label_map_sha256


def image_sha256_of(data: PatientData, scan: ScanRecord, modality: str) -> str:
    """The digest of the image of a modality: SUV or Hounsfield units."""
    if modality == "CT":
        if scan.ct_image_sha256 is None:
            raise DicomError(
                "CT_SERIES_MISSING",
                "The scan has no readable CT image",
                patient_id=data.patient_id,
                keyword=scan.scan_id,
            )
        return scan.ct_image_sha256
    for row in data.rows("suv", SuvRecord):
        if row.scan_id == scan.scan_id:
            return row.suv_image_sha256
    raise FeatureError("SUV_MISSING", "The scan has no SUV image", patient_id=data.patient_id, keyword=scan.scan_id)


def _settings(study: StudySettings) -> Settings:
    return {
        "protocols": study.protocol_ids,
        "feature_sets": study.feature_set_ids,
        "engine": study.radiomics_engine,
    }


def _features_incomplete(lake: Lake, patient_id: str) -> bool:
    rows = lake.read_if_computed("radiomic_features", patient_id, FeatureValue)
    if any((row.value is None) == (row.status == Status.COMPUTED) for row in rows):
        return True
    counts = Counter((row.scan_id, row.protocol_id, row.lesion_id, row.feature_set_id) for row in rows)
    return counts != {
        (row.scan_id, row.protocol_id, row.lesion_id, row.feature_set_id): row.n_features
        for row in lake.read_if_computed("feature_extractions", patient_id, FeatureExtraction)
    }


RADIOMIC_FEATURES = PatientTable(
    "radiomic_features",
    "3",
    _settings,
    step=radiomic_features_step,
    upstream=("scans", "suv", "lesions", "delineations"),
    checks=(
        Check(
            "every_feature_or_a_reason",
            "Each lesion has each feature, as a value or as a reason.",
            _features_incomplete,
        ),
    ),
    companions=("feature_extractions",),
)
