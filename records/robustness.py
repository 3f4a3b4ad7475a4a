"""Robustness: features of perturbed lesions, and how well repeated measurements agree; where a study asks for it."""

from dataclasses import dataclass
from typing import Annotated

from records.columns import About, own
from records.keys import FeatureName, FeatureSetId, LesionId, PatientId, ProtocolId, ScanId
from records.table import Table


@dataclass(frozen=True)
class PerturbedFeature:
    """Features of lesions after small changes of image and region, long; the perturbation 'none' is without change."""

    patient_id: PatientId
    scan_id: ScanId
    protocol_id: ProtocolId
    lesion_id: LesionId
    feature_set_id: FeatureSetId
    perturbation_set_id: Annotated[str, own("Perturbation set: readable name and digest of its settings")]
    perturbation: Annotated[str, own("Name of the chain of changes, or none")]
    feature_name: FeatureName
    value: Annotated[float | None, About("The value; null exactly when status is not COMPUTED")]
    status: Annotated[str, own("COMPUTED, or the code of the reason why there is no value")]


@dataclass(frozen=True)
class RobustnessRecord:
    """How well repeated measurements of a feature agree: over perturbations, repeated scans or readers."""

    feature_set_id: FeatureSetId
    feature_name: FeatureName
    source: Annotated[
        str, own("perturbation (of a lesion), retest (two scans) or reader (protocols) of a largest lesion")
    ]
    status: Annotated[str, own("COMPUTED, TOO_FEW_TARGETS (fewer than 3 with all measurements) or NO_VARIANCE")]
    n_patients: Annotated[int, About("Patients with a target that has all measurements")]
    n_targets: Annotated[int, About("Targets that have all measurements")]
    n_measurements: Annotated[int, About("Measurements a target")]
    icc_1_1: Annotated[float | None, About("ICC(1,1), one-way", "1")]
    icc_1_1_lower: Annotated[float | None, About("Lower bound of its 95 % confidence interval", "1")]
    icc_1_1_upper: Annotated[float | None, About("Upper bound", "1")]
    icc_2_1: Annotated[float | None, About("ICC(2,1), two-way random, absolute agreement", "1")]
    icc_2_1_lower: Annotated[float | None, About("Lower bound of its 95 % confidence interval", "1")]
    icc_2_1_upper: Annotated[float | None, About("Upper bound", "1")]
    icc_3_1: Annotated[float | None, About("ICC(3,1), two-way mixed, consistency: blind to a systematic shift", "1")]
    icc_3_1_lower: Annotated[float | None, About("Lower bound of its 95 % confidence interval", "1")]
    icc_3_1_upper: Annotated[float | None, About("Upper bound", "1")]
    qcd: Annotated[float | None, About("Quartile coefficient of dispersion within a target, median over targets", "1")]
    filter_icc: Annotated[str, own("The form whose lower bound the filter acts on: 1,1 or 2,1")]
    minimum_icc: Annotated[float, About("What that bound has to reach", "1")]
    is_robust: Annotated[bool | None, About("Whether it does; null where there is no ICC")]


TABLES = (
    Table(
        "perturbed_features",
        PerturbedFeature,
        "features",
        "lesion, feature set, perturbation and feature",
        ("patient_id", "scan_id", "protocol_id", "lesion_id", "feature_set_id", "perturbation", "feature_name"),
    ),
    Table(
        "robustness",
        RobustnessRecord,
        "features",
        "feature set, feature and source",
        ("feature_set_id", "feature_name", "source"),
        per_patient=False,
    ),
)
