"""A patient of the demo cohort under four protocols: the account adds up voxel by voxel, label maps lie on the PET."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from assets.drawings import drawings_of, grids_of
from assets.mask_steps import lesions_step
from assets.patient_data import PatientData, StepOutput
from orchestration.study import load_study
from petct.segmentation import Protocol, load_protocol
from petct.suv import SuvRecord
from petct.volume import resample_mask
from warehouse.lake import Lake

PROTOCOLS = tuple(load_protocol(name) for name in ("contours", "percent_41", "suv_4", "liver_percist"))
PATIENT = "NET-001"


@pytest.fixture(scope="module")
def found(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[PatientData, StepOutput]:
    folder = tmp_path_factory.mktemp("protocols") / "cohort"
    shutil.copytree(demo, folder, ignore=shutil.ignore_patterns("*NET-00[2-9]*", "truth", ".dagster"))
    settings = replace(load_study(folder), protocols=PROTOCOLS)
    data = PatientData(PATIENT, settings, Lake(settings.lake))
    return data, lesions_step(data)


@pytest.mark.parametrize("protocol", PROTOCOLS[2:], ids=lambda protocol: protocol.name)
def test_kept_and_removed_are_all_that_is_above_the_threshold(
    found: tuple[PatientData, StepOutput], protocol: Protocol
) -> None:
    data, output = found
    companions = dict(output.companions)
    (suv,) = data.rows("suv", SuvRecord)
    image = data.volume(suv.suv_image_sha256)
    (liver,) = (row for row in companions["reference_regions"] if row.region == "liver")
    level = 1.5 * liver.suv_mean + 2 * liver.suv_sd
    above = image.array.astype(np.float64) >= level
    if protocol.name == "suv_4":
        organs = [roi for drawing in _drawings(data) for roi in drawing.rois if roi.name == "liver"]
        inside = resample_mask(organs[0].mask, image.geometry).array
        above = np.where(inside, above, image.array >= 4.0)
    lesions = [r for r in output.rows if r.protocol_id == protocol.protocol_id and r.modality == "PT"]
    kept = data.volume(lesions[0].label_map_sha256).array > 0
    lines = {}
    for line in companions["exclusions"]:
        if line.protocol_id == protocol.protocol_id:
            lines[line.reason] = lines.get(line.reason, 0) + line.n_voxels
    assert lines["HOLE"] == 0
    assert not (kept & ~above).any()
    assert lines["KEPT"] == np.count_nonzero(kept) == sum(lesion.n_voxels for lesion in lesions)
    assert lines["PHYSIOLOGICAL"] + lines["TOO_SMALL"] == np.count_nonzero(above & ~kept)


def test_every_label_map_lies_on_the_pet_for_a_viewer(found: tuple[PatientData, StepOutput]) -> None:
    data, output = found
    (suv,) = data.rows("suv", SuvRecord)
    pet = sitk.ReadImage(str(data.lake.volume_path(PATIENT, suv.suv_image_sha256)))
    label_maps = {row.label_map_sha256 for row in output.rows if row.modality == "PT"}
    assert len(label_maps) == len(PROTOCOLS)
    for sha256 in label_maps:
        labels = sitk.ReadImage(str(data.lake.volume_path(PATIENT, sha256)))
        for quantity in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
            assert getattr(labels, quantity)() == getattr(pet, quantity)()


def _drawings(data: PatientData) -> list:
    (scan,) = data.scan_series()
    refusals: list = []
    return drawings_of(data, scan, grids_of(data, scan, refusals), refusals).drawings
