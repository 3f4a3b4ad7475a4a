"""``petlake deidentify`` and ``lint-privacy`` as a newcomer would use them."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestration.commands.privacy import deidentify, lint_privacy
from orchestration.commands.study import init
from petct.errors import DicomError
from petct.privacy.pseudonyms import PseudonymError
from petct.synthetic.settings import CohortSettings
from tests.some import some
from tests.written_cohort import write_cohort


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic patient on coarse voxels."""
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(folder, CohortSettings(n_patients=1, voxel_mm=8.0))
    return folder


@pytest.fixture
def run() -> Callable[..., Result]:
    def run(*arguments: str | Path, expect: int = 0) -> Result:
        result = CliRunner().invoke(deidentify, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == expect, result.output
        return result

    return run


def test_a_cohort_with_its_clinical_table(cohort: Path, tmp_path: Path, run: Callable[..., Result]) -> None:
    target = tmp_path / "out"
    result = run(cohort / "dicom", target, "--clinical", cohort / "clinical.csv")
    assert "date shifted" in result.stdout
    assert "Keep it secret" in result.stdout
    mapping = tmp_path / "out.mapping.json"
    assert stat.S_IMODE(mapping.stat().st_mode) == 0o600
    patients = json.loads(mapping.read_text(encoding="utf-8"))["patients"]
    assert [patient["patient_id"] for patient in patients] == ["NET-001"]
    written = (target / "clinical.csv").read_text(encoding="utf-8")
    assert "NET-00" not in written
    assert {line.split(",")[0] for line in written.splitlines()[1:]} == {patient["pseudonym"] for patient in patients}
    assert sum(1 for _ in target.rglob("*.dcm")) == sum(1 for path in (cohort / "dicom").rglob("*") if path.is_file())
    assert not any(b"NET-00" in path.read_bytes() for path in some(target.rglob("*")) if path.is_file())

    # With the same mapping file the same patient becomes the same, in another run of other files and another place.
    contours = cohort / "dicom" / "NET-001" / "RTSTRUCT"
    again = json.loads(run(contours, tmp_path / "again", "--mapping", mapping, "--json").stdout)
    assert [item["pseudonym"] for item in again["files"]] == [patient["pseudonym"] for patient in patients]
    (written_again,) = (tmp_path / "again").rglob("*.dcm")
    assert written_again.read_bytes() == (target / written_again.relative_to(tmp_path / "again")).read_bytes()


def test_dropped_files_are_listed_and_change_the_exit_code(
    cohort: Path, tmp_path: Path, run: Callable[..., Result]
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    one = next(path for path in sorted((cohort / "dicom").rglob("*")) if path.is_file())
    (source / "a.dcm").write_bytes(one.read_bytes())
    (source / "letter.txt").write_text("Dear Jane Doe", encoding="utf-8")
    result = run(source, tmp_path / "out", expect=3)
    assert "letter.txt" in result.stdout
    assert "DICOM_PREFIX_MISSING" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "error", "code"),
    [
        (("source/out",), DicomError, "DEID_DESTINATION_INSIDE"),
        (("out", "--mapping", "out/map.json"), PseudonymError, "DEID_MAPPING_INSIDE"),
        (("out", "--mapping", "source/map.json"), PseudonymError, "DEID_MAPPING_INSIDE"),
        (("out", "--mapping", "broken.json"), PseudonymError, "DEID_MAPPING_INVALID"),
        (("full",), DicomError, "DEID_DESTINATION_EXISTS"),
    ],
)
def test_what_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], error: type[Exception], code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("source", "full"):
        Path(folder).mkdir()
    Path("full/mine").touch()
    Path("source/a.dcm").write_bytes(b"\0" * 128 + b"DICM")
    Path("broken.json").write_text('{"key": "zz"}', encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    result = CliRunner().invoke(deidentify, ["source", *arguments])
    assert isinstance(result.exception, error)
    assert code in str(result.exception)
    assert sorted(tmp_path.rglob("*")) == before


def test_lint_of_a_study(tmp_path: Path) -> None:
    CliRunner().invoke(init, [str(tmp_path / "study")], catch_exceptions=False)
    clean = CliRunner().invoke(lint_privacy, ["--study", str(tmp_path / "study")])
    assert (clean.exit_code, "Nothing in the lake" in clean.stdout) == (0, True)
    lake = tmp_path / "study" / "lake"
    lake.mkdir()
    (lake / "export.xlsx").touch()
    found = CliRunner().invoke(lint_privacy, ["--study", str(tmp_path / "study"), "--json"])
    assert found.exit_code == 3
    assert [finding["code"] for finding in json.loads(found.stdout)] == ["PRIVACY_FOREIGN_FILE"]
