"""What one study asks for, as the assets see it, and the versions that make staleness true."""

import hashlib
from dataclasses import asdict, astuple, dataclass, field
from datetime import date
from pathlib import Path

from petct.clinical.rows import ClinicalSpec
from petct.dicom.declarations import DeclaredMasks, DeclaredPet
from petct.dicom.roles import SeriesChoice
from petct.errors import FeatureError
from petct.lesions.lesion_map import MaskRules
from petct.lesions.protocol import Protocol
from petct.radiomics.extraction import EngineName
from petct.radiomics.feature_sets import FeatureSet
from petct.radiomics.perturbation_sets import PerturbationSet
from petct.settings_digest import canonical_json
from petct.suv.body_size import LeanBodyMass
from petct.suv.override_cells import SuvOverrideSpec
from petct.suv.policy import SuvPolicy
from warehouse.snapshots.feature_tables import OrganAggregation

CODE_VERSIONS: dict[str, str] = {
    "series": "3",
    "scans": "2",
    "suv": "3",
    "lesions": "5",
    "pictures": "1",
    "pet_metrics": "3",
    "radiomic_features": "3",
    "perturbed_features": "1",
    "clinical": "2",
    "endpoints": "2",
    "robustness": "1",
    "snapshot": "1",
}
"""Raised whenever the code of a table changes a number: what was computed before is then stale."""

PATIENT_TABLES = (
    "series",
    "scans",
    "suv",
    "lesions",
    "pictures",
    "pet_metrics",
    "radiomic_features",
    "perturbed_features",
    "clinical",
    "endpoints",
)
"""Tables computed of each patient, in the order in which they build on one another."""

_CLINICAL_TABLES = ("clinical", "endpoints")

UPSTREAM: dict[str, tuple[str, ...]] = {
    "series": ("dicom_files",),
    "scans": ("series",),
    "suv": ("series", "scans", "suv_overrides"),
    "lesions": ("dicom_files", "series", "scans", "suv"),
    "pictures": ("dicom_files", "series", "scans", "suv", "lesions"),
    "pet_metrics": ("suv", "lesions"),
    "radiomic_features": ("scans", "suv", "lesions"),
    "perturbed_features": ("scans", "suv", "lesions"),
    "clinical": ("clinical_table",),
    "endpoints": ("clinical_table", "scans"),
}
"""What each table is computed from; ``dicom_files``, ``clinical_table`` and ``suv_overrides`` are the outside world."""


@dataclass(frozen=True)
class PrimaryHypothesis:
    """A test that was declared before the data were looked at; every other one is exploratory."""

    endpoint: str
    variable: str


@dataclass(frozen=True)
class ConformanceSettings:
    """The external exams that are run beside the study.

    Attributes
    ----------
    data_folder
        Absolute; holds one folder for each exam, as ``petct.conformance.exam.EXAM_FOLDERS`` names them. None where
        there are no reference data: the exams are then listed as not run.
    exams
        Names of exams.
    """

    data_folder: Path | None = None
    exams: tuple[str, ...] = ("suv",)


@dataclass(frozen=True)
class RobustnessSettings:
    """Which repeated measurements of features a study compares.

    Attributes
    ----------
    perturbation_sets
        Chains of small changes, after which the features of every lesion are computed again.
    retest_within_days
        Two scans of a patient at most so many days apart are a test and a retest; None: not compared.
    readers
        Whether the study's protocols are compared as readers.
    minimum_icc
        What the lower bound of the intraclass correlation has to reach for a feature to be called robust.
    """

    perturbation_sets: tuple[PerturbationSet, ...] = ()
    retest_within_days: int | None = None
    readers: bool = False
    minimum_icc: float = 0.75


