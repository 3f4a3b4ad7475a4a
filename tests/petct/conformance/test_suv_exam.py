"""The SUV exam itself: it fails what is wrong, and says what is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import SimpleITK as sitk
from click.testing import CliRunner

from orchestration.commands.conformance import conformance
from petct.conformance.exam import ExamLine, Verdict
from petct.conformance.suv import run
from petct.conformance.suv_objects import SuvObject, suv_objects
from petct.errors import PetctError
from tests.petct.conformance.suv_synthesis import small_phantom, write_object

OBJECTS = suv_objects()
RIGHT = "0.200/1.000/4.000"


def _write(folder: Path, one: SuvObject, name: str | None = None) -> Path:
    write_object(one, small_phantom(), folder / (name or one.id))
    return folder / (name or one.id)


def _line(folder: Path) -> ExamLine:
    (line,) = run(folder).lines
    return line


def test_a_wrong_value_fails(tmp_path: Path) -> None:
    # An image of 1.006 SUV where 1 is expected.
    _write(tmp_path, replace(OBJECTS["DRO_0_0"], one_suv=(3621.6, 3621.6)))
    line = _line(tmp_path)
    assert (line.expected, line.found, line.verdict) == (RIGHT, "0.201/1.006/4.024", Verdict.FAIL)
    assert not run(tmp_path).passed


def test_a_value_where_a_refusal_is_right_fails(tmp_path: Path) -> None:
    _write(tmp_path, OBJECTS["DRO_0_0"], "DRO_error_2_0")
    line = _line(tmp_path)
    assert (line.expected, line.found, line.verdict) == ("SUV_WEIGHT_MISSING", RIGHT, Verdict.FAIL)


def test_a_refusal_where_a_value_is_right_fails_and_says_why(tmp_path: Path) -> None:
    _write(tmp_path, OBJECTS["DRO_error_3_0"], "DRO_0_0")
    line = _line(tmp_path)
    assert (line.expected, line.found, line.verdict) == (RIGHT, "SUV_DOSE_MISSING", Verdict.FAIL)
    assert "RadionuclideTotalDose" in line.note


def test_a_refusal_for_another_reason_fails(tmp_path: Path) -> None:
    _write(tmp_path, OBJECTS["DRO_error_3_0"], "DRO_error_2_0")
    assert _line(tmp_path).verdict is Verdict.FAIL


def test_the_list_in_the_folder_says_what_is_expected(tmp_path: Path) -> None:
    _write(tmp_path, OBJECTS["DRO_0_0"], "mine")
    _write(tmp_path, OBJECTS["DRO_error_2_0"], "mine_refused")
    (tmp_path / "DRO_list.csv").write_text("id,expected\nmine,0.2/1/4\nmine_refused,ERROR\n", encoding="utf-8")
    assert run(tmp_path).score == "2 of 2 pass"
    (tmp_path / "DRO_list.csv").write_text("id,expected\nmine,0.3/1/4\nmine_refused,0.2/1/4\n", encoding="utf-8")
    assert run(tmp_path).score == "0 of 2 pass, 2 fail"
    for broken in ("id,wanted\nmine,1\n", "id,expected\nmine,about one\n"):
        (tmp_path / "DRO_list.csv").write_text(broken, encoding="utf-8")
        with pytest.raises(PetctError) as refusal:
            run(tmp_path)
        assert refusal.value.code == "EXAM_LIST_INVALID"


def test_either_mask_is_enough_and_each_must_pass(tmp_path: Path) -> None:
    folder = _write(tmp_path, OBJECTS["DRO_0_0"])
    mask = folder / "mask" / "DRO_mask.nii.gz"
    image = sitk.ReadImage(str(mask))
    array = sitk.GetArrayFromImage(image)
    array[1, 2, 1] = array[1, 3, 2] = 0
    shrunk = sitk.GetImageFromArray(array)
    shrunk.CopyInformation(image)
    sitk.WriteImage(shrunk, str(mask))
    assert _line(tmp_path).verdict is Verdict.PASS
    array[:] = 0
    array[1, 4, 4] = 1
    single = sitk.GetImageFromArray(array)
    single.CopyInformation(image)
    sitk.WriteImage(single, str(mask))
    assert (_line(tmp_path).found, _line(tmp_path).verdict) == ("1.000/1.000/1.000", Verdict.FAIL)
    moved = sitk.GetImageFromArray(array)
    sitk.WriteImage(moved, str(mask))
    assert _line(tmp_path).found == "MASK_OFF_GRID"
    mask.write_bytes(b"no image")
    assert _line(tmp_path).found == "MASK_UNREADABLE"
    mask.unlink()
    assert _line(tmp_path).verdict is Verdict.PASS
    next((folder / "RS").iterdir()).unlink()
    assert _line(tmp_path).found == "MASK_MISSING"


def test_a_folder_without_a_pet_is_a_failed_line_and_no_folders_are_a_failed_exam(tmp_path: Path) -> None:
    assert run(tmp_path).lines == ()
    assert not run(tmp_path).passed
    (tmp_path / "DRO_0_0").mkdir()
    assert _line(tmp_path).found == "PET_SERIES_MISSING"


def test_the_command_prints_each_object_and_the_score(tmp_path: Path) -> None:
    for name in ("DRO_0_0", "DRO_error_2_0"):
        _write(tmp_path, OBJECTS[name])
    shown = CliRunner().invoke(conformance, ["suv", str(tmp_path)])
    assert shown.exit_code == 0
    assert "SUV: 2 of 2 pass" in shown.output
    assert "SUV_WEIGHT_MISSING" in shown.output
    _write(tmp_path, replace(OBJECTS["DRO_0_0"], one_suv=(4000.0, 4000.0)))
    assert CliRunner().invoke(conformance, ["suv", str(tmp_path), "--json"]).exit_code == 1
