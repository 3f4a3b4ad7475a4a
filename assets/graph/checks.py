"""Asset checks: what must hold of every table, whatever it was computed from."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from assets.settings import StudySettings
from petct.radiomics.extraction import Status
from petct.radiomics.perturbation_sets import UNPERTURBED
from records.clinical import ClinicalValue, EndpointRecord
from records.cohort import ProvenanceRecord
from records.features import FeatureExtraction, FeatureValue, PetMetrics
from records.imaging import FileRecord, ScanRecord, SeriesRecord, SuvRecord
from records.masks import LesionRecord, PictureRecord
from records.robustness import PerturbedFeature
from warehouse.errors import WarehouseError
from warehouse.storage.lake import Lake

_TOLERANCE_ML = 1e-6


@dataclass(frozen=True)
class _Check:
    """A check of one table: the patients for which it does not hold."""

    name: str
    description: str
    violations: Callable[[Lake, str], bool]


def _series_miss_files(lake: Lake, patient_id: str) -> bool:
    n_files = len(lake.read_if_computed("files", patient_id, FileRecord))
    return sum(series.n_instances for series in lake.read_if_computed("series", patient_id, SeriesRecord)) != n_files


def _scan_ids_repeat(lake: Lake, patient_id: str) -> bool:
    scan_ids = [scan.scan_id for scan in lake.read_if_computed("scans", patient_id, ScanRecord)]
    return not scan_ids or len(set(scan_ids)) != len(scan_ids)


def _suv_implausible(lake: Lake, patient_id: str) -> bool:
    return any(not 0 < row.suv_max < 10_000 for row in lake.read_if_computed("suv", patient_id, SuvRecord))


def _lesions_empty(lake: Lake, patient_id: str) -> bool:
    return any(
        row.n_voxels < 1 or row.volume_ml <= 0 for row in lake.read_if_computed("lesions", patient_id, LesionRecord)
    )


def _pictures_lost(lake: Lake, patient_id: str) -> bool:
    try:
        for row in lake.read_if_computed("pictures", patient_id, PictureRecord):
            lake.read_picture(patient_id, row.picture_sha256)
    except WarehouseError:
        return True
    return False


def _volumes_do_not_add_up(lake: Lake, patient_id: str) -> bool:
    rows = lake.read_if_computed("pet_metrics", patient_id, PetMetrics)
    totals: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        of_scan = totals.setdefault((row.scan_id, row.protocol_id), {"lesion": 0.0, "organ": 0.0, "patient": 0.0})
        of_scan[row.grain] += row.volume_ml
    return any(
        abs(t["lesion"] - t["patient"]) > _TOLERANCE_ML or abs(t["organ"] - t["patient"]) > _TOLERANCE_ML
        for t in totals.values()
    )


def _features_incomplete(lake: Lake, patient_id: str) -> bool:
    rows = lake.read_if_computed("radiomic_features", patient_id, FeatureValue)
    if any((row.value is None) == (row.status == Status.COMPUTED) for row in rows):
        return True
    counts: dict[tuple[str, ...], int] = {}
    for row in rows:
        key = (row.scan_id, row.protocol_id, row.lesion_id, row.feature_set_id)
        counts[key] = counts.get(key, 0) + 1
    expected = {
        (row.scan_id, row.protocol_id, row.lesion_id, row.feature_set_id): row.n_features
        for row in lake.read_if_computed("feature_extractions", patient_id, FeatureExtraction)
    }
    return counts != expected


def _perturbations_incomplete(lake: Lake, patient_id: str) -> bool:
    rows = lake.read_if_computed("perturbed_features", patient_id, PerturbedFeature)
    if any((row.value is None) == (row.status == Status.COMPUTED) for row in rows):
        return True
    unchanged = {(row.scan_id, row.lesion_id, row.feature_set_id) for row in rows if row.perturbation == UNPERTURBED}
    return unchanged != {(row.scan_id, row.lesion_id, row.feature_set_id) for row in rows}


def _variables_repeat(lake: Lake, patient_id: str) -> bool:
    variables = [row.variable for row in lake.read_if_computed("clinical", patient_id, ClinicalValue)]
    return len(set(variables)) != len(variables)


def _times_negative(lake: Lake, patient_id: str) -> bool:
    return any(row.duration_days < 0 for row in lake.read_if_computed("endpoints", patient_id, EndpointRecord))


def _digest_differs(table: str) -> Callable[[Lake, str], bool]:
    def differs(lake: Lake, patient_id: str) -> bool:
        recorded = [
            row.data_sha256
            for row in lake.read_if_computed("provenance", patient_id, ProvenanceRecord)
            if row.table_name == table
        ]
        return lake.exists(table, patient_id) and recorded != [lake.digest(table, patient_id)]

    return differs


_CHECKS: dict[str, _Check] = {
    "series": _Check("accounts_for_every_file", "Every indexed file belongs to one series.", _series_miss_files),
    "scans": _Check("one_row_a_scan", "A computed patient has a scan, and no scan twice.", _scan_ids_repeat),
    "suv": _Check("plausible_maximum", "The largest SUV lies above 0 and below 10,000.", _suv_implausible),
    "lesions": _Check("no_empty_lesion", "Every lesion has a voxel and a volume.", _lesions_empty),
    "pictures": _Check("every_picture_is_there", "The file of each picture is what was written.", _pictures_lost),
    "pet_metrics": _Check(
        "volumes_add_up", "Lesions and organs sum to the patient's tumour volume.", _volumes_do_not_add_up
    ),
    "radiomic_features": _Check(
        "every_feature_or_a_reason", "Each lesion has each feature, as a value or as a reason.", _features_incomplete
    ),
    "perturbed_features": _Check(
        "compared_with_no_change",
        "Each lesion was measured without change, too; a feature has a value or a reason.",
        _perturbations_incomplete,
    ),
    "clinical": _Check("one_value_a_variable", "No variable is there twice.", _variables_repeat),
    "endpoints": _Check("no_negative_time", "No survival time is negative.", _times_negative),
}
_PROVENANCE = "as_recorded"


def check_specs(tables: Sequence[str]) -> list[dg.AssetCheckSpec]:
    """The checks of these tables: one of their content, one of their digest."""
    specs = []
    for table in tables:
        specs.append(dg.AssetCheckSpec(_CHECKS[table].name, asset=table, description=_CHECKS[table].description))
        specs.append(
            dg.AssetCheckSpec(
                _PROVENANCE, asset=table, description="What is in the lake is what its provenance says was written."
            )
        )
    return specs


def check_results(
    settings: StudySettings, tables: Sequence[str], selected: Collection[dg.AssetCheckKey]
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate the selected checks over every patient in the lake that has the table."""
    lake = Lake(settings.lake)
    for table in tables:
        patients = list(lake.patients(table))
        for name, violated in ((_CHECKS[table].name, _CHECKS[table].violations), (_PROVENANCE, _digest_differs(table))):
            if dg.AssetCheckKey(dg.AssetKey(table), name) not in selected:
                continue
            failing = [patient_id for patient_id in patients if violated(lake, patient_id)]
            yield dg.AssetCheckResult(
                asset_key=table,
                check_name=name,
                passed=not failing,
                metadata={
                    "patients checked": len(patients),
                    "patients failing": len(failing),
                    **({"failing": ", ".join(failing[:50])} if failing else {}),
                },
            )
