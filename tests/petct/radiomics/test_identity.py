"""P1: every value equals pyradiomics' ``execute`` on the whole image, on all patients and in all images.

`make test` takes the unfiltered PET of all 20 patients, the unfiltered CT of seven and the filtered images of three;
`make identity` takes all of all.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.petct.radiomics import identity
from tests.petct.radiomics.identity import PATIENTS, Case, Comparison, compare, sts_case

EVERYTHING = bool(os.environ.get("PETLAKE_IDENTITY"))
SMALL = ("STS_002", "STS_003", "STS_008", "STS_012", "STS_015", "STS_019")
LARGER = "STS_004"
# pyradiomics takes up to a minute for the CT of a large lesion.
ORIGINAL = {"PET": PATIENTS, "CT": PATIENTS if EVERYTHING else (*SMALL, LARGER)}
FILTERED = PATIENTS if EVERYTHING else ("STS_008", "STS_012", "STS_019")
BIN_WIDTH = {"PET": 0.5, "CT": 25.0}
SPACING_MM = {"PET": [3.0, 3.0, 3.0], "CT": [2.0, 2.0, 2.0]}
FILTERS = {"Original": {}, "LoG": {"sigma": [1.0, 2.0, 3.0]}, "Wavelet": {}}
OTHER_FILTERS = {
    "Square": {},
    "SquareRoot": {},
    "Logarithm": {},
    "Exponential": {},
    "Gradient": {},
    "LBP2D": {"binWidth": 1.0},
}
OTHER_FILTERED = PATIENTS if EVERYTHING else ("STS_019",)
SHAPE, TEXTURE = 14, 93
N_ORIGINAL = SHAPE + TEXTURE
N_FILTERED = SHAPE + 12 * TEXTURE
N_OTHER = SHAPE + len(OTHER_FILTERS) * TEXTURE
N_VALUES = sum(map(len, ORIGINAL.values())) * N_ORIGINAL + 2 * (
    2 * len(FILTERED) * N_FILTERED + len(OTHER_FILTERED) * N_OTHER
)
EVERY_1000TH = 1000


@pytest.fixture(scope="module")
def tally() -> Counter[str]:
    """Values compared, and values that a voxel at a bin edge changes."""
    return Counter()


def check(comparison: Comparison, tally: Counter[str]) -> None:
    tally["values"] += comparison.n_values
    tally["at a bin edge"] += len(comparison.at_bin_edge)
    assert not comparison.unexplained


@pytest.mark.parametrize(
    ("patient", "folder"), [(patient, folder) for folder, patients in ORIGINAL.items() for patient in patients]
)
def test_original_images(petlake_data: Path, tally: Counter[str], patient: str, folder: str) -> None:
    parameters = {"setting": {"binWidth": BIN_WIDTH[folder]}}
    comparison = compare(sts_case(petlake_data, patient, folder), parameters, "PT" if folder == "PET" else "CT")
    assert comparison.n_values == N_ORIGINAL
    assert not comparison.at_bin_edge
    check(comparison, tally)


@pytest.mark.parametrize("resampled", [False, True])
@pytest.mark.parametrize("folder", ["PET", "CT"])
@pytest.mark.parametrize("patient", FILTERED)
def test_filtered_and_resampled_images(
    petlake_data: Path, tally: Counter[str], patient: str, folder: str, resampled: bool
) -> None:
    setting: dict[str, object] = {"binWidth": BIN_WIDTH[folder]}
    if resampled:
        setting["resampledPixelSpacing"] = SPACING_MM[folder]
    comparison = compare(
        sts_case(petlake_data, patient, folder),
        {"setting": setting, "imageType": FILTERS},
        "PT" if folder == "PET" else "CT",
    )
    assert comparison.n_values == N_FILTERED
    check(comparison, tally)


@pytest.mark.parametrize("patient", OTHER_FILTERED)
@pytest.mark.parametrize("folder", ["PET", "CT"])
def test_the_other_filters(petlake_data: Path, tally: Counter[str], patient: str, folder: str) -> None:
    parameters = {"setting": {"binWidth": BIN_WIDTH[folder]}, "imageType": OTHER_FILTERS}
    case = sts_case(petlake_data, patient, folder)
    comparison = compare(case, parameters, "PT" if folder == "PET" else "CT")
    assert comparison.n_values == N_OTHER
    check(comparison, tally)


@pytest.mark.usefixtures("petlake_data")
def test_at_most_one_value_in_a_thousand_is_that_of_a_voxel_at_a_bin_edge(tally: Counter[str]) -> None:
    """After the tests above, of which it takes all: what they have counted."""
    assert tally["values"] == N_VALUES, "run the whole file"
    assert tally["at a bin edge"] * EVERY_1000TH <= tally["values"]


def test_only_a_voxel_at_an_edge_is_an_excuse() -> None:
    """The excuse itself: half a billionth beside the edge is one, another value is not, and no change is none."""
    values = np.array([0.2, 0.5, 1.7, 2.5])
    bins = {"binWidth": 0.5}
    at_edge, elsewhere = values.copy(), values.copy()
    at_edge[1] -= 5e-10
    elsewhere[2] += 0.4
    assert identity.falls_at_an_edge(values, at_edge, bins)
    assert not identity.falls_at_an_edge(values, elsewhere, bins)
    assert not identity.falls_at_an_edge(values, values, bins)


def test_a_difference_is_found() -> None:
    """A comparison that cannot fail would prove nothing: another bin width on one side is a difference."""
    rng = np.random.default_rng(3)
    case = random_case(rng, (9, 10, 11))
    other = identity.features(case, identity.feature_set_of({"setting": {"binWidth": 0.25}}, "PT"))
    expected = identity.execute(case, {"setting": {"binWidth": 0.5}})
    assert not all(identity.agrees(value, other[name]) for name, value in expected.items())


def random_case(rng: np.random.Generator, shape: tuple[int, int, int]) -> Case:
    geometry = identity.Geometry(shape, (2.0, 2.0, 3.0), (0.0, 0.0, 0.0))
    mask = np.zeros(shape, dtype=bool)
    mask[2:-2, 2:-2, 2:-2] = True
    return Case(identity.Volume(rng.gamma(2.0, 1.0, shape).astype(np.float32), geometry), identity.Mask(mask, geometry))
