"""study.yaml: what is accepted, and the sentence for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from assets.steps.order import PATIENT_TABLES
from assets.tables import snapshot_settings_json
from orchestration.commands.study import ingest, init
from orchestration.study import StudyError, lake_root, load_study, study_from_environment
from petct.errors import PetctError

MINIMAL = """
study: {name: test}
masks: {tumour: ["lesion*"]}
"""
WITH_OUTCOME = (
    MINIMAL
    + """
clinical:
  variables:
    age: {kind: number, unit: year}
endpoints:
  OS: {origin: start, event: death, censor: last}
"""
)


def study(folder: Path, text: str) -> Path:
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_minimal_study_has_the_defaults(tmp_path: Path) -> None:
    settings = load_study(study(tmp_path, MINIMAL))
    assert settings.dicom_folder == (tmp_path / "dicom").resolve()
    assert settings.clinical is None
    assert [item.name for item in settings.feature_sets] == ["pet_original", "ct_original"]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("study: [", "STUDY_NOT_YAML", "study.yaml"),
        ("", "STUDY_NOT_YAML", "no settings"),
        ("study: {name: x}", "STUDY_INVALID", "masks"),
        (MINIMAL + "feature_set: [pet_original]", "STUDY_INVALID", "Did you mean feature_sets?"),
        (MINIMAL + "clinical: {fil: a.csv}", "STUDY_INVALID", "Did you mean file?"),
        (MINIMAL + "clinical: {variables: {age: {kind: number, units: year}}}", "STUDY_INVALID", "Did you mean unit?"),
        (MINIMAL + "clinical: {variables: {age: {kind: numeric}}}", "STUDY_INVALID", "number"),
        (MINIMAL + "aggregations: [mean, mean]", "STUDY_INVALID", "twice"),
        (MINIMAL + "organ_aggregations: {liver: [mean]}", "STUDY_INVALID", "names liver"),
        (MINIMAL + "organ_aggregations: {unassigned: [mean, mean]}", "STUDY_INVALID", "twice"),
        (MINIMAL + "organ_aggregations: {unassigned: [median]}", "STUDY_INVALID", "'volume_weighted_mean'"),
        (MINIMAL + "robustness: {perturbations: [pet_chain]}", "PERTURBATIONS_UNKNOWN", "pet_chains"),
        (MINIMAL + "robustness: {readers: true}", "STUDY_INVALID", "there is only one"),
        (MINIMAL + "robustness: {minimum_icc: 75}", "STUDY_INVALID", "less than or equal to 1"),
        (MINIMAL + "robustness: {perturbation: [pet_chains]}", "STUDY_INVALID", "Did you mean perturbations?"),
        (MINIMAL + "baseline: {within_days: -1}", "STUDY_INVALID", "baseline.within_days"),
        (MINIMAL + "feature_sets: [pet_orginal]", "FEATURE_SET_UNKNOWN", "pet_original"),
        (MINIMAL + "endpoints: {OS: {origin: a, event: b, censor: c}}", "STUDY_INVALID", "clinical"),
        (WITH_OUTCOME + "primary_hypotheses: [{endpoint: PFS, variable: age}]", "STUDY_INVALID", "PFS"),
        (MINIMAL + "clinical: {data_lock: 2024-13-45}", "STUDY_NOT_YAML", "month"),
        (MINIMAL.replace("masks", "mask"), "STUDY_INVALID", "Did you mean masks?"),
        (MINIMAL + "suv: {policy: string}", "STUDY_INVALID", "'lenient' or 'strict'"),
        (MINIMAL + "protocols: [fixed]", "PROTOCOL_UNKNOWN", "contours"),
        (MINIMAL + "feature_sets: [pet_orignal]", "FEATURE_SET_UNKNOWN", "pet_original"),
        (MINIMAL + "feature_sets: [none.yaml]", "FEATURE_SET_FILE_MISSING", "none.yaml"),
        (MINIMAL + "feature_sets: [{modality: CT}]", "STUDY_INVALID", "feature_sets.0"),
        (MINIMAL + "feature_sets: [{file: a.yaml, modalty: CT}]", "STUDY_INVALID", "Did you mean modality?"),
        (MINIMAL + "radiomics_engine: quick", "STUDY_INVALID", "'fast' or 'reference'"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, text: str, code: str, says: str) -> None:
    with pytest.raises(PetctError) as refused:
        load_study(study(tmp_path, text))
    assert refused.value.code == code
    assert says in refused.value.sentence()
    assert "\n" not in refused.value.sentence()


def test_feature_sets_come_from_files_too(tmp_path: Path) -> None:
    folder = study(tmp_path, MINIMAL + "feature_sets: [sstr_pet, mine.yaml, {file: sub/params.yaml, modality: CT}]")
    (folder / "mine.yaml").write_text("modality: PT\ndiscretisation: {bin_width: 0.3}\n", encoding="utf-8")
    (folder / "sub").mkdir()
    (folder / "sub" / "params.yaml").write_text("setting: {binWidth: 12}\n", encoding="utf-8")
    found = {item.name: (item.modality, item.discretisation.bin_width) for item in load_study(folder).feature_sets}
    assert found == {"sstr_pet": ("PT", 1.0), "mine": ("PT", 0.3), "params": ("CT", 12.0)}
    twice = study(tmp_path, MINIMAL + "feature_sets: [mine.yaml, {file: sub/params.yaml, modality: CT, name: mine}]")
    with pytest.raises(PetctError, match="same name"):
        load_study(twice)


def test_a_folder_without_a_study_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StudyError, match="STUDY_MISSING"):
        lake_root(tmp_path)
    monkeypatch.delenv("PETLAKE_STUDY", raising=False)
    assert study_from_environment() is None


@pytest.mark.parametrize(
    ("change", "tables"),
    [
        (('"lesion*"', '"tumour*"'), {"lesions"}),
        (("kind: number", "kind: category"), {"clinical"}),
        (("censor: last", "censor: seen"), {"endpoints"}),
        (("unit: year", "unit: month"), {"clinical"}),
        (("study: {name: test}", "study: {name: other}"), set()),
        (("study: {name: test}", "study: {name: test}\nsuv: {policy: strict}"), {"suv"}),
        (("study: {name: test}", "study: {name: test}\nsuv: {lean_body_mass: james}"), {"pet_metrics"}),
    ],
)
def test_a_setting_changes_the_version_of_the_tables_it_applies_to(
    tmp_path: Path, change: tuple[str, str], tables: set[str]
) -> None:
    before = load_study(study(tmp_path, WITH_OUTCOME))
    after = load_study(study(tmp_path, WITH_OUTCOME.replace(*change)))
    without_pictures = [table for name, table in PATIENT_TABLES.items() if name != "pictures"]
    assert {table.name for table in without_pictures if table.version(before) != table.version(after)} == tables


def test_the_snapshot_settings_hold_no_place_on_a_disk(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    text = WITH_OUTCOME + f"dicom: {{folder: {tmp_path}}}\n"
    settings = snapshot_settings_json(load_study(study(one, text)))
    assert settings == snapshot_settings_json(load_study(study(other, WITH_OUTCOME)))
    assert str(tmp_path) not in settings


CLINIC = "PatID,therapy_start,progression,death,last_seen,ki67_percent\nA1,2020-01-01,,,2021-01-01,2\n"


def test_a_new_study_proposes_the_roles_of_a_clinical_table(tmp_path: Path) -> None:
    table = tmp_path / "clinic.csv"
    table.write_text(CLINIC, encoding="utf-8")
    done = CliRunner().invoke(init, [str(tmp_path / "new"), "--clinical", str(table)], catch_exceptions=False)
    assert "check every line" in done.stdout
    settings = load_study(tmp_path / "new")
    assert settings.clinical is not None
    assert settings.clinical_file == table
    assert settings.clinical.patient_id_column == "PatID"
    assert [variable.unit for variable in settings.clinical.variables] == ["%"]


def test_ingest_shows_the_proposal_where_no_column_has_a_role(tmp_path: Path) -> None:
    (tmp_path / "clinic.csv").write_text(CLINIC, encoding="utf-8")
    study(tmp_path, MINIMAL + "clinical: {file: clinic.csv}\n")
    done = CliRunner().invoke(ingest, ["--study", str(tmp_path)])
    assert isinstance(done.exception, StudyError)
    assert done.exception.code == "CLINICAL_ROLES_MISSING"
    shown = done.stdout
    study(tmp_path, MINIMAL + shown)
    assert load_study(tmp_path).clinical is not None


def test_an_endpoint_may_have_several_events_and_a_unit(tmp_path: Path) -> None:
    text = WITH_OUTCOME + "  PFS: {origin: start, event: [progression, death], censor: last, unit: month}\n"
    clinical = load_study(study(tmp_path, text)).clinical
    assert clinical is not None
    assert [(e.name, e.event_columns, e.unit) for e in clinical.endpoints] == [
        ("OS", ("death",), "day"),
        ("PFS", ("progression", "death"), "month"),
    ]
    assert clinical.columns() == ("patient_id", "age", "start", "death", "last", "progression")
    for wrong in ("event: []", "event: death, unit: fortnight"):
        with pytest.raises(StudyError, match="STUDY_INVALID"):
            load_study(study(tmp_path, WITH_OUTCOME + f"  X: {{origin: start, censor: last, {wrong}}}\n"))