@dataclass(frozen=True)
class StudySettings:
    """One validated study.

    Attributes
    ----------
    folder
        The folder of ``study.yaml``; ``lake``, ``dicom_folder`` and ``clinical_file`` are absolute.
    clinical
        Roles of the clinical columns; None for a study without a clinical table.
    series_choice
        Which series to prefer among several of a scan.
    declared_pet, declared_masks
        PET volumes, and masks, that are not DICOM.
    suv_policy
        What an SUV may assume.
    lean_body_mass
        The formula by which SUV becomes SUL.
    radiomics_engine
        fast, or reference: both give pyradiomics' values.
    suv_overrides
        Which columns of the clinical table override the header of the PET; None where none does.
    baseline_within_days
        A baseline scan lies at most so many days before the origin of an endpoint.
    """

    folder: Path
    name: str
    tracer: str | None
    lake: Path
    dicom_folder: Path
    clinical_file: Path | None
    clinical: ClinicalSpec | None
    baseline_within_days: int
    masks: MaskRules
    protocols: tuple[Protocol, ...]
    feature_sets: tuple[FeatureSet, ...]
    radiomics_engine: EngineName
    aggregations: tuple[str, ...]
    primary_hypotheses: tuple[PrimaryHypothesis, ...]
    organ_aggregations: tuple[OrganAggregation, ...] = ()
    robustness: RobustnessSettings | None = None
    suv_policy: SuvPolicy = SuvPolicy.LENIENT
    series_choice: SeriesChoice = field(default_factory=SeriesChoice)
    declared_pet: tuple[DeclaredPet, ...] = ()
    conformance: ConformanceSettings = ConformanceSettings()
    suv_overrides: SuvOverrideSpec | None = None
    declared_masks: tuple[DeclaredMasks, ...] = ()
    lean_body_mass: LeanBodyMass = LeanBodyMass.JANMAHASATIAN

    @property
    def declared(self) -> tuple[DeclaredPet | DeclaredMasks, ...]:
        """All that is declared and not DICOM."""
        return (*self.declared_pet, *self.declared_masks)

    @property
    def patient_tables(self) -> tuple[str, ...]:
        """The per-patient tables of the study; clinical ones and perturbed features only where they are asked for."""
        absent = set() if self.clinical is not None else set(_CLINICAL_TABLES)
        if self.robustness is None or not self.robustness.perturbation_sets:
            absent.add("perturbed_features")
        return tuple(name for name in PATIENT_TABLES if name not in absent)

    @property
    def needs_ct(self) -> bool:
        """Whether a scan without CT lacks something: only where features of the CT are asked for."""
        return any(feature_set.modality == "CT" for feature_set in self.feature_sets)

    def require_robustness(self) -> RobustnessSettings:
        """What the study asks of robustness; raises ``FeatureError`` ROBUSTNESS_NOT_ASKED when it asks for nothing."""
        if self.robustness is None:
            raise FeatureError(
                "ROBUSTNESS_NOT_ASKED", "The study does not ask for robustness", keyword="robustness", hint="Add it."
            )
        return self.robustness

    def settings_of(self, table: str) -> dict[str, object]:
        """The settings that change the rows of ``table``; places on a disk are not among them."""
        masks: dict[str, object] = {
            "tumour": list(self.masks.tumour),
            "organs": {organ: list(patterns) for organ, patterns in self.masks.organs},
            "elsewhere": self.masks.elsewhere,
            "resampling": asdict(self.masks.resampling),
            "readers": [[reader.name, list(reader.regions), list(reader.series)] for reader in self.masks.readers],
            "labels": [[one.files, one.labels] for one in self.declared_masks],
        }
        protocols = [protocol.protocol_id for protocol in self.protocols]
        settings: dict[str, dict[str, object]] = {
            "series": {
                "pet_series": list(self.series_choice.pet),
                "ct_series": list(self.series_choice.ct),
                "volumes": [[one.files, one.units.value] for one in self.declared_pet],
                "masks": [one.files for one in self.declared_masks],
            },
            "suv": self._suv_settings(),
            "lesions": {"masks": masks, "protocols": protocols, "tracer": self.tracer, "needs_ct": self.needs_ct},
            "pictures": {"masks": masks, "protocols": protocols, "tracer": self.tracer},
            "pet_metrics": {"protocols": protocols, "lean_body_mass": self.lean_body_mass.value},
            "radiomic_features": {
                "protocols": protocols,
                "feature_sets": [item.feature_set_id for item in self.feature_sets],
                "engine": self.radiomics_engine,
            },
            **self._robustness_settings(protocols[0]),
            "clinical": self._clinical_settings(with_endpoints=False),
            "endpoints": self._clinical_settings(with_endpoints=True),
        }
        return settings.get(table, {})

    def settings_sha256(self, table: str) -> str:
        """Digest of ``settings_of(table)``."""
        return hashlib.sha256(canonical_json(self.settings_of(table)).encode()).hexdigest()

    def code_version(self, table: str) -> str:
        """Version of the code, and the settings it runs with: when either changes, the table is stale."""
        return f"{CODE_VERSIONS[table]}+{self.settings_sha256(table)[:8]}"

    def snapshot_settings_json(self) -> str:
        """All settings that change a number or its meaning, as canonical JSON."""
        tables = {table: self.settings_of(table) for table in CODE_VERSIONS if self.settings_of(table)}
        return canonical_json(
            {
                "study": self.name,
                "tracer": self.tracer,
                "tables": tables,
                "table_settings_sha256": {table: self.settings_sha256(table) for table in self.patient_tables},
                "aggregations": list(self.aggregations),
                "organ_aggregations": [[item.organ, item.rule] for item in self.organ_aggregations],
                "primary_hypotheses": [[item.endpoint, item.variable] for item in self.primary_hypotheses],
            }
        )

    def _robustness_settings(self, protocol_id: str) -> dict[str, dict[str, object]]:
        if self.robustness is None:
            return {}
        return {
            "perturbed_features": {
                "protocol": protocol_id,
                "feature_sets": [item.feature_set_id for item in self.feature_sets],
                "perturbation_sets": [item.perturbation_set_id for item in self.robustness.perturbation_sets],
                "engine": self.radiomics_engine,
            },
            "robustness": {
                "retest_within_days": self.robustness.retest_within_days,
                "readers": self.robustness.readers,
                "minimum_icc": self.robustness.minimum_icc,
            },
        }

    def _suv_settings(self) -> dict[str, object]:
        settings: dict[str, object] = {"policy": self.suv_policy.value, "tracer": self.tracer}
        if self.suv_overrides is not None and self.clinical is not None:
            settings["overrides"] = self.suv_overrides.settings()
            settings["missing_values"] = sorted(self.clinical.missing_values)
        return settings

    def _clinical_settings(self, *, with_endpoints: bool) -> dict[str, object]:
        if self.clinical is None:
            return {}
        spec = self.clinical
        settings: dict[str, object] = {
            "patient_id_column": spec.patient_id_column,
            "missing_values": sorted(spec.missing_values),
        }
        if not with_endpoints:
            settings["variables"] = [[v.name, v.column, v.kind, v.unit, v.bounds] for v in spec.variables]
            return settings
        settings["endpoints"] = [astuple(e) for e in spec.endpoints]
        settings["measured_on"] = [[v.name, v.column, v.measured_on] for v in spec.variables if v.measured_on]
        settings["data_lock"] = spec.data_lock.isoformat() if isinstance(spec.data_lock, date) else None
        settings["baseline_within_days"] = self.baseline_within_days
        return settings
