"""The radiomics exam: its result on IBSI's data, and that it fails where it must."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from petct.conformance import radiomics
from petct.conformance.exam import Exam, ExamLine, Verdict
from petct.conformance.ibsi_own_processing import explained
from petct.conformance.ibsi_preparation import Configuration, Phantom, prepare
from petct.conformance.radiomics import Reference, within_tolerance
from petct.errors import FeatureError
from petct.image.volume import Geometry, Mask, Volume
from petct.radiomics.definitions import ORIGINAL_FEATURES
from petct.radiomics.ibsi import IBSI_FEATURES
from tests.some import some

FEATURE_SET = "digital phantom, the 107 features"


@pytest.fixture(scope="module")
def ibsi(petlake_data: Path) -> Path:
    return petlake_data / "ibsi"


@pytest.fixture(scope="module")
def taken(ibsi: Path) -> Exam:
    return radiomics.run(ibsi)


def counts(exam: Exam, case: str) -> Counter[Verdict]:
    return Counter(line.verdict for line in exam.lines if line.case == case)


def test_every_line_has_a_name_of_its_own(taken: Exam) -> None:
    assert len({(line.case, line.quantity) for line in taken.lines}) == len(taken.lines) == 2649


def test_99_of_the_107_match_and_the_others_are_known(taken: Exam) -> None:
    assert counts(taken, FEATURE_SET) == {Verdict.PASS: 99, Verdict.KNOWN_DIFFERENCE: 8}
    different = {line.quantity for line in taken.lines if line.case == FEATURE_SET and line.verdict is not Verdict.PASS}
    said = {definition.feature_name for definition in ORIGINAL_FEATURES if definition.ibsi_difference}
    assert different <= said


@pytest.mark.parametrize(
    ("case", "passed", "known", "not_computed"),
    [
        ("digital phantom", 364, 27, 96),
        ("configuration A", 309, 23, 79),
        ("configuration B", 309, 23, 79),
        ("configuration C", 169, 44, 62),
        ("configuration D", 200, 13, 62),
        ("configuration E", 200, 13, 62),
    ],
)
def test_every_reference_value_is_explained(
    taken: Exam, ibsi: Path, case: str, passed: int, known: int, not_computed: int
) -> None:
    name = "dig_phantom" if case == "digital phantom" else f"chest_config_{case[-1].lower()}"
    rows = (ibsi / "reference" / f"ibsi_1_{name}.csv").read_text(encoding="utf-8").splitlines()
    assert passed + known + not_computed == len(rows) - 1
    assert counts(taken, case) == {
        Verdict.PASS: passed,
        Verdict.KNOWN_DIFFERENCE: known,
        Verdict.NOT_COMPUTED: not_computed,
    }
    assert taken.passed
    assert all(line.note for line in some(line for line in taken.lines if line.verdict is not Verdict.PASS))


@pytest.mark.parametrize(("name", "passed", "known"), [("A", 101, 1), ("B", 50, 52), ("C", 21, 81), ("D", 19, 83)])
def test_pyradiomics_own_processing_is_told_apart(taken: Exam, name: str, passed: int, known: int) -> None:
    case = f"configuration {name}, own processing"
    assert counts(taken, case) == {Verdict.PASS: passed, Verdict.KNOWN_DIFFERENCE: known}
    different = [line for line in taken.lines if line.case == case and line.verdict is Verdict.KNOWN_DIFFERENCE]
    assert all("on the image processed by IBSI's rules the same feature gives" in line.note for line in some(different))


def test_a_feature_that_is_wrong_on_ibsis_image_excuses_nothing() -> None:
    wrong = ExamLine("configuration C", "stat_mean", "-49", "3", "2.9", Verdict.FAIL, "")
    assert explained("own", 5.0, same=False, on_ibsi_image=wrong).verdict is Verdict.FAIL
    assert explained("own", -49.0, same=True, on_ibsi_image=wrong).verdict is Verdict.PASS


def test_the_processing_meets_every_value_that_ibsi_calls_diagnostic(taken: Exam) -> None:
    diagnostic = [line for line in taken.lines if line.quantity.endswith(("_img", "_roi"))]
    assert len(diagnostic) == 5 * 60
    assert {line.verdict for line in diagnostic} == {Verdict.PASS}


@pytest.mark.parametrize(
    ("old", "new", "quantity"),
    [
        ("2.15;0;stat_mean", "2.16;0;stat_mean", "stat_mean"),
        ("-0.355;0;stat_kurt", "-0.365;0;stat_kurt", "stat_kurt"),
        ("0.0411;0.0003;morph_comp_1", "0.05;0.0003;morph_comp_1", "morph_comp_1"),
        ("2.15;0;stat_mean", "2.15;0;stat_new", "stat_new"),
    ],
    ids=["a match", "a known difference", "a feature left out", "an unknown tag"],
)
def test_a_value_that_is_not_met_fails(ibsi: Path, tmp_path: Path, old: str, new: str, quantity: str) -> None:
    shutil.copytree(ibsi / "digital_phantom", tmp_path / "digital_phantom")
    text = (ibsi / "reference" / "ibsi_1_dig_phantom.csv").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "reference").mkdir()
    # The features of the feature set are looked up by tag, and one of them would be missing.
    rows = text.replace(old, new) if "new" not in new else f"{text.rstrip()}\n{new}\n"
    (tmp_path / "reference" / "ibsi_1_dig_phantom.csv").write_text(rows, encoding="utf-8")

    exam = radiomics.run(tmp_path, configurations=())

    assert not exam.passed
    failed = [line for line in exam.lines if line.verdict is Verdict.FAIL and line.case == "digital phantom"]
    assert [line.quantity for line in failed] == [quantity]


def test_data_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"EXAM_DATA_MISSING.*digital_phantom"):
        radiomics.run(tmp_path)


@pytest.mark.parametrize(
    ("found", "value", "tolerance", "same"),
    [
        (2.1486, "2.15", "0", True),
        (2.1449, "2.15", "0", False),
        (9.2449, "9.31", "0.06", False),
        (125256.0, "125256", "0", True),
        (125257.0, "125256", "0", False),
        (1.6549e9, "1650000000", "0", True),
        (1.656e9, "1650000000", "0", False),
        (0.00155, "0.0016", "5E-05", True),
        (float("nan"), "1", "10", False),
    ],
)
def test_values_match_to_the_digits_of_the_reference(found: float, value: str, tolerance: str, same: bool) -> None:
    assert within_tolerance(found, Reference("x", value, tolerance)) is same


def test_ids_are_ibsis_and_each_stands_for_one_feature(ibsi: Path) -> None:
    known = [feature for feature in IBSI_FEATURES.values() if feature.ibsi_id]
    assert len(known) == len({feature.ibsi_id for feature in known}) == len({feature.tag for feature in known}) == 102
    assert all(len(feature.ibsi_id or "") == 4 for feature in some(known))
    text = (ibsi / "reference" / "ibsi_1_dig_phantom.csv").read_text(encoding="utf-8")
    tags = {radiomics.rules.stem(line.rsplit(";", 1)[-1]) for line in text.splitlines()}
    assert {feature.tag for feature in known} <= tags


def ramp() -> Phantom:
    """Intensities that grow by 3 from voxel to voxel, by 10 from row to row and by 100 from slice to slice."""
    geometry = Geometry((6, 8, 10), (1.5, 1.5, 3.0), (10.0, 20.0, 30.0))
    z, y, x = np.indices(geometry.shape).astype(np.float64)
    array = 100 * z + 10 * y + 3 * x
    mask = np.zeros(geometry.shape, dtype=bool)
    mask[1:5, 2:7, 2:8] = True
    return Phantom(Volume(array, geometry), Mask(mask, geometry))


def test_a_ramp_stays_a_ramp_on_a_grid_with_the_same_centre() -> None:
    phantom = ramp()
    prepared = prepare(phantom, Configuration("x", spacing_mm=(1, 1, 1), bin_width=1))
    grid = prepared.image.geometry
    assert grid.shape == (18, 12, 15)
    old_middle = phantom.image.geometry.to_physical((np.array([phantom.image.geometry.shape[::-1]]) - 1) / 2)
    new_middle = grid.to_physical((np.array([grid.shape[::-1]]) - 1) / 2)
    np.testing.assert_allclose(new_middle, old_middle)
    index = phantom.image.geometry.to_index(grid.to_physical(np.array([[7.0, 6.0, 9.0]])))[0]
    expected = 3 * index[0] + 10 * index[1] + 100 * index[2]
    assert prepared.image.array[9, 6, 7] == np.rint(expected)
    assert prepared.morphological.volume_ml == pytest.approx(phantom.mask.volume_ml, rel=0.02)


def test_range_and_outliers_are_taken_out_of_the_intensity_mask_only() -> None:
    phantom = ramp()
    inside = phantom.image.array[phantom.mask.array]
    ranged = prepare(phantom, Configuration("x", intensity_range=(200, 350), bin_width=25))
    assert int(ranged.intensity.array.sum()) == int(((inside >= 200) & (inside <= 350)).sum()) > 0
    assert ranged.morphological.array.sum() == phantom.mask.array.sum()
    narrowed = prepare(phantom, Configuration("x", outliers_sd=1, bin_count=32))
    kept = phantom.image.array[narrowed.intensity.array]
    assert np.abs(kept - inside.mean()).max() <= inside.std()
    assert kept.size == int((np.abs(inside - inside.mean()) <= inside.std()).sum()) < inside.size


def test_levels_count_from_the_bound_of_the_range_or_fill_the_number_of_bins() -> None:
    phantom = ramp()
    by_width = prepare(phantom, Configuration("x", intensity_range=(100, 1000), bin_width=25))
    values = phantom.image.array[by_width.intensity.array]
    np.testing.assert_array_equal(by_width.levels[by_width.intensity.array], (values - 100) // 25 + 1)
    by_count = prepare(phantom, Configuration("x", bin_count=8))
    levels = by_count.levels[by_count.intensity.array]
    assert (levels.min(), levels.max()) == (1, 8)
    assert not by_count.levels[~by_count.intensity.array].any()
