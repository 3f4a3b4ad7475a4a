"""Features: PET metrics, radiomic features, their sets and definitions."""

from __future__ import annotations

from warehouse.schema import Table, integer, number, text
from warehouse.table_groups import keys

TABLES = (
    Table(
        "pet_metrics",
        "features",
        "lesion, organ or patient",
        "Volume and uptake of each lesion, of the lesions of each organ, and of all lesions of the patient.",
        ("patient_id", "scan_id", "protocol_id", "grain", "region"),
        (
            keys.PATIENT,
            keys.SCAN,
            keys.PROTOCOL,
            text("grain", "lesion, organ or patient"),
            text("region", "lesion_id, organ name, or 'all'"),
            integer("n_lesions", "Lesions in the region"),
            integer("n_voxels", "PET voxels in the region"),
            number("volume_ml", "Tumour volume", "ml"),
            number("suv_max", "Largest SUV", "SUV", nullable=True),
            number("suv_mean", "Mean SUV", "SUV", nullable=True),
            number("suv_median", "Median SUV", "SUV", nullable=True),
            number("suv_min", "Smallest SUV", "SUV", nullable=True),
            number("suv_sd", "Standard deviation of the SUV (population)", "SUV", nullable=True),
            number("suv_peak_local", "IBSI local intensity peak (VJGA): 1 cm3 around SUVmax", "SUV", nullable=True),
            number("suv_peak_global", "IBSI global intensity peak (0F91): highest 1 cm3", "SUV", nullable=True),
            number("suv_peak_percist", "Highest freely placed 1 cm3 of the interpolated image", "SUV", nullable=True),
            number("total_lesion_expression_ml", "Volume x SUVmean (TLG for FDG)", "SUV ml"),
            text("uptake_status", "COMPUTED, or NOT_APPLICABLE where there is no tumour to measure"),
        ),
    ),
    Table(
        "feature_sets",
        "features",
        "feature set",
        "Radiomic feature sets: modality, settings and the versions of the libraries that compute them.",
        ("feature_set_id",),
        (
            text("feature_set_id", "Readable name and digest of settings and library versions"),
            text("name", "Readable name"),
            text("modality", "PT (SUV) or CT (Hounsfield units)"),
            text("description", "One sentence"),
            text("settings_json", "The settings as JSON"),
            text("library_versions_json", "Versions of the libraries that take part, as JSON"),
        ),
        per_patient=False,
    ),
    Table(
        "feature_definitions",
        "features",
        "feature",
        "Every radiomic feature: image type, class, name, unit, and what IBSI calls it.",
        ("feature_name",),
        (
            text("feature_name", "Image type, class and name, as pyradiomics writes it"),
            text("image_type", "original, ..."),
            text("feature_class", "shape, firstorder, glcm, glrlm, glszm, gldm or ngtdm"),
            text("name", "Name within the class"),
            text("unit", "Unit; 'image unit' is SUV or HU, as the feature set's modality says", nullable=True),
            text("ibsi_id", "Identifier in the IBSI-1 reference manual, where IBSI defines the feature", nullable=True),
            text("ibsi_name", "Name in that manual", nullable=True),
            text("ibsi_difference", "How pyradiomics differs from the definition, where it does", nullable=True),
        ),
        per_patient=False,
    ),
    Table(
        "radiomic_features",
        "features",
        "lesion, feature set and feature",
        "Radiomic features, long: one row a lesion, feature set and feature.",
        ("patient_id", "scan_id", "protocol_id", "lesion_id", "feature_set_id", "feature_name"),
        (
            keys.PATIENT,
            keys.SCAN,
            keys.PROTOCOL,
            keys.LESION,
            text("feature_set_id", "Feature set"),
            text("feature_name", "Feature, see feature_definitions"),
            number("value", "The value; null exactly when status is not COMPUTED", nullable=True),
            text("status", "COMPUTED, or the code of the reason why there is no value"),
        ),
    ),
)
