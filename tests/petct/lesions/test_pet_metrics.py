"""PET metrics against values worked out by hand, and what must hold of any lesions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.spatial.transform import Rotation

from petct.dicom.regions import RoiMask
from petct.errors import MaskError
from petct.image.volume import Geometry, Mask, Volume
from petct.lesions.lesion_map import LesionMap, MaskRules, find_lesions, organ_masks
from petct.lesions.pet_metrics import Comparison, krenning_score, measure
from petct.lesions.protocol import KrenningRatios
from petct.lesions.protocol_files import load_protocol
from petct.suv.body_size import LeanBodyMass, lean_body_mass_janmahasatian_kg
from records.features import PetMetrics
from tests.some import some

GRID = Geometry((6, 6, 6), (2.0, 2.5, 4.0), (0.0, 0.0, 0.0))
VOXEL_ML = 0.02
RULES = MaskRules(("lesion",), (("liver", ("liver",)),))
# A man of 80 kg and 1.8 m: 9270 / (6680 + 216 x 24.69) of his weight is lean.
LEAN_SHARE = lean_body_mass_janmahasatian_kg(80.0, 1.8, "M") / 80.0


def rows(suv: np.ndarray, tumour: np.ndarray, liver: np.ndarray | None = None) -> dict[tuple[str, str], PetMetrics]:
    rois = [RoiMask("lesion", 1, Mask(tumour, GRID), "RTSTRUCT", "1.2.0")]
    organs = [] if liver is None else [RoiMask("liver", 2, Mask(liver, GRID), "SEG", "1.2.0")]
    lesions = find_lesions(rois, organ_masks(organs, RULES), load_protocol("contours"), RULES, GRID)
    compared = Comparison(liver_suv_mean=4.0, spleen_suv_mean=10.0, body_surface_area_m2=2.0, sul_per_suv=LEAN_SHARE)
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


def test_sul_is_suv_by_the_lean_share_of_the_weight_at_every_grain() -> None:
    assert pytest.approx(9270 / (6680 + 216 * 80 / 1.8**2), rel=1e-12) == LEAN_SHARE
    suv = np.ones(GRID.shape, dtype=np.float32)
    tumour = np.zeros(GRID.shape, dtype=bool)
    tumour[0, 0, :4], tumour[5, 5, 4:] = True, True
    suv[0, 0, :4], suv[5, 5, 4:] = [2, 4, 6, 12], [3, 5]
    found = rows(suv, tumour, np.ones(GRID.shape, dtype=bool))
    assert {grain for grain, _ in found} == {"lesion", "organ", "patient"}
    patient = found["patient", "all"]
    assert (patient.sul_max, patient.sul_mean) == (
        pytest.approx(12 * LEAN_SHARE, rel=1e-12),
        pytest.approx(32 / 6 * LEAN_SHARE, rel=1e-12),
    )
    assert patient.total_lesion_expression_sul_ml == pytest.approx(32 * VOXEL_ML * LEAN_SHARE, rel=1e-12)
    for row in some(found.values()):
        assert (row.sul_formula, row.sul_status) == ("janmahasatian", "COMPUTED")
        assert row.sul_peak == pytest.approx(row.suv_peak_percist * LEAN_SHARE, rel=1e-12)
        # The image in SUL, measured as if it were one in SUV.
    for key, row in some(rows(suv * np.float32(0.5), tumour, np.ones(GRID.shape, dtype=bool)).items()):
        assert found[key].sul_peak * 0.5 == pytest.approx(row.sul_peak, rel=1e-6)


def test_without_a_body_size_there_is_no_sul_but_a_reason() -> None:
    suv, tumour = np.ones(GRID.shape, dtype=np.float32), np.zeros(GRID.shape, dtype=bool)
    compared = Comparison(sul_reason="SUV_SIZE_MISSING", sul_formula=LeanBodyMass.JAMES)
    for voxels, status, expression in ((0, "NOT_APPLICABLE", 0.0), (3, "SUV_SIZE_MISSING", None)):
        tumour[2, 2, :voxels] = True
        rois = [RoiMask("lesion", 1, Mask(tumour, GRID), "RTSTRUCT", "1.2.0")]
        lesions = find_lesions(rois, {}, load_protocol("contours"), RULES, GRID)
        *_, patient = measure(Volume(suv, GRID), lesions, compared, patient_id="P", scan_id="S", protocol_id="contours")
        assert (patient.sul_max, patient.sul_mean, patient.sul_peak) == (None, None, None)
        assert (patient.total_lesion_expression_sul_ml, patient.sul_status) == (expression, status)
        assert patient.sul_formula == "james"


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


@settings(max_examples=30)
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
        for total in ("total_lesion_expression_ml", "total_lesion_expression_sul_ml"):
            expression = sum(getattr(row, total) for row in parts)
            assert expression == pytest.approx(getattr(patient, total), rel=1e-9, abs=1e-12)


_CORNER = np.zeros(GRID.shape, dtype=bool)
_CORNER[0, 0, 0] = True


@settings(max_examples=20)
@given(
    tumour=npst.arrays(bool, GRID.shape, elements=st.booleans(), fill=st.just(False)),
    seed=st.integers(0, 2**32 - 1),
    order=st.permutations([0, 1, 2]),
    reverse=st.sets(st.sampled_from([0, 1, 2])),
    shift=st.tuples(*[st.integers(-500, 500)] * 3),
    turn=st.tuples(*[st.floats(-3, 3)] * 3),
)
@example(_CORNER, 0, [0, 1, 2], set(), (0, 0, 0), (2.9999999999999996, 0.375, 0.015625))
def test_no_metric_changes_with_the_order_of_the_axes_or_the_place_of_the_patient(
    tumour: np.ndarray,
    seed: int,
    order: list[int],
    reverse: set[int],
    shift: tuple[int, int, int],
    turn: tuple[float, float, float],
) -> None:
    """The same voxels, stored with their axes in another order and direction, in a room that was turned and shifted."""
    suv = np.random.default_rng(seed).gamma(2.0, 3.0, GRID.shape).astype(np.float32)

    def stored(array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.flip(array.transpose(order), tuple(sorted(reverse))))

    before = _measured(GRID, suv, tumour)
    after = _measured(_seen(order, reverse, shift, turn), stored(suv), stored(tumour))
    assert before.keys() == after.keys()
    for grain, expected in some(before.items()):
        for one, other in some(zip(expected, after[grain], strict=True)):
            assert one == pytest.approx(other, abs=2e-4)


def _seen(
    order: list[int], reverse: set[int], shift: tuple[int, int, int], turn: tuple[float, float, float]
) -> Geometry:
    """The geometry of the stored array whose voxels lie where those of ``GRID`` do, turned and shifted."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1.0
    for axis, before in enumerate(order):
        step = GRID.spacing_mm[2 - before]
        # Columns of the affine are x, y, z: the last axis of the array first.
        affine[2 - before, 2 - axis] = -step if axis in reverse else step
        affine[2 - before, 3] = (GRID.shape[before] - 1) * step if axis in reverse else 0.0
    rigid = np.eye(4)
    rigid[:3, :3], rigid[:3, 3] = Rotation.from_rotvec(turn).as_matrix(), shift
    shape = tuple(GRID.shape[axis] for axis in order)
    return Geometry.from_affine(rigid @ affine, (shape[0], shape[1], shape[2]))


def _measured(geometry: Geometry, image: np.ndarray, mask: np.ndarray) -> dict[str, list[tuple[object, ...]]]:
    roi = RoiMask("lesion", 1, Mask(mask, geometry), "RTSTRUCT", "1.2.0")
    lesions = find_lesions([roi], {}, load_protocol("contours"), RULES, geometry)
    compared = Comparison(4.0, 10.0, 2.0, sul_per_suv=LEAN_SHARE)
    found = measure(Volume(image, geometry), lesions, compared, patient_id="P", scan_id="S", protocol_id="contours")
    # Of equally large lesions the first voxel decides the name; the values do not depend on it.
    values: dict[str, list[tuple[object, ...]]] = {}
    for row in found:
        values.setdefault(row.grain, []).append(
            tuple(None if value is None else round(float(value), 4) for value in _numbers(row))
        )
    return {grain: sorted(rows_, key=repr) for grain, rows_ in values.items()}


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
        *(row.sul_max, row.sul_mean, row.sul_peak, row.total_lesion_expression_sul_ml),
    )
