"""Contours and segmentations, rasterised by an independent rule, give back the voxelised truth exactly."""

from __future__ import annotations

import highdicom
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from petct.synthetic.anatomy import ORGANS
from petct.synthetic.contours import outlines
from tests.petct.synthetic.written import WRITTEN, WrittenPatient
from tests.some import some


def fill(polygons: list[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Even-odd rule at pixel centres, half-open scanlines: an edge counts when it begins on or below the line."""
    inside = np.zeros(shape, dtype=bool)
    columns = np.arange(shape[1])
    for polygon in polygons:
        for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            for row in range(shape[0]):
                if (y1 <= row) != (y2 <= row):
                    inside[row] ^= columns < x1 + (row - y1) * (x2 - x1) / (y2 - y1)
    return inside


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.booleans()))
def test_outlines_of_any_mask_fill_to_that_mask(mask: NDArray[np.bool_]) -> None:
    polygons = outlines(mask)
    assert np.array_equal(fill(polygons, mask.shape), mask)  # type: ignore[arg-type]
    if not mask.any():
        return
    for polygon in some(polygons):
        steps = np.diff(polygon, axis=0, append=polygon[:1])
        assert np.all((steps == 0).sum(axis=1) == 1), "edges run along the pixels"
        turns = steps * np.roll(steps, 1, axis=0)
        assert np.all(turns.sum(axis=1) == 0), "only corners are written"


def test_outlines_keep_holes_and_islands() -> None:
    mask = np.zeros((7, 9), dtype=bool)
    mask[1:6, 1:6] = True
    mask[3, 3] = False
    mask[1, 7] = True
    polygons = outlines(mask)
    assert sorted(len(polygon) for polygon in polygons) == [4, 4, 4]
    assert np.array_equal(fill(polygons, (7, 9)), mask)


def test_structure_set_gives_back_every_lesion(written: dict[int, WrittenPatient]) -> None:
    patient = written[1]
    structures = pydicom.dcmread(patient.folder / "RTSTRUCT" / "0001.dcm")
    truth = patient.voxels["lesions"]
    inverse = np.linalg.inv(patient.voxels["affine"])
    by_uid = {s.SOPInstanceUID: k for k, s in enumerate(patient.pet)}
    names = {roi.ROINumber: roi.ROIName for roi in structures.StructureSetROISequence}
    assert names == {n: f"Lesion {n:02d}" for n in range(1, patient.record.n_lesions + 1)}
    assert structures.SeriesDescription == "Tumour segmentation"
    for roi in some(structures.ROIContourSequence):
        mask = np.zeros(truth.shape, dtype=bool)
        slices: dict[int, list[NDArray[np.float64]]] = {}
        for contour in some(roi.ContourSequence):
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            index = np.column_stack([points, np.ones(len(points))]) @ inverse.T
            k = round(index[0, 2])
            assert by_uid[contour.ContourImageSequence[0].ReferencedSOPInstanceUID] == k
            assert contour.NumberOfContourPoints == len(points)
            slices.setdefault(k, []).append(index[:, :2])
        for k, polygons in slices.items():
            mask[k] = fill(polygons, truth.shape[1:])  # type: ignore[arg-type]
        assert np.array_equal(mask, truth == roi.ReferencedROINumber)


def test_structure_set_refers_to_the_pet_series(written: dict[int, WrittenPatient]) -> None:
    patient = written[1]
    structures = pydicom.dcmread(patient.folder / "RTSTRUCT" / "0001.dcm")
    frame = structures.ReferencedFrameOfReferenceSequence[0]
    series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert frame.FrameOfReferenceUID == patient.pet[0].FrameOfReferenceUID
    assert series.SeriesInstanceUID == patient.pet[0].SeriesInstanceUID
    assert len(series.ContourImageSequence) == len(patient.pet)


def test_nothing_drawn_is_not_the_same_as_never_read(written: dict[int, WrittenPatient]) -> None:
    patient = written[7]
    structures = pydicom.dcmread(patient.folder / "RTSTRUCT" / "0001.dcm")
    assert "StructureSetROISequence" in structures
    assert len(structures.StructureSetROISequence) == 0
    assert structures.StructureSetDescription == "Read: no lesion"
    assert patient.record.n_lesions == 0
    assert not patient.voxels["lesions"].any()


def _segments(path: object) -> highdicom.seg.Segmentation:
    return highdicom.seg.segread(path)  # type: ignore[arg-type]


def _labels(segmentation: highdicom.seg.Segmentation) -> list[str]:
    return [segmentation.get_segment_description(n).segment_label for n in segmentation.segment_numbers]


def _masks(segmentation: highdicom.seg.Segmentation, patient: WrittenPatient) -> NDArray[np.generic]:
    return np.asarray(
        segmentation.get_pixels_by_source_instance(
            source_sop_instance_uids=[s.SOPInstanceUID for s in patient.pet],
            combine_segments=True,
            ignore_spatial_locations=True,
            assert_missing_frames_are_empty=True,
        )
    )


def test_tumour_segmentation_gives_back_every_lesion(written: dict[int, WrittenPatient]) -> None:
    patient = written[2]
    assert not (patient.folder / "RTSTRUCT").exists()
    segmentation = _segments(patient.folder / "SEG_tumour" / "0001.dcm")
    names = _labels(segmentation)
    assert names == [f"Lesion {n:02d}" for n in range(1, patient.record.n_lesions + 1)]
    assert segmentation.SeriesDescription == "Tumour segmentation"
    assert segmentation.SegmentationType == "BINARY"
    assert np.array_equal(_masks(segmentation, patient), patient.voxels["lesions"])


@pytest.mark.parametrize("number", WRITTEN)
def test_organ_segmentation_gives_back_every_organ(written: dict[int, WrittenPatient], number: int) -> None:
    patient = written[number]
    segmentation = _segments(patient.folder / "SEG_organs" / "0001.dcm")
    assert _labels(segmentation) == list(ORGANS)
    assert segmentation.SeriesDescription == "Organ segmentation"
    assert segmentation.NumberOfFrames < len(ORGANS) * len(patient.pet), "empty frames are left out"
    assert np.array_equal(_masks(segmentation, patient), patient.voxels["organs"])
    assert np.unique(patient.voxels["organs"]).tolist() == list(range(len(ORGANS) + 1))
