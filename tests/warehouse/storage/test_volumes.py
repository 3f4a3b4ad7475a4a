"""Volumes: exact round trip, names by content, and the same place in the patient in SimpleITK."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from warehouse.errors import WarehouseError
from warehouse.storage import volumes
from warehouse.storage.lake import Lake

AFFINE = np.array([[-4.07, 0, 0, 250.3], [0, 4.07, 0, -251.7], [0, 0, -3.27, 88.125], [0, 0, 0, 1]])


def array_of(dtype: str, shape: tuple[int, int, int] = (3, 4, 5)) -> np.ndarray[Any, Any]:
    values = np.random.default_rng(7).normal(0, 500, shape)
    return np.abs(values).astype(dtype) if dtype.startswith("u") else values.astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "int16", "uint8", "uint16"])
def test_a_volume_comes_back_exactly(tmp_path: Path, dtype: str) -> None:
    lake = Lake(tmp_path)
    array = array_of(dtype)
    sha256 = lake.write_volume("001", array, AFFINE)
    found, affine = lake.read_volume("001", sha256)

    assert lake.volume_path("001", sha256) == tmp_path / "volumes" / "patient_id=001" / f"{sha256}.nii.gz"
    assert found.dtype == array.dtype
    assert found.flags.writeable
    np.testing.assert_array_equal(found, array)
    np.testing.assert_array_equal(affine, AFFINE)


@given(
    seed=st.integers(0, 2**32 - 1),
    spacing=st.tuples(*[st.floats(0.3, 10)] * 3),
    origin=st.tuples(*[st.floats(-1000, 1000)] * 3),
    mirrored=st.booleans(),
    nearly_straight=st.booleans(),
)
def test_a_volume_opens_in_its_place_in_the_patient(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    spacing: tuple[float, ...],
    origin: tuple[float, ...],
    mirrored: bool,
    nearly_straight: bool,
) -> None:
    turn = Rotation.from_rotvec([0.001, -0.002, 0.0005]) if nearly_straight else Rotation.random(random_state=seed)
    direction = turn.as_matrix() * ([1, 1, -1] if mirrored else [1, 1, 1])
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = direction * spacing, origin
    folder = tmp_path_factory.mktemp("volumes")
    array = array_of("int16", (2, 3, 4))
    path = volumes.path_of(folder, volumes.write(folder, array, affine))

    image = sitk.ReadImage(str(path))

    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), array)
    assert sitk.GetArrayFromImage(image).dtype == array.dtype
    np.testing.assert_allclose(image.GetSpacing(), spacing, rtol=1e-6)
    np.testing.assert_allclose(image.GetOrigin(), origin, atol=1e-4)
    np.testing.assert_allclose(np.reshape(image.GetDirection(), (3, 3)), direction, atol=1e-6)
    np.testing.assert_array_equal(volumes.read(path)[1], affine)


def test_the_name_is_the_content(tmp_path: Path) -> None:
    array = array_of("float32")
    changed = array.copy()
    changed[0, 0, 0] += 1
    moved = AFFINE.copy()
    moved[0, 3] = np.nextafter(moved[0, 3], 300)
    names = [
        volumes.write(tmp_path, array, AFFINE),
        volumes.write(tmp_path, changed, AFFINE),
        volumes.write(tmp_path, array, moved),
        volumes.write(tmp_path, array.reshape(4, 3, 5), AFFINE),
        volumes.write(tmp_path, array_of("uint8"), AFFINE),
        volumes.write(tmp_path, array_of("uint8").astype("uint16"), AFFINE),
    ]

    assert len(set(names)) == len(names)
    for same in (np.asfortranarray(array), array.astype(">f4"), np.repeat(array, 2, axis=2)[:, :, ::2]):
        assert volumes.write(tmp_path, same, AFFINE) == names[0]


def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    path = volumes.path_of(tmp_path, volumes.write(tmp_path, array_of("uint8"), AFFINE))
    before = path.stat()
    volumes.write(tmp_path, array_of("uint8"), AFFINE)

    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_the_same_volume_is_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        folder = tmp_path / name
        files.append(volumes.path_of(folder, volumes.write(folder, array_of("int16"), AFFINE)).read_bytes())

    assert files[0] == files[1]


@pytest.mark.parametrize("dtype", ["float64", "int32", "bool", "complex64", "int64"])
def test_other_types_of_voxels_are_refused(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(WarehouseError, match=r"VOLUME_TYPE_UNSUPPORTED"):
        volumes.write(tmp_path, np.zeros((2, 2, 2), dtype), AFFINE)


@pytest.mark.parametrize("shape", [(2, 2), (0, 2, 2), (1, 2, 2, 2), (1, 1, 40000)])
def test_what_is_no_volume_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(WarehouseError, match=r"VOLUME_SHAPE_INVALID"):
        volumes.write(tmp_path, np.zeros(shape, "uint8"), AFFINE)


@pytest.mark.parametrize(
    "affine",
    [
        np.eye(3),
        np.diag([1.0, 1.0, 0.0, 1.0]),
        np.diag([1.0, 1.0, np.nan, 1.0]),
        np.array([[1, 0.2, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
        np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1.0]]),
    ],
)
def test_an_affine_that_is_no_place_is_refused(tmp_path: Path, affine: np.ndarray[Any, Any]) -> None:
    with pytest.raises(WarehouseError, match=r"VOLUME_AFFINE_INVALID"):
        volumes.write(tmp_path, np.zeros((2, 2, 2), "uint8"), affine)


def test_a_volume_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for name in ("0" * 64, "../../etc/passwd", "", "A" * 64):
        with pytest.raises(WarehouseError, match=r"VOLUME_UNKNOWN"):
            Lake(tmp_path).read_volume("001", name)


def test_a_damaged_volume_is_refused(tmp_path: Path) -> None:
    path = volumes.path_of(tmp_path, volumes.write(tmp_path, array_of("int16"), AFFINE))
    packed = path.read_bytes()
    content = gzip.decompress(packed)
    flipped = bytearray(content)
    flipped[-1] ^= 1
    moved = content.replace(b"250.3", b"250.4")
    for damaged in (b"", packed[:-9], b"x" * 500, *(gzip.compress(c) for c in (bytes(flipped), moved, content[:-2]))):
        path.write_bytes(damaged)
        with pytest.raises(WarehouseError, match=r"VOLUME_CORRUPT"):
            volumes.read(path)
