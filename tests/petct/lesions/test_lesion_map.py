"""Lesions: components, names, organs, matching, against counts made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from petct.dicom.regions import RoiMask
from petct.errors import MaskError
from petct.image.volume import Geometry, Mask
from petct.lesions.delineation import Drawing, DrawnScan, UnreadableDrawing, delineate
from petct.lesions.lesion_map import MaskRules, find_lesions, match_lesions, organ_masks, resample_lesions
from petct.lesions.protocol import Protocol
from petct.lesions.protocol_files import load_protocol

GRID = Geometry((20, 20, 20), (4.0, 4.0, 4.0), (-40.0, -40.0, 100.0))
FINE = Geometry((40, 40, 40), (2.0, 2.0, 2.0), (-41.0, -41.0, 99.0))
RULES = MaskRules(("lesion*",), (("liver", ("liver",)), ("spine", ("vertebra*",))), "lymph_node")
CONTOURS = load_protocol("contours")


def box(name: str, *parts: tuple[slice, slice, slice], grid: Geometry = GRID) -> RoiMask:
    array = np.zeros(grid.shape, dtype=bool)
    for part in parts:
        array[part] = True
    return RoiMask(name, 1, Mask(array, grid), "RTSTRUCT", "1.2.0")


SMALL = (slice(2, 4), slice(2, 4), slice(2, 4))
LARGE = (slice(10, 15), slice(10, 14), slice(10, 13))
LIVER = box("liver", (slice(8, 18), slice(8, 18), slice(8, 18)))


ORGANS = organ_masks([LIVER, box("vertebra L1", (slice(0, 1), slice(0, 1), slice(0, 1)))], RULES)


def test_components_are_lesions_largest_first() -> None:
    found = find_lesions([box("Lesion 1", SMALL, LARGE)], ORGANS, CONTOURS, RULES, GRID)
    assert [(x.lesion_id, x.n_voxels, x.organ) for x in found.lesions] == [
        ("L01", 60, "liver"),
        ("L02", 8, "lymph_node"),
    ]
    assert found.lesions[0].volume_ml == pytest.approx(60 * 0.064)
    # The centre of voxels 10..14, 10..13, 10..12 (z, y, x).
    assert found.lesions[0].centroid_mm == pytest.approx((-40 + 4 * 11, -40 + 4 * 11.5, 100 + 4 * 12))


def test_overlapping_regions_are_counted_once_and_ids_do_not_depend_on_their_order() -> None:
    rois = [
        box("lesion b", LARGE),
        box("LESION a", (slice(12, 16), slice(10, 14), slice(10, 13))),
        box("lesion c", SMALL),
    ]
    found = [find_lesions(order, {}, CONTOURS, RULES, GRID) for order in (rois, rois[::-1])]
    assert found[0].lesions == found[1].lesions
    assert [x.n_voxels for x in found[0].lesions] == [72, 8]
    assert found[0].lesions[0].roi_name == "lesion b"


@pytest.mark.parametrize(("connectivity", "count"), [(6, 2), (18, 1), (26, 1)])
def test_connectivity(connectivity: int, count: int) -> None:
    protocol = Protocol("test", "", connectivity, 0.0, 1)
    edge = box("lesion", (slice(2, 4), slice(2, 4), slice(2, 4)), (slice(2, 4), slice(4, 6), slice(4, 6)))
    assert len(find_lesions([edge], {}, protocol, RULES, GRID).lesions) == count


def test_a_component_below_the_minimum_volume_is_no_lesion() -> None:
    protocol = Protocol("test", "", 26, 0.6, 1)
    found = find_lesions([box("lesion", SMALL, LARGE)], {}, protocol, RULES, GRID)
    assert [x.n_voxels for x in found.lesions] == [60]
    assert np.count_nonzero(found.labels) == 60


def test_lesions_drawn_on_the_ct_take_the_ids_of_those_on_the_pet() -> None:
    reference = find_lesions([box("lesion", SMALL, LARGE)], {}, CONTOURS, RULES, GRID)
    # On the finer CT the small lesion is drawn larger than the large one, which falls into two; a third is new.
    on_ct = find_lesions(
        [
            box("lesion s", (slice(2, 12), slice(2, 12), slice(2, 12)), grid=FINE),
            box(
                "lesion l",
                (slice(20, 23), slice(20, 28), slice(20, 26)),
                (slice(25, 30), slice(20, 28), slice(20, 26)),
                grid=FINE,
            ),
            box("lesion n", (slice(36, 39), slice(36, 39), slice(2, 5)), grid=FINE),
        ],
        {},
        CONTOURS,
        RULES,
        FINE,
    )
    matched = match_lesions(on_ct, reference)
    assert {x.lesion_id: x.n_voxels for x in matched.lesions} == {"L01": 3 * 48 + 5 * 48, "L02": 1000, "L03": 27}
    assert np.count_nonzero(matched.labels) == np.count_nonzero(on_ct.labels)


def test_resampled_lesions_keep_ids_organ_and_volume() -> None:
    found = find_lesions([box("lesion", SMALL, LARGE)], ORGANS, CONTOURS, RULES, GRID)
    moved = resample_lesions(found, FINE)
    assert [(x.lesion_id, x.organ) for x in moved.lesions] == [("L01", "liver"), ("L02", "lymph_node")]
    # Each coarse voxel holds exactly eight fine ones; only edges and corners of the box may be rounded.
    assert moved.lesions[0].volume_ml == pytest.approx(found.lesions[0].volume_ml, rel=0.1)


def delineated(*drawings: Drawing, unreadable: tuple[UnreadableDrawing, ...] = (), modality: str = "PT") -> Any:
    return delineate(modality, DrawnScan({"PT": GRID, "CT": FINE}, drawings, unreadable), CONTOURS, RULES)


def drawing(modality: str, source: str, uid: str, *rois: RoiMask) -> Drawing:
    return Drawing(modality, source, uid, tuple(roi.name for roi in rois), rois)


PET_DRAWING = drawing("PT", "RTSTRUCT", "1.2.3", box("lesion", LARGE))
CT_DRAWING = drawing("CT", "SEG", "1.2.4", box("lesion", (slice(20, 30), slice(20, 28), slice(20, 26)), grid=FINE))


def test_contours_of_the_other_image_are_resampled_only_where_there_are_none() -> None:
    assert delineated(PET_DRAWING, CT_DRAWING, modality="CT").source == "SEG"
    moved = delineated(PET_DRAWING, modality="CT")
    assert (moved.source, moved.series_instance_uid) == ("RESAMPLED", "1.2.3")
    assert delineated(CT_DRAWING).source == "RESAMPLED"


@pytest.mark.parametrize(
    ("unreadable", "refused"),
    [
        (UnreadableDrawing("PT", "DICOM_UNREADABLE"), {"PT"}),
        (UnreadableDrawing(None, "DICOM_UNREADABLE"), {"PT"}),
        (UnreadableDrawing(None, "INDEX_FILE_UNREADABLE", is_contours=False), {"PT"}),
    ],
)
def test_unreadable_contours_are_never_replaced_by_others(unreadable: UnreadableDrawing, refused: set[str]) -> None:
    for modality in ("PT", "CT"):
        if modality in refused:
            with pytest.raises(MaskError, match="CONTOURS_UNREADABLE"):
                delineated(CT_DRAWING, unreadable=(unreadable,), modality=modality)
        else:
            assert delineated(CT_DRAWING, unreadable=(unreadable,), modality=modality).source == "SEG"


def test_nothing_drawn_is_not_the_same_as_no_contours() -> None:
    empty = delineated(drawing("PT", "RTSTRUCT", "1.2.3"))
    assert empty.lesions.lesions == ()
    organs_only = drawing("PT", "SEG", "1.2.5", LIVER)
    assert delineated(organs_only, drawing("PT", "RTSTRUCT", "1.2.3")).lesions.lesions == ()
    with pytest.raises(MaskError, match="CONTOURS_MISSING"):
        delineated(organs_only)
    with pytest.raises(MaskError, match=r"ROI_NAMES_UNMATCHED.*Heart"):
        delineated(drawing("PT", "RTSTRUCT", "1.2.3", box("Heart", LARGE)))


def test_an_image_without_tumour_against_one_with_it_is_refused() -> None:
    with pytest.raises(MaskError, match="CONTOURS_CONTRADICT"):
        delineated(drawing("PT", "RTSTRUCT", "1.2.3"), CT_DRAWING)
    assert delineated(drawing("PT", "RTSTRUCT", "1.2.3"), CT_DRAWING, modality="CT").lesions.lesions


def test_several_files_of_one_image_may_not_show_the_same_tumour() -> None:
    second = drawing("PT", "RTSTRUCT", "1.2.6", box("lesion", (slice(12, 16), slice(10, 14), slice(10, 13))))
    with pytest.raises(MaskError, match="CONTOURS_AMBIGUOUS"):
        delineated(PET_DRAWING, second)
    elsewhere = drawing("PT", "RTSTRUCT", "1.2.6", box("lesion", SMALL))
    assert len(delineated(PET_DRAWING, elsewhere).lesions.lesions) == 2


def test_regions_that_are_neither_tumour_nor_organ_do_not_matter() -> None:
    with_couch = Drawing("PT", "RTSTRUCT", "1.2.3", ("Couch", "lesion"), (box("lesion", LARGE),))
    assert len(delineated(with_couch).lesions.lesions) == 1


def test_without_the_mask_of_every_organ_elsewhere_is_unknown() -> None:
    found = [find_lesions([box("lesion", SMALL)], organs, CONTOURS, RULES, GRID) for organs in (ORGANS, {})]
    assert [x.lesions[0].organ for x in found] == ["lymph_node", "unknown"]


def test_resampling_says_what_it_did_to_the_volume() -> None:
    # Seven fine voxels a side are no whole number of coarse ones.
    odd = drawing("CT", "SEG", "1.2.4", box("lesion", (slice(20, 27),) * 3, grid=FINE))
    moved = delineated(odd)
    assert moved.drawn_volume_ml == pytest.approx(343 * 0.008)
    assert moved.lesions.lesions[0].volume_ml != pytest.approx(moved.drawn_volume_ml, rel=0.01)
    assert delineated(PET_DRAWING).drawn_volume_ml == delineated(PET_DRAWING).lesions.lesions[0].volume_ml
