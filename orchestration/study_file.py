"""What study.yaml may say: every section and key, with its type and default."""

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from orchestration.feature_set_entries import FeatureSetEntry
from petct.conformance.exam import EXAM_FOLDERS
from petct.dicom.declarations import DeclaredMasks, DeclaredUnits, totalsegmentator_labels
from petct.image.mask_resampling import ResamplingLimits
from petct.lesions.lesion_map import MaskRules, ReaderRule
from petct.radiomics.extraction import EngineName
from petct.suv.body_size import LeanBodyMass
from petct.suv.override_cells import Quantity, SuvOverrideSpec
from petct.suv.policy import SuvPolicy


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Study(_Section):
    name: str = Field(min_length=1)
    tracer: str | None = None


class _Volumes(_Section):
    files: str = Field(pattern=r"\{patient_id\}")
    units: DeclaredUnits


class _Dicom(_Section):
    folder: Path = Path("dicom")
    pet_series: tuple[str, ...] = ()
    ct_series: tuple[str, ...] = ()
    volumes: tuple[_Volumes, ...] = ()


class _Activity(_Section):
    column: str
    unit: Literal["Bq", "kBq", "MBq", "GBq", "uCi", "mCi"]


class _Weight(_Section):
    column: str
    unit: Literal["kg", "g"]


class _Height(_Section):
    column: str
    unit: Literal["m", "cm"]


class _Overrides(_Section):
    measured_activity: _Activity | None = None
    measured_time: str | None = None
    residual_activity: _Activity | None = None
    residual_time: str | None = None
    injection_time: str | None = None
    weight: _Weight | None = None
    height: _Height | None = None
    scan_date: str | None = None

    @model_validator(mode="after")
    def _activities_have_times(self) -> "_Overrides":
        for name in ("measured", "residual"):
            if (getattr(self, f"{name}_activity") is None) != (getattr(self, f"{name}_time") is None):
                raise ValueError(f"{name}_activity and {name}_time are needed together")
        return self

    def spec(self) -> SuvOverrideSpec:
        """The same for the domain."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return SuvOverrideSpec(
            **{k: Quantity(v.column, v.unit) if isinstance(v, _Section) else v for k, v in named.items()}
        )


class _Suv(_Section):
    policy: SuvPolicy = SuvPolicy.LENIENT
    lean_body_mass: LeanBodyMass = LeanBodyMass.JANMAHASATIAN
    overrides: _Overrides | None = None


class _Variable(_Section):
    column: str | None = None
    kind: Literal["number", "category", "date"]
    unit: str | None = None
    bounds: Literal["refuse", "limit"] = "refuse"
    measured_on: str | None = None


class _Clinical(_Section):
    file: Path = Path("clinical.csv")
    patient_id: str = "patient_id"
    missing_values: tuple[str, ...] = ()
    data_lock: date | None = None
    variables: dict[str, _Variable] = {}


class _Endpoint(_Section):
    origin: str
    event: str | tuple[str, ...]
    censor: str
    competing: str | None = None
    event_is_death: bool | None = None
    unit: Literal["day", "week", "month", "year"] = "day"

    @field_validator("event")
    @classmethod
    def _some_event(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        columns = (value,) if isinstance(value, str) else value
        if not columns:
            raise ValueError("names no column")
        return columns


class _MaskFiles(_Section):
    files: str = Field(pattern=r"\{patient_id\}")
    labels: Literal["totalsegmentator"] | dict[int, str] | None = None

    @field_validator("labels")
    @classmethod
    def _labels_name_something(cls, labels: str | dict[int, str] | None) -> str | dict[int, str] | None:
        if isinstance(labels, dict) and (not labels or min(labels) < 1 or len(set(labels.values())) < len(labels)):
            raise ValueError("each value from 1 on once, each with a name of its own")
        return labels


class _Resampling(_Section):
    volume_change: float = Field(default=ResamplingLimits.volume_change, ge=0)
    outside: float = Field(default=ResamplingLimits.outside, ge=0, le=1)
    overlap: float = Field(default=ResamplingLimits.overlap, ge=0, le=1)


class _Reader(_Section):
    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$")
    regions: tuple[str, ...] = ()
    series: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _knows_what_it_drew(self) -> "_Reader":
        if not self.regions and not self.series:
            raise ValueError("a reader needs patterns of regions, of series, or both")
        return self


class MasksSection(_Section):
    """Section ``masks``."""

    tumour: tuple[str, ...] = Field(min_length=1)
    organs: dict[str, tuple[str, ...]] = {}
    elsewhere: str = "unassigned"
    files: tuple[_MaskFiles, ...] = ()
    resampling: _Resampling = _Resampling()
    readers: tuple[_Reader, ...] = ()

    @field_validator("readers")
    @classmethod
    def _at_least_two(cls, readers: tuple[_Reader, ...]) -> tuple[_Reader, ...]:
        if len(readers) == 1 or len({reader.name for reader in readers}) < len(readers):
            raise ValueError("at least two readers, each with a name of its own; the first is the primary one")
        return readers

    def rules(self) -> MaskRules:
        """The rules by which regions are taken."""
        return MaskRules(
            self.tumour,
            tuple(self.organs.items()),
            self.elsewhere,
            ResamplingLimits(**self.resampling.model_dump()),
            tuple(ReaderRule(reader.name, reader.regions, reader.series) for reader in self.readers),
        )

    def declared(self) -> tuple[DeclaredMasks, ...]:
        """The files of masks that are not DICOM."""
        return tuple(DeclaredMasks(one.files, _labels(one.labels)) for one in self.files)


def _labels(labels: str | dict[int, str] | None) -> tuple[tuple[int, str], ...] | None:
    if isinstance(labels, dict):
        return tuple(sorted(labels.items()))
    return None if labels is None else totalsegmentator_labels()


class _Baseline(_Section):
    within_days: int = Field(default=90, ge=0)


class RobustnessSection(_Section):
    """Section ``robustness``."""

    perturbations: tuple[str, ...] = ()
    retest_within_days: int | None = Field(default=None, ge=0)
    readers: bool = False
    minimum_icc: float = Field(default=0.75, ge=0, le=1)


class _Hypothesis(_Section):
    endpoint: str
    variable: str


class _Conformance(_Section):
    data: Path | None = None
    exams: tuple[str, ...] = ("suv",)

    @field_validator("exams")
    @classmethod
    def _exams_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in EXAM_FOLDERS]
        if unknown or len(set(names)) != len(names):
            raise ValueError(f"each of {', '.join(sorted(EXAM_FOLDERS))} at most once")
        return names


Aggregation = Literal["largest", "volume_weighted_mean", "mean", "max", "min", "sd", "sum"]


class StudyFile(_Section):
    """The content of study.yaml; unknown keys are refused."""

    study: _Study
    dicom: _Dicom = _Dicom()
    suv: _Suv = _Suv()
    clinical: _Clinical | None = None
    endpoints: dict[str, _Endpoint] = {}
    baseline: _Baseline = _Baseline()
    masks: MasksSection
    protocols: tuple[str, ...] = Field(default=("contours",), min_length=1)
    feature_sets: tuple[FeatureSetEntry, ...] = tuple(
        FeatureSetEntry(packaged=name) for name in ("pet_original", "ct_original")
    )
    radiomics_engine: EngineName = "fast"
    aggregations: tuple[Aggregation, ...] = ("largest", "volume_weighted_mean")
    organ_aggregations: dict[str, tuple[Aggregation, ...]] = {}
    robustness: RobustnessSection | None = None
    primary_hypotheses: tuple[_Hypothesis, ...] = ()
    conformance: _Conformance = _Conformance()

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
