"""What one study asks for, as the assets see it."""

from dataclasses import dataclass, field
from pathlib import Path

from petct.clinical.spec import ClinicalSpec
from petct.dicom.declarations import DeclaredMasks, DeclaredPet
from petct.dicom.roles import SeriesChoice
from petct.errors import FeatureError
from petct.lesions.lesion_map import MaskRules
from petct.lesions.protocol import Protocol
from petct.radiomics.extraction import EngineName
from petct.radiomics.feature_sets import FeatureSet
from petct.radiomics.perturbation_sets import PerturbationSet
from petct.suv.body_size import LeanBodyMass
from petct.suv.override_cells import SuvOverrideSpec
from petct.suv.policy import SuvPolicy
from warehouse.snapshots.feature_tables import OrganAggregation


@dataclass(frozen=True)
class PrimaryHypothesis:
    """A test that was declared in study.yaml; every other one is exploratory."""

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
    def protocol_ids(self) -> list[str]:
        """The protocols; the first is the default one."""
        return [protocol.protocol_id for protocol in self.protocols]

    @property
    def feature_set_ids(self) -> list[str]:
        """The feature sets."""
        return [feature_set.feature_set_id for feature_set in self.feature_sets]

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
