"""Files of masks: whose scan they are of, on which grid they lie, and what they may hold."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from petct.dicom.declarations import (
    DeclaredMasks,
    DeclaredPet,
    DeclaredUnits,
    totalsegmentator_labels,
)
from petct.dicom.declared_masks import LabelMap, read_label_map
from petct.dicom.index import index_folder
from petct.dicom.scans import scans_of
from petct.errors import MaskError
from petct.image.mask_resampling import ResamplingLimits
from petct.image.volume import Geometry
from tests.some import some

TURN = np.array([[0.8, -0.6, 0.0], [0.48, 0.64, -0.6], [0.36, 0.48, 0.8]])
CT = Geometry((9, 11, 13), (0.9765625, 0.9765625, 3.27), (-249.51171875, -180.3, -1203.65), tuple(TURN.ravel()))
PET = Geometry((6, 6, 7), (2.0, 2.0, 5.0), CT.origin_mm, CT.direction)
GRIDS = {"CT": CT, "PT": PET}
LESION = DeclaredMasks("{patient_id}/*.nii.gz")


def _read(path: Path, declared: DeclaredMasks, *wanted: str) -> LabelMap:
    return read_label_map(
        path,
        declared,
        GRIDS,
        patient_id="P1",
        series_instance_uid="1.2",
        wanted=wanted,
        limits=ResamplingLimits(),
    )


def _write(path: Path, array: np.ndarray, geometry: Geometry) -> Path:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(geometry.spacing_mm)
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(geometry.direction)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


def test_the_packaged_table_of_totalsegmentator() -> None:
    labels = dict(totalsegmentator_labels())
    assert (len(labels), len(set(labels.values()))) == (117, 117)
    known = {1: "spleen", 5: "liver", 21: "urinary_bladder", 26: "vertebrae_S1", 50: "vertebrae_C1", 52: "aorta"}
    known |= {79: "spinal_cord", 91: "skull", 92: "rib_left_1", 104: "rib_right_1", 117: "costal_cartilages"}
    assert {number: labels[number] for number in known} == known


@pytest.mark.parametrize(("on", "grid"), [("CT", CT), ("PT", PET)])
def test_every_order_and_direction_of_the_axes_is_the_same_mask(tmp_path: Path, on: str, grid: Geometry) -> None:
    """All 48 ways to write one oblique grid, through the single precision of NIfTI."""
    expected = np.random.default_rng(1).random(grid.shape) > 0.7
    axes = np.asarray(grid.direction).reshape(3, 3)
    for order in some(permutations(range(3))):
        for flips in some(product((1, -1), repeat=3)):
            array = expected.transpose(2, 1, 0).transpose(order)[tuple(slice(None, None, flip) for flip in flips)]
            first = np.zeros(3)
            for axis, flip in zip(order, flips, strict=True):
                first[axis] = 0 if flip > 0 else grid.shape[::-1][axis] - 1
            geometry = Geometry(
                array.T.shape,
                tuple(grid.spacing_mm[axis] for axis in order),
                tuple(grid.to_physical(first[np.newaxis])[0]),
                tuple((axes[:, order] * flips).ravel()),
            )
            path = _write(tmp_path / "lesion.nii.gz", np.ascontiguousarray(array.T).astype(np.uint8), geometry)
            found = _read(path, LESION, "lesion")
            assert found.on == on
            assert found.rois[0].mask.geometry is grid
            assert np.array_equal(found.rois[0].mask.array, expected)
            assert found.rois[0].rules == ()


def test_a_part_of_an_image_is_resampled_and_another_place_refused(tmp_path: Path) -> None:
    array = np.zeros((8, 8, 8), dtype=np.uint8)
    array[2:6, 2:6, 2:6] = 1
    within = Geometry(array.shape, (1.0, 1.0, 3.0), tuple(CT.to_physical(np.array([[2.0, 2.0, 0.5]]))[0]), CT.direction)
    found = _read(_write(tmp_path / "lesion.nii.gz", array, within), LESION, "lesion")
    assert (found.on, found.rois[0].rules) == ("CT", ("LABEL_MAP_RESAMPLED",))
    assert found.rois[0].mask.volume_ml == pytest.approx(64 * 0.003, rel=0.25)
    for column, refused in (
        (9.0, r"MASK_OUTSIDE_IMAGE.*25\.0 % of 0\.19 ml outside"),
        (60.0, "MASK_GRID_FOREIGN.*beyond"),
    ):
        origin = tuple(CT.to_physical(np.array([[column, 2.0, 0.5]]))[0])
        away = Geometry(array.shape, (1.0, 1.0, 3.0), origin, CT.direction)
        with pytest.raises(MaskError, match=refused):
            _read(_write(tmp_path / "lesion.nii.gz", array, away), LESION, "lesion")


@pytest.mark.parametrize(
    ("array", "declared", "code"),
    [
        (np.full(CT.shape, 0.5, dtype=np.float32), LESION, "LABEL_MAP_INVALID"),
        (np.full(CT.shape, np.nan, dtype=np.float32), LESION, "LABEL_MAP_INVALID"),
        (np.full(CT.shape, -1, dtype=np.int16), LESION, "LABEL_MAP_INVALID"),
        (np.full(CT.shape, 70000, dtype=np.int32), LESION, "LABEL_MAP_INVALID"),
        (np.arange(9 * 11 * 13, dtype=np.int16).reshape(CT.shape) % 3, LESION, "LABEL_MAP_INVALID"),
        (np.full(CT.shape, 3, dtype=np.uint8), DeclaredMasks("x", ((1, "lesion"),)), "LABEL_UNKNOWN"),
    ],
)
def test_what_is_no_label_map_is_refused(tmp_path: Path, array: np.ndarray, declared: DeclaredMasks, code: str) -> None:
    with pytest.raises(MaskError) as caught:
        _read(_write(tmp_path / "lesion.nrrd", array, CT), declared, "lesion")
    assert (caught.value.code, caught.value.patient_id) == (code, "P1")


def test_the_date_in_the_path_says_of_which_scan_a_mask_is(tmp_path: Path) -> None:
    declared = [
        DeclaredPet("{patient_id}/pet_{scan_date}.nii.gz", DeclaredUnits.SUV_BW),
        DeclaredMasks("{patient_id}/{scan_date}/*.nii.gz"),
        DeclaredMasks("{patient_id}/undated/*.nii.gz"),
    ]
    for number, date in enumerate(("20250101", "20250301")):
        _write(tmp_path / "P1" / f"pet_{date}.nii.gz", np.full(PET.shape, number, dtype=np.float32), PET)
        # Two empty organs are the same bytes, and two masks all the same.
        for organ in ("liver", "spleen"):
            _write(tmp_path / "P1" / date / f"{organ}.nii.gz", np.zeros(PET.shape, dtype=np.uint8), PET)
    _write(tmp_path / "P1" / "undated" / "lesion.nii.gz", np.ones(PET.shape, dtype=np.uint8), PET)
    index = index_folder(tmp_path, declared=declared)
    assert index.set_aside == ()
    masks = [series for series in index.series if series.role == "LABELMAP"]
    assert sorted((m.scan_id or "")[:8] for m in masks) == ["20250101", "20250301"]
    assert [m.n_instances for m in masks] == [2, 2]
    assert [len(scan.contours) for scan in scans_of(index.series) if scan.pet] == [1, 1]
    # Of which of the two scans the undated one is, nobody knows.
    assert [s.set_aside_code for s in index.series if s.role == "NONE"] == ["MASK_SCAN_UNKNOWN"]
