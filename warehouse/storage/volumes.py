"""Images and label maps as NIfTI-1 files named by their content.

The header is written here, not by SimpleITK: NIfTI-1 has room for the affine in single precision only, so the exact one
travels in a header extension beside it, and the same volume is the same bytes on every machine. Viewers (3D Slicer,
SimpleITK, nibabel) read the standard part. Layout: https://nifti.nimh.nih.gov/nifti-1 (nifti1.h), section by section.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.errors import WarehouseError
from warehouse.storage.atomic import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_DATATYPES = {"uint8": 2, "int16": 4, "float32": 16, "uint16": 512}
_HEADER_SIZE = 348
_COMMENT = 6  # ecode NIFTI_ECODE_COMMENT: plain text
_AFFINE = "petlake_affine_lps"
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SHEAR_LIMIT = 1e-4


def path_of(folder: Path, sha256: str) -> Path:
    """Where the volume with this digest is kept; raises ``WarehouseError`` VOLUME_UNKNOWN when it is not a digest."""
    if re.fullmatch(r"[0-9a-f]{64}", sha256) is None:
        raise WarehouseError("VOLUME_UNKNOWN", "This is not the digest of a volume", found=repr(sha256))
    return folder / f"{sha256}.nii.gz"


def write(folder: Path, array: NDArray[Any], affine: NDArray[np.float64]) -> str:
    """Write a volume, unless its content is there already, and return its digest.

    Parameters
    ----------
    folder
        Directory of the patient's volumes.
    array
        Voxels (z, y, x): float32, int16, uint8 or uint16.
    affine
        4 x 4 matrix from index (x, y, z, 1) to patient coordinates (LPS, mm), without shear.

    Returns
    -------
    str
        SHA-256 over the type, the shape, the affine and the voxels; the name of the file without ``.nii.gz``.

    Raises
    ------
    WarehouseError
        VOLUME_TYPE_UNSUPPORTED, VOLUME_SHAPE_INVALID, VOLUME_AFFINE_INVALID.
    """
    voxels, matrix = _checked(array, affine)
    sha256 = _digest(voxels, matrix)
    path = path_of(folder, sha256)
    if path.is_file():
        return sha256
    with (
        replacing(path) as temporary,
        temporary.open("wb") as file,
        # No time and no name in the gzip header: the same volume is the same bytes.
        gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0) as packed,
    ):
        packed.write(_header(voxels, matrix))
        packed.write(voxels.data.cast("B"))
    return sha256


def read(path: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the array (z, y, x) and the affine (LPS) as they were written, after comparing them with their digest.

    Raises
    ------
    WarehouseError
        VOLUME_UNKNOWN when there is no such file, VOLUME_CORRUPT when it is not what was written.
    """
    try:
        with gzip.open(path) as file:
            data = file.read()
        voxels, matrix = _parsed(data)
    except FileNotFoundError:
        raise WarehouseError(
            "VOLUME_UNKNOWN", "The lake has no such volume", found=path.name, hint="Materialize the patient again."
        ) from None
    except (OSError, EOFError, zlib.error, struct.error, ValueError, KeyError) as error:
        raise _corrupt(path, str(error)) from error
    if f"{_digest(voxels, matrix)}.nii.gz" != path.name:
        raise _corrupt(path, "voxels or an affine with another digest")
    return voxels.copy(), matrix


