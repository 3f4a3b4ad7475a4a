"""Masks from RTSTRUCT and SEG: the published ones voxel by voxel, and every refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset

from petct.dicom.index import index_folder
from petct.dicom.masks import read_contours
from petct.dicom.regions import RoiMask
from petct.dicom.rtstruct import read_rtstruct
from petct.dicom.seg import read_segmentation
from petct.dicom.series import read_pet
from petct.errors import MaskError
from petct.image.mask_resampling import ResamplingLimits
from petct.image.volume import Geometry
from tests.petct.conftest import DicomWriter
from tests.some import some

GRID = Geometry((4, 6, 7), (2.0, 2.5, 3.0), (-10.0, 20.0, 5.0))


def _rectangle(z: float, x: tuple[float, float] = (-8, -2), y: tuple[float, float] = (22, 30)) -> np.ndarray:
    return np.array([[x[0], y[0], z], [x[1], y[0], z], [x[1], y[1], z], [x[0], y[1], z]])


def _rtstruct(path: Path, **options: object) -> tuple[RoiMask, ...]:
    return read_rtstruct(
        path, GRID, patient_id="P1", series_instance_uid="1.2.3.3", referenced_series_instance_uid="1.2.3.1", **options
    )


def _seg(path: Path, geometry: Geometry = GRID, **options: object) -> tuple[RoiMask, ...]:
    return read_segmentation(
        path,
        geometry,
        patient_id="P1",
        series_instance_uid="1.2.3.4",
        referenced_series_instance_uid="1.2.3.1",
        **options,
    )


@pytest.mark.parametrize("implicit", [False, True])
def test_regions_of_an_rtstruct(dicom: DicomWriter, implicit: bool) -> None:
    dicom.implicit = implicit
    hole = _rectangle(8, (-6, -4), (24, 27))
    path = dicom.rtstruct({"liver": [_rectangle(5), _rectangle(8), hole], "bone": [_rectangle(14)]})
    liver, bone = _rtstruct(path)
    assert (liver.name, liver.number, liver.source) == ("liver", 1, "RTSTRUCT")
    expected = np.zeros(GRID.shape, dtype=bool)
    expected[:2, 1:4, 1:4] = True
    # Rows at 22.5, 25, 27.5 mm; the hole takes the row at 25 and the columns at -6 and, half-open, not -4.
    expected[1, 2, 2] = False
    assert np.array_equal(liver.mask.array, expected)
    assert np.flatnonzero(bone.mask.array.any(axis=(1, 2))).tolist() == [3]
    (only,) = _rtstruct(path, roi_names={"bone"})
    assert only.name == "bone"


def _first_contour(dataset: Dataset) -> Dataset:
    return dataset.ROIContourSequence[0].ContourSequence[0]


@pytest.mark.parametrize(
    ("contours", "code"),
    [
        ([_rectangle(5)[:2]], "CONTOUR_TOO_SHORT"),
        ([_rectangle(5), _rectangle(5)], "CONTOUR_DUPLICATE"),
        ([_rectangle(5)[[2, 1, 0, 3]], _rectangle(5)], "CONTOUR_DUPLICATE"),
        ([_rectangle(5), _rectangle(5, (-8.1, -1.95))], "CONTOUR_DUPLICATE"),
        ([_rectangle(6.4), _rectangle(9), _rectangle(12.9)], "CONTOUR_BETWEEN_SLICES"),
        ([np.array([[-8, 22, 5], [-2, 22, 5], [-2, 30, 8]])], "CONTOUR_NOT_PLANAR"),
        ([_rectangle(17)], "CONTOUR_OFF_GRID"),
        ([_rectangle(5, (-30, -2))], "CONTOUR_OFF_GRID"),
        ([_rectangle(5, (-7.9, -7.5), (22.6, 22.8))], "ROI_WITHOUT_VOXELS"),
        ([], "ROI_EMPTY"),
    ],
)
def test_contours_that_are_refused(dicom: DicomWriter, contours: list[np.ndarray], code: str) -> None:
    path = dicom.rtstruct({"GTV": contours})
    with pytest.raises(MaskError) as caught:
        _rtstruct(path)
    assert caught.value.code == code
    assert (caught.value.patient_id, caught.value.series_instance_uid) == ("P1", "1.2.3.3")


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda ds, _: setattr(_first_contour(ds), "ContourGeometricType", "OPEN_PLANAR"), "CONTOUR_TYPE_UNSUPPORTED"),
        (lambda ds, _: setattr(_first_contour(ds), "NumberOfContourPoints", 5), "CONTOUR_DATA_INVALID"),
        (lambda ds, _: setattr(_first_contour(ds), "ContourData", ["1", "2", "3", "4"]), "CONTOUR_DATA_INVALID"),
        (lambda ds, _: delattr(ds, "ROIContourSequence"), "ROI_EMPTY"),
        (lambda ds, _: delattr(ds, "StructureSetROISequence"), "ROI_EMPTY"),
        (lambda ds, _: delattr(ds.StructureSetROISequence[0], "ROINumber"), "CONTOURS_UNREADABLE"),
        (lambda ds, _: delattr(ds, "ReferencedFrameOfReferenceSequence"), "REFERENCED_SERIES_MISSING"),
        (lambda ds, _: setattr(ds, "PatientID", "P2"), "CONTOURS_MISPLACED"),
    ],
)
def test_rtstructs_that_are_refused(dicom: DicomWriter, edit: Callable[[Dataset, int], None], code: str) -> None:
    with pytest.raises(MaskError) as caught:
        _rtstruct(dicom.rtstruct({"GTV": [_rectangle(5)]}, edit=edit))
    assert caught.value.code == code


@pytest.mark.parametrize("offset", [-1.5, -0.9, 0.9, 1.5])
def test_contours_between_the_slices_keep_their_number_and_are_said(dicom: DicomWriter, offset: float) -> None:
    # A tie goes to the lower plane: at half a slice every contour moves by one half, and none is doubled.
    hole = _rectangle(8 + offset, (-6, -4), (24, 27))
    path = dicom.rtstruct({"GTV": [_rectangle(8 + offset), hole, _rectangle(11 + offset)]})
    (roi,) = _rtstruct(path)
    (exact,) = _rtstruct(dicom.rtstruct({"GTV": [_rectangle(8), _rectangle(8, (-6, -4), (24, 27)), _rectangle(11)]}))
    assert roi.rules == ("CONTOURS_BETWEEN_SLICES",)
    first = {-1.5: 1, -0.9: 1, 0.9: 1, 1.5: 2}[offset]
    assert np.flatnonzero(roi.mask.array.any(axis=(1, 2))).tolist() == [first, first + 1]
    assert np.array_equal(roi.mask.array[first : first + 2], exact.mask.array[1:3])


def test_contours_closer_than_the_slices_never_cancel(dicom: DicomWriter) -> None:
    planes = np.arange(5.0, 14.1, 0.75)
    (roi,) = _rtstruct(dicom.rtstruct({"GTV": [_rectangle(z) for z in planes]}))
    (exact,) = _rtstruct(dicom.rtstruct({"GTV": [_rectangle(z) for z in (5, 8, 11, 14)]}))
    assert roi.rules == ("CONTOURS_BETWEEN_SLICES",)
    assert np.array_equal(roi.mask.array, exact.mask.array)
    # Two planes of 0.6 slices are 1.2 slices and cannot be one or two.
    with pytest.raises(MaskError, match=r"MASK_VOLUME_CHANGED.*ml before") as caught:
        _rtstruct(
            dicom.rtstruct({"GTV": [_rectangle(5), _rectangle(6.5), _rectangle(11)]}), limits=ResamplingLimits(0.1)
        )
    assert caught.value.patient_id == "P1"


def test_points_beside_contours_are_left_out_and_said(dicom: DicomWriter) -> None:
    def edit(dataset: Dataset, _index: int) -> None:
        _first_contour(dataset).ContourGeometricType = "POINT"

    (roi,) = _rtstruct(dicom.rtstruct({"GTV": [_rectangle(5)[:1], _rectangle(8)]}, edit=edit))
    assert (roi.rules, np.count_nonzero(roi.mask.array)) == (("CONTOUR_POINTS_IGNORED",), 9)
    # A marker alone is not "no tumour".
    with pytest.raises(MaskError, match="ROI_ONLY_POINTS"):
        _rtstruct(dicom.rtstruct({"GTV": [_rectangle(5)[:1]]}, edit=edit), roi_names={"GTV"})


def test_holes_islands_and_keyholes_of_an_oblique_series_are_exact(dicom: DicomWriter) -> None:
    """A disc with a hole, an island in it and a hole in the island, drawn twice: nested, and as one keyhole contour."""
    turn = np.array([[0.8, -0.6, 0.0], [0.48, 0.64, -0.6], [0.36, 0.48, 0.8]])
    grid = Geometry((3, 64, 72), (1.5, 1.25, 4.0), (-31.0, 12.0, 7.0), tuple(turn.ravel()))
    angle = np.linspace(0, 2 * np.pi, 181)

    def circle(radius: float, z: float) -> np.ndarray:
        index = np.stack([36.2 + radius * np.cos(angle), 31.7 + radius * np.sin(angle), np.full(181, z)], axis=1)
        return grid.to_physical(index)

    radii = (28.91, 21.01, 14.16, 6.48)
    nested = [circle(radius, z) for z in (0, 1, 2) for radius in radii]
    # Out along the ray at angle 0 and back: each ring is entered and left on the same line.
    keyhole = [
        np.concatenate([c, nested[4 * z + k + 1], c[:1]]) for z in range(3) for k in (0, 2) for c in [nested[4 * z + k]]
    ]
    (one, two) = read_rtstruct(
        dicom.rtstruct({"nested": nested, "keyhole": keyhole}),
        grid,
        patient_id="P1",
        series_instance_uid="1.2.3.3",
        referenced_series_instance_uid="1.2.3.1",
    )
    y, x = np.indices((64, 72))
    distance = np.hypot(x - 36.2, y - 31.7)
    # The polygon of 180 edges leaves its circle by 28.91 (1 - cos(1 degree)) = 0.005 pixels; no centre lies so near.
    assert min(np.abs(distance - radius).min() for radius in radii) > 0.01
    rings = ((distance < radii[0]) & (distance > radii[1])) | ((distance < radii[2]) & (distance > radii[3]))
    assert np.array_equal(one.mask.array, np.broadcast_to(rings, grid.shape))
    assert np.array_equal(two.mask.array, one.mask.array)


def test_an_rtstruct_without_regions_says_that_there_is_no_tumour(dicom: DicomWriter) -> None:
    assert _rtstruct(dicom.rtstruct({})) == ()


def test_a_region_that_is_not_there_is_refused_and_a_marker_is_no_region(dicom: DicomWriter) -> None:
    def edit(dataset: Dataset, _index: int) -> None:
        _first_contour(dataset).ContourGeometricType = "POINT"

    path = dicom.rtstruct({"marker": [_rectangle(5)[:1]], "GTV": [_rectangle(5)]}, edit=edit)
    assert [roi.name for roi in _rtstruct(path)] == ["GTV"]
    with pytest.raises(MaskError, match="ROI_UNKNOWN"):
        _rtstruct(path, roi_names={"PTV"})


@pytest.mark.parametrize("implicit", [False, True])
def test_an_rtstruct_cut_at_any_place_is_refused(dicom: DicomWriter, implicit: bool) -> None:
    dicom.implicit = implicit
    path = dicom.rtstruct({"GTV": [_rectangle(5), _rectangle(8)]})
    data = path.read_bytes()
    for size in some(range(0, len(data) - 1, 7)):
        path.write_bytes(data[:size])
        with pytest.raises(MaskError):
            _rtstruct(path)


def test_flipped_bits_give_masks_or_a_refusal(dicom: DicomWriter) -> None:
    path = dicom.rtstruct({"GTV": [_rectangle(5), _rectangle(8)]})
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(5)
    for _ in range(200):
        spoiled = bytearray(data)
        spoiled[int(random.integers(len(data)))] ^= 1 << int(random.integers(8))
        path.write_bytes(spoiled)
        try:
            _rtstruct(path)
        except MaskError:
            continue


def _segments() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    liver, bone = random.random((2, *GRID.shape)) > 0.5
    liver[1], bone[:3] = False, False
    return {"liver": liver, "bone": bone}


def test_segments_of_a_seg_are_placed_by_their_position(dicom: DicomWriter) -> None:
    segments = _segments()
    masks = _seg(dicom.seg(segments))
    assert [(roi.name, roi.number, roi.rules) for roi in masks] == [("liver", 1, ()), ("bone", 2, ())]
    for roi in some(masks):
        assert np.array_equal(roi.mask.array, segments[roi.name])


def test_a_seg_of_a_part_of_the_image_is_placed_without_resampling(dicom: DicomWriter) -> None:
    dicom.origin = (-6.0, 22.5, 5.0)
    part = np.ones((2, 3, 2), dtype=bool)
    (roi,) = _seg(dicom.seg({"GTV": part}))
    expected = np.zeros(GRID.shape, dtype=bool)
    expected[:2, 1:4, 2:4] = True
    assert np.array_equal(roi.mask.array, expected)
    assert roi.rules == ()


def test_a_seg_on_another_grid_is_resampled(dicom: DicomWriter) -> None:
    dicom.spacing, dicom.origin = (1.0, 1.25, 1.5), (-10.0, 20.0, 5.0)
    fine = np.zeros((7, 11, 13), dtype=bool)
    fine[2:6, 2:8, 4:10] = True
    (roi,) = _seg(dicom.seg({"GTV": fine}))
    assert roi.rules == ("SEG_RESAMPLED",)
    assert np.array_equal(np.argwhere(roi.mask.array).min(axis=0), [1, 1, 2])
    assert np.array_equal(np.argwhere(roi.mask.array).max(axis=0), [2, 3, 4])


def test_fractions_are_inside_from_one_half(dicom: DicomWriter) -> None:
    fraction = np.zeros(GRID.shape, dtype=np.uint8)
    fraction[0, 0, :3] = [99, 100, 200]
    (roi,) = _seg(dicom.seg({"GTV": fraction}, kind="FRACTIONAL"))
    assert roi.mask.array[0, 0].tolist() == [False, True, True, False, False, False, False]
    assert roi.mask.array.sum() == 2
    assert roi.rules == ("SEG_FRACTIONAL_BINARISED",)


def test_a_label_map_holds_all_segments(dicom: DicomWriter) -> None:
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[1, 2, 3] = 1

    def edit(dataset: Dataset, _index: int) -> None:
        for group in dataset.PerFrameFunctionalGroupsSequence:
            del group.SegmentIdentificationSequence

    (roi,) = _seg(dicom.seg({"GTV": labels}, kind="LABELMAP", edit=edit))
    assert np.argwhere(roi.mask.array).tolist() == [[1, 2, 3]]


def _repeat(dataset: Dataset, _index: int) -> None:
    first, second = dataset.PerFrameFunctionalGroupsSequence[:2]
    second.PlanePositionSequence = first.PlanePositionSequence


def _shift(dataset: Dataset, _index: int) -> None:
    for group in dataset.PerFrameFunctionalGroupsSequence:
        x, y, z = group.PlanePositionSequence[0].ImagePositionPatient
        group.PlanePositionSequence[0].ImagePositionPatient = [x + 8, y, z]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (_repeat, "SEG_FRAME_DUPLICATE"),
        (_shift, "SEG_OFF_GRID"),
        (lambda ds, _: setattr(ds, "SegmentationType", "OTHER"), "SEG_TYPE_UNSUPPORTED"),
        (lambda ds, _: setattr(ds, "PixelData", ds.PixelData[:4]), "CONTOURS_UNREADABLE"),
        (lambda ds, _: delattr(ds, "SegmentSequence"), "CONTOURS_UNREADABLE"),
        (
            lambda ds, _: setattr(ds.ReferencedSeriesSequence[0], "SeriesInstanceUID", "9.9"),
            "REFERENCED_SERIES_MISSING",
        ),
        (lambda ds, _: setattr(ds, "PixelData", b"\0" * len(ds.PixelData)), "ROI_EMPTY"),
    ],
)
def test_segs_that_are_refused(dicom: DicomWriter, edit: Callable[[Dataset, int], None], code: str) -> None:
    with pytest.raises(MaskError) as caught:
        _seg(dicom.seg({"liver": _segments()["liver"]}, edit=edit))
    assert caught.value.code == code


def test_a_seg_cut_at_any_place_is_refused(dicom: DicomWriter) -> None:
    path = dicom.seg(_segments())
    data = path.read_bytes()
    for size in some(range(0, len(data) - 2, 23)):
        path.write_bytes(data[:size])
        with pytest.raises(MaskError):
            _seg(path)


def test_contours_need_the_series_they_were_drawn_on(dicom: DicomWriter) -> None:
    dicom.pet()
    path = dicom.rtstruct({"GTV": [_rectangle(5)]})
    seg = dicom.seg({"GTV": _segments()["liver"]})
    records = {record.role: record for record in index_folder(dicom.root).series}
    assert read_contours(records["RTSTRUCT"], path, {"1.2.3.1": GRID})[0].referenced_series_instance_uid == "1.2.3.1"
    assert read_contours(records["SEG"], seg, {"1.2.3.1": GRID})[0].source == "SEG"
    for record in (records["RTSTRUCT"], replace(records["RTSTRUCT"], referenced_series_instance_uid=None)):
        with pytest.raises(MaskError, match="REFERENCED_SERIES_MISSING"):
            read_contours(record, path, {"1.2.3.2": GRID})


def test_the_uncropped_contours_hold_the_cropped_ones(petlake_data: Path) -> None:
    root = petlake_data / "sts" / "raw" / "STS_001" / "FDG_PET"
    index = index_folder(root)
    by_role = {series.role: series for series in index.series}
    pet, contours = by_role["PET"], by_role["RTSTRUCT"]
    paths = {f.path: f.series_instance_uid for f in index.files}
    image = read_pet(
        [root / path for path, uid in paths.items() if uid == pet.series_instance_uid],
        patient_id="STS_001",
        series_instance_uid=pet.series_instance_uid,
    )
    (path,) = [root / path for path, uid in paths.items() if uid == contours.series_instance_uid]
    masks = {
        roi.name: roi.mask for roi in read_contours(contours, path, {pet.series_instance_uid: image.volume.geometry})
    }
    assert {"GTV_Mass", "GTV_Edema"} <= set(masks)
    published = sitk.ReadImage(str(petlake_data / "sts" / "nifti" / "STS_001" / "PET_mask.nii.gz"))
    assert masks["GTV_Mass"].array.sum() == (sitk.GetArrayFromImage(published) > 0).sum()
