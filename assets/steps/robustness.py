"""From lesions to the features of perturbed lesions; only for a study that asks for it."""

from assets.refusal_rows import refusal
from assets.settings import StudySettings
from assets.steps.metrics import check_known
from assets.steps.patient_data import Measure, PatientData, StepOutput
from assets.steps.radiomics import image_sha256_of
from assets.steps.table import Check, PatientTable, Settings
from petct.errors import PetctError
from petct.image.volume import Mask
from petct.radiomics.engines import compute_features
from petct.radiomics.extraction import Status
from petct.radiomics.feature_sets import FeatureSet
from petct.radiomics.perturbation import around, generator, perturb
from petct.radiomics.perturbation_sets import UNPERTURBED, PerturbationSet
from records.imaging import RefusalRecord, ScanRecord
from records.masks import LesionRecord
from records.robustness import PerturbedFeature
from warehouse.storage.lake import Lake


def perturbed_features_step(data: PatientData) -> StepOutput:
    """Features of each lesion under the first protocol, without change and after each chain of its modality."""
    rows: list[PerturbedFeature] = []
    refusals: list[RefusalRecord] = []
    computed = False
    robustness = data.settings.require_robustness()
    protocol_id = data.settings.protocols[0].protocol_id
    lesions = [row for row in data.rows("lesions", LesionRecord) if row.protocol_id == protocol_id]
    for scan in data.scans():
        for perturbations in robustness.perturbation_sets:
            feature_sets = [item for item in data.settings.feature_sets if item.modality == perturbations.modality]
            on_grid = [row for row in lesions if (row.scan_id, row.modality) == (scan.scan_id, perturbations.modality)]
            try:
                check_known(data, perturbations.modality, scan.scan_id, protocol_id)
                for lesion in on_grid if feature_sets else ():
                    rows.extend(_of_lesion(data, scan, lesion, perturbations, feature_sets))
                computed = True
            except PetctError as error:
                refusals.append(refusal(error, patient_id=data.patient_id, table="perturbed_features"))
    return StepOutput(
        rows if computed else None,
        refusals=tuple(dict.fromkeys(refusals)),
        measures=(
            Measure("lesions", len({(row.scan_id, row.lesion_id) for row in rows})),
            Measure("values", sum(row.value is not None for row in rows)),
            Measure("reasons instead of values", sum(row.value is None for row in rows)),
        ),
    )


def _of_lesion(
    data: PatientData,
    scan: ScanRecord,
    lesion: LesionRecord,
    perturbations: PerturbationSet,
    feature_sets: list[FeatureSet],
) -> list[PerturbedFeature]:
    labels = data.volume(lesion.label_map_sha256)
    whole = data.volume(image_sha256_of(data, scan, perturbations.modality))
    image, mask = around(whole, Mask(labels.array == lesion.label, labels.geometry))
    rows: list[PerturbedFeature] = []
    for name, steps in ((UNPERTURBED, ()), *perturbations.chains):
        # The same lesion gives the same rows whatever else is computed, and in whatever order.
        rng = generator(perturbations.seed, data.patient_id, scan.scan_id, lesion.lesion_id, name)
        changed, region = perturb(image, mask, steps, rng)
        for feature_set in feature_sets:
            rows.extend(
                PerturbedFeature(
                    data.patient_id,
                    scan.scan_id,
                    lesion.protocol_id,
                    lesion.lesion_id,
                    feature_set.feature_set_id,
                    perturbations.perturbation_set_id,
                    name,
                    feature.feature_name,
                    feature.value,
                    str(feature.status),
                )
                for feature in compute_features(changed, region, feature_set, data.settings.radiomics_engine)
            )
    return rows


def _settings(study: StudySettings) -> Settings:
    if study.robustness is None:
        return {}
    return {
        "protocol": study.protocols[0].protocol_id,
        "feature_sets": study.feature_set_ids,
        "perturbation_sets": [item.perturbation_set_id for item in study.robustness.perturbation_sets],
        "engine": study.radiomics_engine,
    }


def _perturbations_incomplete(lake: Lake, patient_id: str) -> bool:
    rows = lake.read_if_computed("perturbed_features", patient_id, PerturbedFeature)
    if any((row.value is None) == (row.status == Status.COMPUTED) for row in rows):
        return True
    unchanged = {(row.scan_id, row.lesion_id, row.feature_set_id) for row in rows if row.perturbation == UNPERTURBED}
    return unchanged != {(row.scan_id, row.lesion_id, row.feature_set_id) for row in rows}


PERTURBED_FEATURES = PatientTable(
    "perturbed_features",
    "1",
    _settings,
    step=perturbed_features_step,
    upstream=("scans", "suv", "lesions", "delineations"),
    checks=(
        Check(
            "compared_with_no_change",
            "Each lesion was measured without change, too; a feature has a value or a reason.",
            _perturbations_incomplete,
        ),
    ),
    is_asked=lambda study: study.robustness is not None and bool(study.robustness.perturbation_sets),
)
