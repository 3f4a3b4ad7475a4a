"""The id of a snapshot of 20 real patients is that of its content, wherever and however it is made."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

from orchestration.study import load_study
from tests.orchestration.sts_study import TABLES, Petlake, current_id
from warehouse.storage.lake import Lake

AGAIN = ("STS_002", "STS_019")


def test_the_snapshot_id_is_that_of_the_content(
    sts: Path, petlake_data: Path, petlake: Petlake, tmp_path: Path
) -> None:
    """Built twice, two of 20 patients again with one worker instead of two, from images elsewhere: the same.

    One setting or one byte: another.
    """
    first = current_id(petlake, sts)
    again = petlake("snapshot", "publish", "--json", "--study", sts).json
    assert (again["snapshot_id"], again["created"]) == (first, False)

    dicom = tmp_path / "elsewhere" / "images"
    shutil.copytree(petlake_data / "sts" / "dicom", dicom)
    copy = shutil.copytree(sts, tmp_path / "copy")
    study_file = copy / "study.yaml"
    text = study_file.read_text(encoding="utf-8")
    study_file.write_text(text.replace(str(petlake_data / "sts" / "dicom"), str(dicom)), encoding="utf-8")
    lake = Lake(load_study(copy).lake)
    for patient, table in itertools.product(AGAIN, TABLES):
        lake.remove(table, patient)
    petlake("ingest", "--study", copy)
    petlake("materialize", "--study", copy, "--all", "--patients", ",".join(AGAIN), "--workers", "1")
    assert petlake("snapshot", "publish", "--json", "--study", copy).json["snapshot_id"] == first

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
