"""The id of a snapshot of 20 real patients is that of its content, wherever and however it is made."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.orchestration.sts_study import Petlake, current_id


def test_the_snapshot_id_is_that_of_the_content(
    sts: Path, petlake_data: Path, petlake: Petlake, make_study: Callable[..., Path], tmp_path: Path
) -> None:
    """Built twice, with one worker or two, from a copy elsewhere: the same. One setting or one byte: another."""
    first = current_id(petlake, sts)
    again = petlake("snapshot", "publish", "--json", "--study", sts).json
    assert (again["snapshot_id"], again["created"]) == (first, False)

    dicom = tmp_path / "elsewhere" / "images"
    shutil.copytree(petlake_data / "sts" / "dicom", dicom)
    copy = make_study(tmp_path / "copy", dicom, petlake_data / "sts" / "clinical_simulated.csv")
    petlake("ingest", "--study", copy)
    petlake("materialize", "--study", copy, "--workers", "1")
    assert petlake("snapshot", "publish", "--json", "--study", copy).json["snapshot_id"] == first

    study_file = copy / "study.yaml"
    before = study_file.read_text(encoding="utf-8")
    study_file.write_text(before + "baseline: {within_days: 60}\n", encoding="utf-8")
    other = petlake("snapshot", "publish", "--json", "--study", copy).json["snapshot_id"]
    assert other != first

    study_file.write_text(before, encoding="utf-8")
    pixel_file = dicom / "STS_019" / "PET" / "image" / "000010.dcm"
    content = bytearray(pixel_file.read_bytes())
    content[-1] ^= 1
    pixel_file.write_bytes(content)
    petlake("ingest", "--study", copy)
    states = petlake("status", "--json", "--study", copy).json
    assert {row["patient_id"] for row in states if row["state"] == "stale"} == {"STS_019"}
    petlake("materialize", "--study", copy)
    changed = petlake("snapshot", "publish", "--json", "--study", copy).json["snapshot_id"]
    assert changed not in (first, other)
