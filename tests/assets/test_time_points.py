"""Lesions of one time point against those of the next: matched in one frame of reference, otherwise not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from assets.steps.matching import time_point_matches, unaligned_time_points
from petct.dicom.regions import RoiMask
from petct.image.volume import Geometry, Mask
from petct.lesions.lesion_map import LesionMap, MaskRules, find_lesions
from petct.lesions.protocol_files import load_protocol

CONTOURS = load_protocol("contours")


def _lesions(*corners: int, origin: float = 0.0) -> LesionMap:
    grid = Geometry((12, 12, 12), (4.0, 4.0, 4.0), (origin, origin, origin))
    array = np.zeros(grid.shape, dtype=bool)
    for corner in corners:
        array[corner : corner + 2, 2:4, 2:4] = True
    roi = RoiMask("lesion", 1, Mask(array, grid), "RTSTRUCT", "1.2.0")
    return find_lesions([roi], {}, CONTOURS, MaskRules(("lesion",)), grid)


def _patient(*frames: str | None) -> SimpleNamespace:
    """Scans S2, S1, ... in the wrong order, on PETs with these frames of reference."""
    scans = []
    for point, frame in enumerate(frames, start=1):
        pet = SimpleNamespace(frame_of_reference_uid=frame)
        scans.append(SimpleNamespace(scan_id=f"S{point}", time_point=point, require_pet=lambda pet=pet: pet))
    return SimpleNamespace(
        patient_id="P1", settings=SimpleNamespace(protocols=(CONTOURS,)), scan_series=lambda: tuple(scans[::-1])
    )


def test_each_time_point_is_matched_with_the_next_in_one_frame_of_reference() -> None:
    data = _patient("1.2", "1.2", "1.2")
    maps = {
        ("S1", CONTOURS.protocol_id): _lesions(0, 6),
        # Another grid of the same room: its first voxel lies one voxel further.
        ("S2", CONTOURS.protocol_id): _lesions(5, 9, origin=4.0),
        ("S3", CONTOURS.protocol_id): _lesions(6, 10),
    }
    assert [
        (r.first_scan_id, r.second_scan_id, r.kind, r.first_lesion_id, r.second_lesion_id)
        for r in time_point_matches(data, maps)
    ] == [
        ("S1", "S2", "SAME", "L02", "L01"),
        ("S1", "S2", "LOST", "L01", None),
        ("S1", "S2", "NEW", None, "L02"),
        ("S2", "S3", "SAME", "L01", "L01"),
        ("S2", "S3", "SAME", "L02", "L02"),
    ]
    assert unaligned_time_points(data) == []


@pytest.mark.parametrize("frames", [("1.2", "1.3"), (None, None), ("1.2", None)])
def test_without_a_common_frame_of_reference_nothing_is_matched_and_that_is_said(
    frames: tuple[str | None, ...],
) -> None:
    data = _patient(*frames)
    maps = {(scan, CONTOURS.protocol_id): _lesions(0, 6) for scan in ("S1", "S2")}
    (row,) = time_point_matches(data, maps)
    assert (row.kind, row.first_scan_id, row.second_scan_id, row.dice) == ("NOT_COMPARABLE", "S1", "S2", None)
    (said,) = unaligned_time_points(data)
    assert (said.scan_id, said.code) == ("S2", "TIME_POINTS_NOT_ALIGNED")
