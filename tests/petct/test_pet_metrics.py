"""PET metrics against values worked out by hand, and what must hold of any lesions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from petct.dicom.masks import RoiMask
from petct.errors import MaskError
from petct.lesions import LesionMap, MaskRules, find_lesions, organ_masks
from petct.pet_metrics import Comparison, PetMetrics, krenning_score, measure
from petct.segmentation import KrenningRatios, load_protocol
from petct.volume import Geometry, Mask, Volume

GRID = Geometry((6, 6, 6), (2.0, 2.5, 4.0), (0.0, 0.0, 0.0))
VOXEL_ML = 0.02
RULES = MaskRules(("lesion",), (("liver", ("liver",)),))


def rows(suv: np.ndarray, tumour: np.ndarray, liver: np.ndarray | None = None) -> dict[tuple[str, str], PetMetrics]:
    rois = [RoiMask("lesion", 1, Mask(tumour, GRID), "RTSTRUCT", "1.2.0")]
    organs = [] if liver is None else [RoiMask("liver", 2, Mask(liver, GRID), "SEG", "1.2.0")]
    lesions = find_lesions(rois, organ_masks(organs, RULES), load_protocol("contours"), RULES, GRID)
    compared = Comparison(liver_suv_mean=4.0, spleen_suv_mean=10.0, body_surface_area_m2=2.0)
    measured = measure(Volume(suv, GRID), lesions, compared, patient_id="P", scan_id="S", protocol_id="contours")
    return {(row.grain, row.region): row for row in measured}


def test_values_worked_out_by_hand() -> None:
    suv = np.ones(GRID.shape, dtype=np.float32)
    tumour, liver = np.zeros(GRID.shape, dtype=bool), np.zeros(GRID.shape, dtype=bool)
    tumour[0, 0, :4] = True
    suv[0, 0, :4] = [2, 4, 6, 12]
    tumour[5, 5, 4:] = True
    suv[5, 5, 4:] = [3, 5]
    liver[5] = True
    found = rows(suv, tumour, liver)
    lesion = found["lesion", "L01"]
    assert (lesion.suv_max, lesion.suv_mean, lesion.suv_median, lesion.suv_min) == (12, 6, 5, 2)
    assert lesion.suv_sd == pytest.approx(np.sqrt(14))
    assert lesion.volume_ml == pytest.approx(4 * VOXEL_ML)
    assert lesion.total_lesion_expression_ml == pytest.approx(4 * VOXEL_ML * 6)
    assert found["organ", "liver"].volume_ml == pytest.approx(2 * VOXEL_ML)
    patient = found["patient", "all"]
    assert (patient.n_lesions, patient.n_voxels, patient.suv_max) == (2, 6, 12)
    assert patient.suv_mean == pytest.approx(32 / 6)
    assert patient.total_lesion_expression_ml == pytest.approx(32 * VOXEL_ML)
    # Centres of voxels (x, y, z) 0..3, 0, 0 and 4..5, 5, 5, in voxels of 2 x 2.5 x 4 mm.
    distance = np.sqrt((2 * 3.0) ** 2 + (2.5 * 5) ** 2 + (4 * 5) ** 2)
    assert patient.dispersion_mm == pytest.approx(distance)
    assert patient.dispersion_per_bsa_mm_per_m2 == pytest.approx(distance / 2)
    assert (lesion.dispersion_mm, patient.largest_lesion_ml) == (0.0, pytest.approx(4 * VOXEL_ML))
    assert [found["organ", organ].volume_share for organ in ("liver", "unassigned")] == pytest.approx([2 / 6, 4 / 6])
    assert (patient.suv_max_to_liver, patient.suv_max_to_spleen) == (3.0, 1.2)
    assert (patient.krenning_score, found["organ", "liver"].krenning_score) == (4, 3)


def test_a_patient_without_tumour_has_a_volume_of_zero_and_no_uptake() -> None:
    found = rows(np.ones(GRID.shape, dtype=np.float32), np.zeros(GRID.shape, dtype=bool))
    assert set(found) == {("patient", "all")}
    patient = found["patient", "all"]
    assert (patient.n_lesions, patient.volume_ml, patient.total_lesion_expression_ml) == (0, 0.0, 0.0)
    assert (patient.suv_max, patient.suv_mean, patient.uptake_status) == (None, None, "NOT_APPLICABLE")


@pytest.mark.parametrize(
    ("suv_max", "liver", "spleen", "score", "status"),
    [
        (None, None, None, 0, "COMPUTED"),
        (3.5, 4.0, 10.0, 1, "COMPUTED"),
        (3.6, 4.0, 10.0, 2, "COMPUTED"),
        (4.4, 4.0, 10.0, 2, "COMPUTED"),
        (4.5, 4.0, 10.0, 3, "COMPUTED"),
        (10.0, 4.0, 10.0, 3, "COMPUTED"),
        (10.1, 4.0, 10.0, 4, "COMPUTED"),
        (3.5, 4.0, None, 1, "COMPUTED"),
        (4.5, 4.0, None, None, "SPLEEN_REFERENCE_MISSING"),
        (4.5, None, 10.0, None, "LIVER_REFERENCE_MISSING"),
    ],
)
def test_the_krenning_score_has_a_grade_or_a_reason(
    suv_max: float | None, liver: float | None, spleen: float | None, score: int | None, status: str
) -> None:
    assert krenning_score(suv_max, liver, spleen, KrenningRatios()) == (score, status)


def test_an_image_on_another_grid_is_refused() -> None:
    other = Geometry(GRID.shape, GRID.spacing_mm, (1.0, 0.0, 0.0))
    lesions = LesionMap(np.zeros(GRID.shape, dtype=np.uint16), GRID, ())
    with pytest.raises(MaskError, match="GRID_MISMATCH"):
        measure(
            Volume(np.zeros(GRID.shape), other),
            lesions,
            Comparison(),
            patient_id="P",
            scan_id="S",
            protocol_id="contours",
        )


@given(
    tumour=npst.arrays(bool, GRID.shape, elements=st.booleans(), fill=st.just(False)),
    suv=npst.arrays(np.float32, GRID.shape, elements=st.floats(0, 100, width=32)),
)
def test_lesions_and_organs_sum_to_the_patient(tumour: np.ndarray, suv: np.ndarray) -> None:
    found = rows(suv, tumour)
    patient = found["patient", "all"]
    for grain in ("lesion", "organ"):
        parts = [row for (of, _), row in found.items() if of == grain]
        assert sum(row.n_voxels for row in parts) == patient.n_voxels == np.count_nonzero(tumour)
        assert sum(row.volume_ml for row in parts) == pytest.approx(patient.volume_ml)
        expression = sum(row.total_lesion_expression_ml for row in parts)
        assert expression == pytest.approx(patient.total_lesion_expression_ml, rel=1e-9, abs=1e-12)


@settings(max_examples=20)
@given(
    tumour=npst.arrays(bool, GRID.shape, elements=st.booleans(), fill=st.just(False)),
    seed=st.integers(0, 2**32 - 1),
    axes=st.sets(st.sampled_from([0, 1, 2])),
    shift=st.tuples(*[st.integers(-500, 500)] * 3),
)
def test_no_metric_changes_with_the_order_of_an_axis_or_the_place_of_the_origin(
    tumour: np.ndarray, seed: int, axes: set[int], shift: tuple[int, int, int]
) -> None:
    suv = np.random.default_rng(seed).gamma(2.0, 3.0, GRID.shape).astype(np.float32)
    flipped = tuple(sorted(axes))
    # The same voxels at the same places, counted from the other end, in a room whose zero lies elsewhere.
    last = [(GRID.shape[2 - i] - 1) * GRID.spacing_mm[i] if 2 - i in axes else 0.0 for i in range(3)]
    signs = [-1.0 if 2 - i in axes else 1.0 for i in range(3)]
    x, y, z = (float(a + b) for a, b in zip(last, shift, strict=True))
    moved = Geometry(GRID.shape, GRID.spacing_mm, (x, y, z), tuple(np.diag(signs).ravel()))

    def measured(geometry: Geometry, image: np.ndarray, mask: np.ndarray) -> dict[str, list[tuple[object, ...]]]:
        roi = RoiMask("lesion", 1, Mask(np.ascontiguousarray(mask), geometry), "RTSTRUCT", "1.2.0")
        lesions = find_lesions([roi], {}, load_protocol("contours"), RULES, geometry)
        compared = Comparison(4.0, 10.0, 2.0)
        found = measure(Volume(image, geometry), lesions, compared, patient_id="P", scan_id="S", protocol_id="contours")
        # Of equally large lesions the first voxel decides the name; the values do not depend on it.
        values: dict[str, list[tuple[object, ...]]] = {}
        for row in found:
            values.setdefault(row.grain, []).append(
                tuple(None if value is None else round(float(value), 4) for value in _numbers(row))
            )
        return {grain: sorted(rows_, key=repr) for grain, rows_ in values.items()}

    before = measured(GRID, suv, tumour)
    after = measured(moved, np.ascontiguousarray(np.flip(suv, flipped)), np.flip(tumour, flipped))
    assert before.keys() == after.keys()
    for grain, expected in before.items():
        for one, other in zip(expected, after[grain], strict=True):
            assert one == pytest.approx(other, abs=2e-4)


def _numbers(row: PetMetrics) -> tuple[float | None, ...]:
    return (
        *(row.n_lesions, row.n_voxels, row.volume_ml, row.volume_share, row.largest_lesion_ml, row.dispersion_mm),
        *(row.dispersion_per_bsa_mm_per_m2, row.suv_max, row.suv_mean, row.suv_median, row.suv_min, row.suv_sd),
        *(
            row.suv_peak_local,
            row.suv_peak_global,
            row.suv_peak_percist,
            row.suv_max_to_liver,
            row.suv_max_to_spleen,
            row.krenning_score,
        ),
        row.total_lesion_expression_ml,
    )