def _checked(array: NDArray[Any], affine: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    if array.dtype.name not in _DATATYPES:
        raise WarehouseError(
            "VOLUME_TYPE_UNSUPPORTED",
            "Voxels of this type are not stored",
            found=str(array.dtype),
            expected=", ".join(_DATATYPES),
        )
    if array.ndim != 3 or not all(0 < size < 2**15 for size in array.shape):
        raise WarehouseError(
            "VOLUME_SHAPE_INVALID", "A volume has three axes (z, y, x) of 1 to 32767 voxels", found=str(array.shape)
        )
    matrix = np.array(affine, dtype="<f8") + 0.0
    valid = matrix.shape == (4, 4) and bool(np.isfinite(matrix).all()) and matrix[3].tolist() == [0.0, 0.0, 0.0, 1.0]
    if valid:
        spacing = np.linalg.norm(matrix[:3, :3], axis=0)
        axes = matrix[:3, :3] / np.where(spacing > 0, spacing, 1.0)
        valid = bool((spacing > 0).all() and np.abs(axes.T @ axes - np.eye(3)).max() < _SHEAR_LIMIT)
    if not valid:
        raise WarehouseError(
            "VOLUME_AFFINE_INVALID",
            "The affine is not a rotation with spacing and origin",
            found=str(matrix.tolist()),
            expected="4 x 4, axes at right angles, last row 0 0 0 1",
        )
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")), matrix


def _digest(voxels: NDArray[Any], matrix: NDArray[np.float64]) -> str:
    sha = hashlib.sha256(f"petlake volume 1\n{voxels.dtype.name}\n{voxels.shape}\n".encode())
    sha.update(matrix.tobytes())
    sha.update(voxels.data.cast("B"))
    return sha.hexdigest()


def _header(voxels: NDArray[Any], matrix: NDArray[np.float64]) -> bytes:
    """The NIfTI-1 header with the place in the patient as sform (RAS), then the exact affine as a header extension."""
    z, y, x = voxels.shape
    text = json.dumps({_AFFINE: matrix[:3].ravel().tolist()}).encode("ascii")
    extension_size = -(-(len(text) + 8) // 16) * 16
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    header = bytearray(_HEADER_SIZE)
    struct.pack_into("<i", header, 0, _HEADER_SIZE)
    struct.pack_into("<8h", header, 40, 3, x, y, z, 1, 1, 1, 1)  # dim
    struct.pack_into("<2h", header, 70, _DATATYPES[voxels.dtype.name], voxels.dtype.itemsize * 8)  # datatype, bitpix
    struct.pack_into("<4f", header, 76, 1.0, *spacing)  # pixdim
    struct.pack_into("<2f", header, 108, _HEADER_SIZE + 4 + extension_size, 1.0)  # vox_offset, scl_slope
    header[123] = 2  # xyzt_units: millimetres
    # No qform: its quaternion in single precision loses digits near 180 degrees, where DICOM's axes lie seen from RAS.
    struct.pack_into("<2h", header, 252, 0, 1)  # qform_code, sform_code: scanner anatomical
    struct.pack_into("<12f", header, 280, *(_LPS_TO_RAS @ matrix)[:3].ravel())  # srow_x, srow_y, srow_z
    header[344:348] = b"n+1\0"
    return bytes(header) + struct.pack("<4B2i", 1, 0, 0, 0, extension_size, _COMMENT) + text.ljust(extension_size - 8)


def _parsed(data: bytes) -> tuple[NDArray[Any], NDArray[np.float64]]:
    x, y, z = struct.unpack_from("<3h", data, 42)
    (datatype,) = struct.unpack_from("<h", data, 70)
    (offset,) = struct.unpack_from("<f", data, 108)
    dtype = {code: np.dtype(name).newbyteorder("<") for name, code in _DATATYPES.items()}[datatype]
    voxels = np.frombuffer(data, dtype, offset=int(offset)).reshape(z, y, x)
    matrix = np.eye(4, dtype="<f8")
    matrix[:3] = np.reshape(json.loads(data[_HEADER_SIZE + 12 : int(offset)])[_AFFINE], (3, 4))
    return voxels, matrix


def _corrupt(path: Path, found: str) -> WarehouseError:
    return WarehouseError(
        "VOLUME_CORRUPT",
        "The file is not the volume that was written",
        keyword=path.name,
        found=" ".join(found.split()),
        hint="Delete the file and materialize the patient again.",
    )
