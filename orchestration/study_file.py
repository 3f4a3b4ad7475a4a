"""What study.yaml may say: every section and key, with its type, default and meaning."""

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from orchestration.feature_set_entries import FeatureSetEntry
from orchestration.study_images import DicomSection, MasksSection, Section, SuvSection
from petct.conformance.exam import EXAM_FOLDERS
from petct.radiomics.extraction import EngineName


class _Study(Section):
    name: str = Field(min_length=1, description="Name of the study, for people.")
    tracer: str | None = Field(
        default=None, description="Tracer, for example 68Ga-DOTATOC. It is named in the methods paragraph."
    )


class _Variable(Section):
    column: str | None = Field(
        default=None, description="Column of the clinical table, where it is not the name of the variable."
    )
    kind: Literal["number", "category", "date"] = Field(description="Kind of the values.")
    unit: str | None = Field(default=None, description="Unit of the values, for tables and axes.")
    bounds: Literal["refuse", "limit"] = Field(
        default="refuse", description="A number like >100: refuse it, or take the limit (100) and record that."
    )
    measured_on: str | None = Field(
        default=None,
        description="Column of the date on which the value became known. A date after the origin is a finding.",
    )


class _Clinical(Section):
    file: Path = Field(
        default=Path("clinical.csv"), description="The clinical table: CSV, Excel or Parquet, one row per patient."
    )
    patient_id: str = Field(
        default="patient_id", description="Column of the Patient ID (0010,0020) of the DICOM files."
    )
    missing_values: tuple[str, ...] = Field(
        default=(),
        description="Texts that mean a missing value, in place of the usual ones (empty, n/a, unknown, ...).",
    )
    data_lock: date | None = Field(
        default=None,
        description="Last day of the data. Events after it are not used; patients alive are censored there.",
    )
    variables: dict[str, _Variable] = Field(
        default={}, description="Columns that can be analysed, by the name they get."
    )


class _Endpoint(Section):
    origin: str = Field(description="Column of the date at which the time begins.")
    event: str | tuple[str, ...] = Field(
        description="Column of the date of the event. Of several columns the earliest date counts."
    )
    censor: str = Field(description="Column of the last date at which the patient was known to be free of the event.")
    competing: str | None = Field(default=None, description="Column of the date of a competing event.")
    event_is_death: bool | None = Field(
        default=None, description="Whether the event is death, so that later dates are refused. True for OS by default."
    )
    unit: Literal["day", "week", "month", "year"] = Field(
        default="day", description="Unit of the survival time (month 30.4375, year 365.25 days)."
    )

    @field_validator("event")
    @classmethod
    def _some_event(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        columns = (value,) if isinstance(value, str) else value
        if not columns:
            raise ValueError("names no column")
        return columns


class _Baseline(Section):
    within_days: int = Field(
        default=90,
        ge=0,
        description=(
            "Largest number of days between the baseline scan and the origin of an endpoint. "
            "The nearest scan before the origin is taken."
        ),
    )


class RobustnessSection(Section):
    """Section ``robustness``."""

    perturbations: tuple[str, ...] = Field(
        default=(),
        description=(
            "Sets of small changes of image and region, for example pet_chains. The computing time grows with their "
            "number."
        ),
    )
    retest_within_days: int | None = Field(
        default=None,
        ge=0,
        description="Compare two scans of a patient that are at most so many days apart (largest lesion).",
    )
    readers: bool = Field(
        default=False, description="Compare the protocols of the study as if they were readers (largest lesion)."
    )
    minimum_icc: float = Field(
        default=0.75,
        ge=0,
        le=1,
        description="Least lower bound of the 95 % interval of the ICC for a feature to count as robust.",
    )


class _Hypothesis(Section):
    endpoint: str = Field(description="Name of an endpoint.")
    variable: str = Field(description="Column of the cohort table or of a feature table.")


class _Conformance(Section):
    data: Path | None = Field(
        default=None, description="Folder of the public reference data, with suv_dro, sts, ibsi and survival below it."
    )
    exams: tuple[str, ...] = Field(
        default=("suv",), description="Conformance tests to run beside the study: suv, masks, radiomics, survival."
    )

    @field_validator("exams")
    @classmethod
    def _exams_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in EXAM_FOLDERS]
        if unknown or len(set(names)) != len(names):
            raise ValueError(f"each of {', '.join(sorted(EXAM_FOLDERS))} at most once")
        return names


