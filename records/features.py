"""Features: PET metrics, radiomic features, their sets and definitions."""

from dataclasses import dataclass
from typing import Annotated

from records.columns import About, InCohort, own
from records.keys import FeatureName, FeatureSetId, LesionId, PatientId, ProtocolId, ScanId
from records.table import Table


@dataclass(frozen=True)
class PetMetrics:
    """Volume and uptake of each lesion, of the lesions of each organ, and of all lesions of the patient.

    A region without tumour has volume 0, total expression 0, no uptake values, and ``uptake_status`` NOT_APPLICABLE.
    """

    patient_id: PatientId
    scan_id: ScanId
    protocol_id: ProtocolId
    grain: Annotated[str, own("lesion, organ or patient")]
    region: Annotated[str, About("lesion_id, organ name, or 'all'")]
    n_lesions: Annotated[int, About("Number of lesions", cohort=InCohort(by_organ=True))]
    n_voxels: Annotated[int, About("PET voxels in the region")]
    volume_ml: Annotated[float, About("Tumour volume", "ml", cohort=InCohort("tumour_volume_ml", by_organ=True))]
    volume_share: Annotated[float | None, About("Share of the patient's tumour volume, 0 to 1; null where that is 0")]
    largest_lesion_ml: Annotated[
        float, About("Volume of the largest lesion; 0 without tumour", "ml", cohort=InCohort())
    ]
    dispersion_mm: Annotated[
        float | None,
        About("Largest distance between the centres of two lesions; 0 for one lesion", "mm", cohort=InCohort()),
    ]
    dispersion_per_bsa_mm_per_m2: Annotated[
        float | None, About("The same divided by the body surface area (DuBois)", "mm/m2", cohort=InCohort())
    ]
    suv_max: Annotated[float | None, About("Largest SUV of the tumour", "SUV", cohort=InCohort(by_organ=True))]
    suv_mean: Annotated[float | None, About("Mean SUV of the tumour", "SUV", cohort=InCohort(by_organ=True))]
    suv_median: Annotated[float | None, About("Median SUV", "SUV")]
    suv_min: Annotated[float | None, About("Smallest SUV", "SUV")]
    suv_sd: Annotated[float | None, About("Standard deviation of the SUV (population)", "SUV")]
    suv_peak_local: Annotated[float | None, About("IBSI local intensity peak (VJGA): 1 cm3 around SUVmax", "SUV")]
    suv_peak_global: Annotated[
        float | None, About("IBSI global intensity peak (0F91): highest 1 cm3", "SUV", cohort=InCohort())
    ]
    suv_peak_percist: Annotated[
        float | None, About("Highest freely placed 1 cm3 of the interpolated image", "SUV", cohort=InCohort())
    ]
    suv_max_to_liver: Annotated[
        float | None, About("SUVmax by the mean SUV of the liver's reference region", cohort=InCohort())
    ]
    suv_max_to_spleen: Annotated[
        float | None, About("SUVmax by the mean SUV of the spleen's reference region", cohort=InCohort())
    ]
    krenning_score: Annotated[int | None, About("Modified Krenning score of the SUVmax, 0 to 4", cohort=InCohort())]
    krenning_status: Annotated[str, own("COMPUTED, LIVER_REFERENCE_MISSING or SPLEEN_REFERENCE_MISSING")]
    total_lesion_expression_ml: Annotated[float, About("Volume x SUVmean (TLG for FDG)", "SUV ml", cohort=InCohort())]
    uptake_status: Annotated[str, own("COMPUTED, or NOT_APPLICABLE where there is no tumour to measure")]
    sul_max: Annotated[float | None, About("SUVmax x lean body mass / weight", "SUL", cohort=InCohort())]
    sul_mean: Annotated[float | None, About("SUVmean x lean body mass / weight", "SUL", cohort=InCohort())]
    sul_peak: Annotated[
        float | None, About("SULpeak: suv_peak_percist x lean body mass / weight", "SUL", cohort=InCohort())
    ]
    total_lesion_expression_sul_ml: Annotated[
        float | None,
        About("Volume x SULmean (TLG of PERCIST for FDG); 0 without tumour", "SUL ml", cohort=InCohort()),
    ]
    sul_formula: Annotated[str, own("Formula of the lean body mass: janmahasatian, or james (suv.lean_body_mass)")]
    sul_status: Annotated[
        str, own("COMPUTED, NOT_APPLICABLE without tumour, or why there is no SUL, for example SUV_SIZE_MISSING")
    ]


