"""What study.yaml may say about images: the sections ``dicom``, ``suv`` and ``masks``."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from petct.dicom.declarations import DeclaredMasks, DeclaredUnits, totalsegmentator_labels
from petct.image.mask_resampling import ResamplingLimits
from petct.lesions.lesion_map import MaskRules, ReaderRule
from petct.suv.body_size import LeanBodyMass
from petct.suv.override_cells import Quantity, SuvOverrideSpec
from petct.suv.policy import SuvPolicy

# What the paths of files that are not DICOM hold.
_FILES = (
    "Path below the DICOM folder, with {patient_id} and, where a patient has several scans, {scan_date} (YYYYMMDD). "
    "`*` stands for anything within a name."
)


class Section(BaseModel):
    """A section of study.yaml: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Volumes(Section):
    files: str = Field(
        pattern=r"\{patient_id\}",
        description=_FILES,
    )
    units: DeclaredUnits = Field(
        description="Unit of the values. BQML is refused until weight, dose and times are known."
    )


class DicomSection(Section):
    """Section ``dicom``."""

    folder: Path = Field(
        default=Path("dicom"), description="Folder with the DICOM files, in any order. It is only read."
    )
    pet_series: tuple[str, ...] = Field(
        default=(),
        description=(
            "PET series to prefer where a scan has several: patterns of the Series Description, or Series Instance "
            "UIDs. The first that matches counts."
        ),
    )
    ct_series: tuple[str, ...] = Field(default=(), description="CT series to prefer, in the same way.")
    volumes: tuple[_Volumes, ...] = Field(
        default=(), description="PET files in NIfTI, NRRD or MetaImage format. Files without an entry are not used."
    )


class _Activity(Section):
    column: str = Field(description="Column of the clinical table.")
    unit: Literal["Bq", "kBq", "MBq", "GBq", "uCi", "mCi"] = Field(description="Unit of the column.")


class _Weight(Section):
    column: str = Field(description="Column of the clinical table.")
    unit: Literal["kg", "g"] = Field(description="Unit of the column.")


class _Height(Section):
    column: str = Field(description="Column of the clinical table.")
    unit: Literal["m", "cm"] = Field(description="Unit of the column.")


class _Overrides(Section):
    measured_activity: _Activity | None = Field(default=None, description="Activity of the full syringe.")
    measured_time: str | None = Field(
        default=None,
        description=(
            "Column of the time at which the full syringe was measured: a date-time, or a time of day near the "
            "injection."
        ),
    )
    residual_activity: _Activity | None = Field(
        default=None, description="Activity left in the syringe. It is subtracted, decayed to the injection."
    )
    residual_time: str | None = Field(
        default=None, description="Column of the time at which the empty syringe was measured."
    )
    injection_time: str | None = Field(default=None, description="Column of the time of injection.")
    weight: _Weight | None = Field(default=None, description="Body weight.")
    height: _Height | None = Field(default=None, description="Body height.")
    scan_date: str | None = Field(
        default=None,
        description="Column of the date of the scan that the row describes, where a patient has several scans.",
    )

    @model_validator(mode="after")
    def _activities_have_times(self) -> "_Overrides":
        for name in ("measured", "residual"):
            if (getattr(self, f"{name}_activity") is None) != (getattr(self, f"{name}_time") is None):
                raise ValueError(f"{name}_activity and {name}_time are needed together")
        return self

    def spec(self) -> SuvOverrideSpec:
        """The same for the domain."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        columns: dict[str, Any] = {
            name: Quantity(**found.model_dump()) if isinstance(found, Section) else found
            for name, found in named.items()
        }
        return SuvOverrideSpec(**columns)


class SuvSection(Section):
    """Section ``suv``."""

    policy: SuvPolicy = Field(
        default=SuvPolicy.LENIENT,
        description=(
            "`lenient` follows the IBSI-SUV guideline and records each adaptation; `strict` refuses wherever a "
            "unit, a date or a correction would be assumed."
        ),
    )
    lean_body_mass: LeanBodyMass = Field(
        default=LeanBodyMass.JANMAHASATIAN,
        description=(
            "Formula of the lean body mass for SUL. James's is too low for obese patients; it is there for "
            "comparison with older work."
        ),
    )
    overrides: _Overrides | None = Field(
        default=None, description="Columns of the clinical table that replace values of the PET header."
    )


class _MaskFiles(Section):
    files: str = Field(
        pattern=r"\{patient_id\}",
        description=_FILES,
    )
    labels: Literal["totalsegmentator"] | dict[int, str] | None = Field(
        default=None,
        description=(
            "Name of the region of each value, or `totalsegmentator`. Without labels a file is one region with the "
            "name of the file."
        ),
    )

    @field_validator("labels")
    @classmethod
    def _labels_name_something(cls, labels: str | dict[int, str] | None) -> str | dict[int, str] | None:
        if isinstance(labels, dict) and (not labels or min(labels) < 1 or len(set(labels.values())) < len(labels)):
            raise ValueError("each value from 1 on once, each with a name of its own")
        return labels


class _Resampling(Section):
    volume_change: float = Field(
        default=ResamplingLimits.volume_change, ge=0, description="Largest change of a mask's volume, as a share of it."
    )
    outside: float = Field(
        default=ResamplingLimits.outside, ge=0, le=1, description="Largest share of a mask outside the image."
    )
    overlap: float = Field(
        default=ResamplingLimits.overlap,
        ge=0,
        le=1,
        description="Largest overlap of two organs, as a share of the smaller one.",
    )


class _Reader(Section):
    name: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$",
        description="Name of the reader. The first reader's lesions are those of the study.",
    )
    regions: tuple[str, ...] = Field(
        default=(), description="Patterns of the names of the regions that this reader drew."
    )
    series: tuple[str, ...] = Field(
        default=(), description="Patterns of the Series Description of the contours that this reader drew."
    )

    @model_validator(mode="after")
    def _knows_what_it_drew(self) -> "_Reader":
        if not self.regions and not self.series:
            raise ValueError("a reader needs patterns of regions, of series, or both")
        return self


class MasksSection(Section):
    """Section ``masks``."""

    tumour: tuple[str, ...] = Field(
        min_length=1, description="Patterns of the names of tumour regions. `*` stands for anything; case is ignored."
    )
    organs: dict[str, tuple[str, ...]] = Field(default={}, description="Patterns of the names of each organ's regions.")
    elsewhere: str = Field(default="unassigned", description="Organ of a lesion that lies in none of the organs.")
    files: tuple[_MaskFiles, ...] = Field(default=(), description="Masks in NIfTI, NRRD or MetaImage format.")
    resampling: _Resampling = Field(
        default=_Resampling(),
        description="What may change when a mask is moved to the grid of another image. Beyond that it is refused.",
    )
    readers: tuple[_Reader, ...] = Field(
        default=(),
        description="Readers who drew the same tumours, two or more. The table reader_agreement compares them.",
    )

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