Aggregation = Literal["largest", "volume_weighted_mean", "mean", "max", "min", "sd", "sum"]


class StudyFile(Section):
    """The content of study.yaml; unknown keys are refused."""

    study: _Study = Field(description="What the study is called.")
    dicom: DicomSection = Field(default=DicomSection(), description="Where the images are, and which series to prefer.")
    suv: SuvSection = Field(default=SuvSection(), description="How SUV is computed.")
    clinical: _Clinical | None = Field(default=None, description="The clinical table and the roles of its columns.")
    endpoints: dict[str, _Endpoint] = Field(default={}, description="Survival times, by name.")
    baseline: _Baseline = Field(default=_Baseline(), description="Which scan is the baseline scan.")
    masks: MasksSection = Field(description="Which regions are tumour, and which are organs.")
    protocols: tuple[str, ...] = Field(
        default=("contours",),
        min_length=1,
        description=(
            "How lesions are delineated: packaged protocols, or YAML files of your own. The first is the one of the "
            "cohort table."
        ),
    )
    feature_sets: tuple[FeatureSetEntry, ...] = Field(
        default=tuple(FeatureSetEntry(packaged=name) for name in ("pet_original", "ct_original")),
        description=(
            "Radiomic features to compute: packaged sets, YAML files of your own, or parameter files of pyradiomics."
        ),
    )
    radiomics_engine: EngineName = Field(
        default="fast", description="`fast`, or `reference` (pyradiomics itself). Both give the same values."
    )
    aggregations: tuple[Aggregation, ...] = Field(
        default=("largest", "volume_weighted_mean"),
        description="How the lesions of a patient are combined to one value of each feature.",
    )
    organ_aggregations: dict[str, tuple[Aggregation, ...]] = Field(
        default={}, description="The same for the lesions in one organ."
    )
    robustness: RobustnessSection | None = Field(
        default=None, description="Measure how far features can be trusted. Off by default."
    )
    primary_hypotheses: tuple[_Hypothesis, ...] = Field(
        default=(), description="Hypotheses declared before the analysis. Every other test is called exploratory."
    )
    conformance: _Conformance = Field(
        default=_Conformance(), description="Conformance tests against external reference data."
    )

    @model_validator(mode="after")
    def _names_refer_to_something(self) -> "StudyFile":
        if self.endpoints and self.clinical is None:
            raise ValueError("endpoints need the section `clinical`, which says where their dates are")
        if self.suv.overrides is not None and self.clinical is None:
            raise ValueError("suv.overrides needs the section `clinical`, which says where its columns are")
        for hypothesis in self.primary_hypotheses:
            if hypothesis.endpoint not in self.endpoints:
                raise ValueError(f"primary_hypotheses names an endpoint that is not declared: {hypothesis.endpoint}")
        organs = [*self.masks.organs, self.masks.elsewhere]
        for organ in self.organ_aggregations:
            if organ not in organs:
                raise ValueError(f"organ_aggregations names {organ}, and the organs of masks are {', '.join(organs)}")
        if self.robustness is not None and self.robustness.readers and len(self.protocols) < 2:
            raise ValueError("robustness.readers compares the protocols of the study, and there is only one")
        return self

    @field_validator("organ_aggregations")
    @classmethod
    def _no_repeated_rule(cls, values: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for organ, rules in values.items():
            if len(set(rules)) != len(rules):
                raise ValueError(f"names an aggregation of {organ} twice")
        return values

    @field_validator("protocols", "feature_sets", "aggregations")
    @classmethod
    def _no_repetition(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) != len(values):
            raise ValueError("names an entry twice")
        return values
