"""Mutated headers, through index, reading and computation: the oracle's value, or one of its refusals; nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from petct.conformance.suv_objects import suv_objects
from petct.dicom.index import index_folder
from petct.dicom.records import DicomIndex
from petct.dicom.series import read_pet
from petct.errors import PetctError
from petct.suv.compute import compute_suv
from tests.petct.conformance.suv_mutations import PHANTOM, header_of, mutated, put, write
from tests.petct.conformance.suv_oracle import Header, expect, number
from tests.petct.conformance.suv_synthesis import pet_slices

N_HEADERS = int(os.environ.get("PETLAKE_MUTATIONS", "500"))


@dataclass(frozen=True)
class Outcome:
    """What petlake made of the files: an SUV image of ``files`` with the codes of its adaptations, or a refusal."""

    refusal: str | None
    suv: NDArray[np.generic] | None
    adaptations: frozenset[str]
    index: DicomIndex
    files: tuple[str, ...] = ()


def outcome(folder: Path) -> Outcome:
    index = index_folder(folder)
    series = [each for each in index.series if each.role == "PET"]
    if not series:
        codes = [each.set_aside_code or each.role for each in index.series] + [each.code for each in index.set_aside]
        return Outcome(codes[0], None, frozenset(), index)
    # A damaged file may have become another series, or another patient's.
    pet = max(series, key=lambda each: each.n_instances)
    paths = [folder / file.path for file in index.files if file.series_instance_uid == pet.series_instance_uid]
    try:
        read = read_pet(paths, patient_id=pet.patient_id, series_instance_uid=pet.series_instance_uid)
        result = compute_suv(read, "scan")
    except PetctError as error:
        named = error.keyword is not None and error.series_instance_uid == pet.series_instance_uid
        return Outcome(error.code if named else f"{error.code} without a place", None, frozenset(), index)
    used = tuple(sorted(path.name for path in paths))
    return Outcome(None, result.volume.array, frozenset(a.code for a in result.adaptations), index, used)


def disagreement(header: Header, stored: NDArray[np.generic], found: Outcome) -> str | None:
    """Why an outcome is not what the oracle expects; None when it is."""
    expected = expect(header)
    if found.refusal is not None:
        return None if found.refusal in expected.refusals else f"refused {found.refusal}, not {expected.refusals}"
    if expected.refusals:
        return f"a value where one of {expected.refusals} is right"
    assert found.suv is not None
    if found.suv.shape != stored.shape:
        return f"a grid of {found.suv.shape}, not {stored.shape}"
    slopes = np.array([number(one["RescaleSlope"]) for one in header.slices])
    right = stored * (slopes / np.array(expected.one_suv))[:, None, None]
    if not np.allclose(found.suv, right, rtol=2e-6, atol=0):
        return f"SUV up to {found.suv.max():.6g}, not {right.max():.6g}"
    if not expected.adaptations <= found.adaptations:
        return f"recorded {set(found.adaptations)}, not {expected.adaptations}"
    return None


@pytest.mark.parametrize("name", [name for name, one in suv_objects().items() if not one.enhanced])
def test_the_oracle_knows_the_reference_objects(name: str) -> None:
    one = suv_objects()[name]
    expected = expect(header_of(pet_slices(one, PHANTOM), one))
    if one.refusal:
        assert expected.refusals == {one.refusal}
    else:
        assert expected.refusals == set()
        assert expected.one_suv[0] == pytest.approx(one.one_suv[0], rel=2e-5)
        assert expected.one_suv[-1] == pytest.approx(one.one_suv[1], rel=2e-5)


@pytest.mark.parametrize(
    ("name", "keyword", "value", "in_slices", "refusal"),
    [
        ("DRO_0_0", "PatientWeight", "7_0", range(4), "SUV_WEIGHT_MISSING"),
        ("DRO_0_0", "RescaleSlope", "1.0\u00a0", range(4), "HEADER_VALUE_INVALID"),
        ("DRO_3_4_3", "AcquisitionDate", "19000101", [0], "SUV_ACQUISITION_TIMES_APART"),
        ("DRO_3_2_3", "FrameReferenceTime", "1e300", range(4), "SUV_REFERENCE_TIME_UNKNOWN"),
        ("DRO_4_2", "AcquisitionDate", "00010101", range(4), "SUV_ADMINISTRATION_DATE_UNKNOWN"),
        # The private scan start is what counts, however far away the clock of another slice is.
        ("DRO_3_3_0", "AcquisitionDate", "21000101", [3], None),
    ],
)
def test_what_long_runs_have_found(
    tmp_path: Path, name: str, keyword: str, value: str, in_slices: Sequence[int], refusal: str | None
) -> None:
    slices = pet_slices(suv_objects()[name], PHANTOM)
    for index in in_slices:
        put(slices[index], keyword, value)
    write(slices, tmp_path)
    found = outcome(tmp_path)
    assert found.refusal == refusal
    assert (found.suv is None) is (refusal is not None)
    if found.suv is not None:
        assert found.suv.max() == pytest.approx(4.0, rel=1e-5)


def test_mutated_headers(tmp_path: Path) -> None:
    wrong, values, refused = [], 0, set()
    for seed in range(N_HEADERS):
        said, slices, header = mutated(np.random.default_rng(seed))
        stored = np.stack([np.frombuffer(each.PixelData, "<i2").reshape(each.Rows, each.Columns) for each in slices])
        folder = tmp_path / str(seed)
        write(slices, folder)
        found = outcome(folder)
        shutil.rmtree(folder)
        why = disagreement(header, stored, found)
        if why is not None:
            wrong.append(f"seed {seed}: {said}: {why}")
        values += found.refusal is None
        refused.add(found.refusal)
    assert not wrong, "\n".join(wrong)
    # Neither side is empty, and the refusals are of many kinds.
    assert N_HEADERS / 4 < values < 3 * N_HEADERS / 4
    assert len(refused) > 15
