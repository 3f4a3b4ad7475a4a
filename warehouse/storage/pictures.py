"""Pictures as PNG files named by the SHA-256 of their bytes, beside the volumes of their patient."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from warehouse.errors import WarehouseError
from warehouse.storage.atomic import replacing

if TYPE_CHECKING:
    from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def path_of(folder: Path, sha256: str) -> Path:
    """Where the picture with this digest is kept; raises ``WarehouseError`` PICTURE_UNKNOWN when it is not a digest."""
    if re.fullmatch(r"[0-9a-f]{64}", sha256) is None:
        raise WarehouseError("PICTURE_UNKNOWN", "This is not the digest of a picture", found=repr(sha256))
    return folder / f"{sha256}.png"


def write(folder: Path, png: bytes) -> str:
    """Write a picture, unless it is there already, and return the SHA-256 of its bytes.

    Raises
    ------
    WarehouseError
        PICTURE_INVALID when the bytes are no PNG.
    """
    if not png.startswith(_SIGNATURE):
        raise WarehouseError("PICTURE_INVALID", "A picture is a PNG file", found=repr(png[:8]))
    sha256 = hashlib.sha256(png).hexdigest()
    path = path_of(folder, sha256)
    if not path.is_file():
        with replacing(path) as temporary:
            temporary.write_bytes(png)
    return sha256


def read(path: Path) -> bytes:
    """Return the bytes of a picture after comparing them with their digest.

    Raises
    ------
    WarehouseError
        PICTURE_UNKNOWN when there is no such file, PICTURE_CORRUPT when it is not what was written.
    """
    try:
        png = path.read_bytes()
    except FileNotFoundError:
        raise WarehouseError(
            "PICTURE_UNKNOWN", "The lake has no such picture", found=path.name, hint="Materialize the patient again."
        ) from None
    if f"{hashlib.sha256(png).hexdigest()}.png" != path.name:
        raise WarehouseError(
            "PICTURE_CORRUPT",
            "The file is not the picture that was written",
            keyword=path.name,
            hint="Delete the file and materialize the patient again.",
        )
    return png
