"""Robustness: features of perturbed lesions, and how well repeated measurements agree; where a study asks for it."""

from __future__ import annotations

from warehouse.registry import keys
from warehouse.registry.schema import Table, boolean, integer, number, text

_FEATURE_SET = text("feature_set_id", "Feature set")
_FEATURE = text("feature_name", "Feature, see feature_definitions")
_FORMS = {
    "icc_1_1": "ICC(1,1), one-way",
    "icc_2_1": "ICC(2,1), two-way random, absolute agreement",
    "icc_3_1": "ICC(3,1), two-way mixed, consistency: blind to a systematic shift",
}

TABLES = (
    Table(
        "perturbed_features",
        "features",
        "lesion, feature set, perturbation and feature",
        "Features of lesions after small changes of image and region, long; the perturbation 'none' is without change.",
        ("patient_id", "scan_id", "protocol_id", "lesion_id", "feature_set_id", "perturbation", "feature_name"),
        (
            keys.PATIENT,
            keys.SCAN,
            keys.PROTOCOL,
            keys.LESION,
            _FEATURE_SET,
            text("perturbation_set_id", "Perturbation set: readable name and digest of its settings"),
            text("perturbation", "Name of the chain of changes, or none"),
            _FEATURE,
            number("value", "The value; null exactly when status is not COMPUTED", nullable=True),
            text("status", "COMPUTED, or the code of the reason why there is no value"),
        ),
    ),
    Table(
        "robustness",
        "features",
        "feature set, feature and source",
        "How well repeated measurements of a feature agree: over perturbations, repeated scans or readers.",
        ("feature_set_id", "feature_name", "source"),
        (
            _FEATURE_SET,
            _FEATURE,
            text("source", "perturbation (of a lesion), retest (two scans) or reader (protocols) of a largest lesion"),
            text("status", "COMPUTED, TOO_FEW_TARGETS (fewer than 3 with all measurements) or NO_VARIANCE"),
            integer("n_patients", "Patients with a target that has all measurements"),
            integer("n_targets", "Targets that have all measurements"),
            integer("n_measurements", "Measurements a target"),
            *(
                column
                for name, words in _FORMS.items()
                for column in (
                    number(name, words, "1", nullable=True),
                    number(
                        f"{name}_lower", f"{words}: lower bound of the 95 % confidence interval", "1", nullable=True
                    ),
                    number(
                        f"{name}_upper", f"{words}: upper bound of the 95 % confidence interval", "1", nullable=True
                    ),
                )
            ),
            number(
                "qcd", "Quartile coefficient of dispersion within a target, median over targets", "1", nullable=True
            ),
            text("filter_icc", "The form whose lower bound the filter acts on: 1,1 or 2,1"),
            number("minimum_icc", "What that bound has to reach", "1"),
            boolean("is_robust", "Whether it does; null where there is no ICC", nullable=True),
        ),
        per_patient=False,
    ),
)
