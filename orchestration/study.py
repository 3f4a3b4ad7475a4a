"""study.yaml: one file that says where a study's data are, what its columns mean, and what is computed."""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from assets.settings import ConformanceSettings, PrimaryHypothesis, RobustnessSettings, StudySettings
from orchestration.feature_set_entries import feature_sets_of
from orchestration.study_file import RobustnessSection, StudyFile
from petct.clinical.spec import DEFAULT_MISSING_VALUES, ClinicalSpec, EndpointSpec, VariableSpec
from petct.dicom.declarations import DeclaredPet
from petct.dicom.roles import SeriesChoice
from petct.errors import PetctError
from petct.lesions.protocol import Protocol
from petct.lesions.protocol_files import load_protocol, read_protocol
from petct.radiomics.perturbation_sets import load_perturbation_set
from warehouse.snapshots.feature_tables import OrganAggregation

STUDY_FILE = "study.yaml"
STUDY_VARIABLE = "PETLAKE_STUDY"
LAKE_FOLDER = "lake"


class StudyError(PetctError):
    """A study folder or study.yaml that cannot be used."""


def lake_root(folder: Path) -> Path:
    """The lake of the study in ``folder``; raises ``StudyError`` STUDY_MISSING when there is no study.yaml."""
    if not (folder / STUDY_FILE).is_file():
        raise StudyError(
            "STUDY_MISSING",
            "There is no study in this folder",
            keyword=STUDY_FILE,
            found=str(folder),
            expected=f"a folder with a {STUDY_FILE}",
            hint="Make one with `petlake init DIR`, or name it with --study DIR.",
        )
    return folder.resolve() / LAKE_FOLDER


def load_study(folder: Path) -> StudySettings:
    """Read and validate the study in ``folder``.

    Raises
    ------
    StudyError
        STUDY_MISSING; STUDY_NOT_YAML; STUDY_INVALID with the key, what was found and the nearest valid key.
    PetctError
        PROTOCOL_UNKNOWN; what ``read_protocol``, ``load_feature_set`` and ``read_feature_set`` raise.
    """
    lake = lake_root(folder)
    file = _parse(folder.resolve() / STUDY_FILE)
    root = folder.resolve()
    return StudySettings(
        folder=root,
        name=file.study.name,
        tracer=file.study.tracer,
        lake=lake,
        dicom_folder=_absolute(root, file.dicom.folder),
        clinical_file=_absolute(root, file.clinical.file) if file.clinical else None,
        clinical=_clinical_spec(file),
        baseline_within_days=file.baseline.within_days,
        masks=file.masks.rules(),
        protocols=_protocols(root, file.protocols),
        feature_sets=feature_sets_of(root, file.feature_sets),
        radiomics_engine=file.radiomics_engine,
        aggregations=file.aggregations,
        organ_aggregations=tuple(
            OrganAggregation(organ, rule) for organ, rules in file.organ_aggregations.items() for rule in rules
        ),
        robustness=_robustness(file.robustness),
        primary_hypotheses=tuple(PrimaryHypothesis(h.endpoint, h.variable) for h in file.primary_hypotheses),
        series_choice=SeriesChoice(file.dicom.pet_series, file.dicom.ct_series),
        declared_pet=tuple(DeclaredPet(one.files, one.units) for one in file.dicom.volumes),
        declared_masks=file.masks.declared(),
        suv_policy=file.suv.policy,
        lean_body_mass=file.suv.lean_body_mass,
        conformance=ConformanceSettings(
            _absolute(root, file.conformance.data) if file.conformance.data else None, file.conformance.exams
        ),
        suv_overrides=file.suv.overrides.spec() if file.suv.overrides else None,
    )


def study_from_environment() -> StudySettings | None:
    """The study that ``PETLAKE_STUDY`` names, or None where it names none (definitions load without a study)."""
    folder = os.environ.get(STUDY_VARIABLE)
    return load_study(Path(folder)) if folder else None


def _absolute(root: Path, path: Path) -> Path:
    return path if path.is_absolute() else (root / path).resolve()


def _protocols(root: Path, entries: Sequence[str]) -> tuple[Protocol, ...]:
    """Protocols by the name of a packaged one, or by a YAML file."""
    protocols = tuple(
        read_protocol(_absolute(root, Path(entry))) if entry.endswith((".yaml", ".yml")) else load_protocol(entry)
        for entry in entries
    )
    names = [protocol.name for protocol in protocols]
    if len(set(names)) != len(names):
        raise StudyError(
            "STUDY_INVALID",
            "Two protocols have the same name",
            keyword="protocols",
            found=", ".join(names),
            hint="A protocol from a file has the name of the file: rename it.",
        )
    return protocols


def _robustness(section: RobustnessSection | None) -> RobustnessSettings | None:
    if section is None:
        return None
    return RobustnessSettings(
        perturbation_sets=tuple(load_perturbation_set(name) for name in section.perturbations),
        retest_within_days=section.retest_within_days,
        readers=section.readers,
        minimum_icc=section.minimum_icc,
    )


def _clinical_spec(file: StudyFile) -> ClinicalSpec | None:
    if file.clinical is None:
        return None
    return ClinicalSpec(
        patient_id_column=file.clinical.patient_id,
        variables=tuple(
            VariableSpec(
                name, variable.column or name, variable.kind, variable.unit, variable.bounds, variable.measured_on
            )
            for name, variable in file.clinical.variables.items()
        ),
        endpoints=tuple(
            EndpointSpec(
                name,
                endpoint.origin,
                tuple(endpoint.event),
                endpoint.censor,
                endpoint.competing,
                endpoint.event_is_death,
                endpoint.unit,
            )
            for name, endpoint in file.endpoints.items()
        ),
        data_lock=file.clinical.data_lock,
        missing_values=file.clinical.missing_values or DEFAULT_MISSING_VALUES,
    )


def _parse(path: Path) -> StudyFile:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise StudyError(
            "STUDY_NOT_YAML", "study.yaml is not valid YAML", keyword=str(path.name), found=" ".join(str(error).split())
        ) from error
    if not isinstance(content, dict):
        raise StudyError(
            "STUDY_NOT_YAML", "study.yaml holds no settings", keyword=path.name, hint="See `petlake init`."
        )
    try:
        return StudyFile.model_validate(content)
    except ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: ValidationError) -> StudyError:
    """The first thing that is wrong with study.yaml, as one sentence."""
    # A misspelt key also leaves the right one missing; the misspelling is what helps.
    first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    where = ".".join(str(part) for part in first["loc"])
    others = error.error_count() - 1
    more = f" ({others} more after this one)" if others else ""
    if first["type"] == "extra_forbidden":
        known = _known_keys(first["loc"])
        nearest = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        return StudyError(
            "STUDY_INVALID",
            f"study.yaml has an unknown key{more}",
            keyword=where,
            expected=", ".join(known),
            hint=f"Did you mean {nearest[0]}?" if nearest else None,
        )
    found = None if first["type"] == "missing" or not first["loc"] else repr(first["input"])
    return StudyError(
        "STUDY_INVALID",
        f"study.yaml cannot be used{more}",
        keyword=where or STUDY_FILE,
        found=found,
        expected=first["msg"],
    )


def _known_keys(loc: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = StudyFile
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        if field is None:
            # A key of the user's own, such as the name of a variable: its value has the same model.
            continue
        model = _section(field.annotation) or model
    return sorted(model.model_fields)


def _section(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _section(part)
        if found is not None:
            return found
    return None