@dataclass(frozen=True)
class FeatureSetRecord:
    """Radiomic feature sets: modality, settings and the versions of the libraries that compute them."""

    feature_set_id: Annotated[str, own("Readable name and digest of settings and library versions")]
    name: Annotated[str, own("Readable name")]
    modality: Annotated[str, own("PT (SUV) or CT (Hounsfield units)")]
    description: Annotated[str, own("One sentence")]
    settings_json: Annotated[str, own("The settings as JSON")]
    library_versions_json: Annotated[str, own("Versions of the libraries that take part, as JSON")]


@dataclass(frozen=True)
class FeatureDefinition:
    """Every radiomic feature: image type, class, name, unit, and what IBSI calls it."""

    feature_name: Annotated[str, own("Image type, class and name, as pyradiomics writes it")]
    image_type: Annotated[str, own("original, or the filter with its options: log-sigma-3-0-mm-3D, wavelet-LLH, ...")]
    feature_class: Annotated[str, own("shape, shape2D, firstorder, glcm, glrlm, glszm, gldm or ngtdm")]
    name: Annotated[str, own("Name within the class")]
    unit: Annotated[str | None, own("Unit; 'image unit' is SUV or HU, as the feature set's modality says")]
    ibsi_id: Annotated[str | None, own("Identifier in the IBSI-1 reference manual, where IBSI defines the feature")]
    ibsi_name: Annotated[str | None, own("Name in that manual")]
    ibsi_difference: Annotated[str | None, own("How pyradiomics differs from the definition, where it does")]


@dataclass(frozen=True)
class FeatureValue:
    """Radiomic features, long: one row per lesion, feature set and feature."""

    patient_id: PatientId
    scan_id: ScanId
    protocol_id: ProtocolId
    lesion_id: LesionId
    feature_set_id: FeatureSetId
    feature_name: FeatureName
    value: Annotated[float | None, About("The value; null exactly when status is not COMPUTED")]
    status: Annotated[str, own("COMPUTED, or the code of the reason why there is no value")]


@dataclass(frozen=True)
class FeatureExtraction:
    """How the features of each lesion were computed: engine, images, grid and voxels.

    See ``petct.radiomics.extraction.Account``; ``image_sha256`` and ``label_map_sha256`` name the volumes, and are None
    where the lesion has no voxel on the grid.
    """

    patient_id: PatientId
    scan_id: ScanId
    protocol_id: ProtocolId
    lesion_id: LesionId
    feature_set_id: FeatureSetId
    engine: Annotated[str, own("fast, or reference (pyradiomics' execute)")]
    reference_classes: Annotated[
        str, own("With the fast engine, the feature classes that execute computed; else empty")
    ]
    image_sha256: Annotated[str, own("Image, see scans and suv")]
    label_map_sha256: Annotated[str | None, own("Label map, see lesions; null where the lesion is not on the grid")]
    spacing_x_mm: Annotated[float, About("Voxel size along x that features were computed with", "mm")]
    spacing_y_mm: Annotated[float, About("Voxel size along y", "mm")]
    spacing_z_mm: Annotated[float, About("Voxel size along z", "mm")]
    n_voxels_segmented: Annotated[int, About("Voxels as segmented")]
    n_voxels_resampled: Annotated[int | None, About("Voxels after resampling; null where it was not reached")]
    n_voxels: Annotated[int | None, About("Voxels after resegmentation, which features are of; null likewise")]
    n_voxels_below_minimum: Annotated[int, About("Voxels that were below the minimum after resampling and set to it")]
    n_features: Annotated[int, About("Features of the feature set")]
    n_missing: Annotated[int, About("Features without a value, see radiomic_features.status")]


TABLES = (
    Table(
        "pet_metrics",
        PetMetrics,
        "features",
        "lesion, organ or patient",
        ("patient_id", "scan_id", "protocol_id", "grain", "region"),
    ),
    Table("feature_sets", FeatureSetRecord, "features", "feature set", ("feature_set_id",), per_patient=False),
    Table("feature_definitions", FeatureDefinition, "features", "feature", ("feature_name",), per_patient=False),
    Table(
        "radiomic_features",
        FeatureValue,
        "features",
        "lesion, feature set and feature",
        ("patient_id", "scan_id", "protocol_id", "lesion_id", "feature_set_id", "feature_name"),
    ),
    Table(
        "feature_extractions",
        FeatureExtraction,
        "features",
        "lesion and feature set",
        ("patient_id", "scan_id", "protocol_id", "lesion_id", "feature_set_id"),
    ),
)
