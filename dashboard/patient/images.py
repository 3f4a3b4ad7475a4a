"""Images of one patient, read from the lake by digest; every cache is bounded, and no array may be changed."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from figures.planes import Images
from petct.image.orientation import turned
from petct.image.volume import Geometry, Volume
from warehouse.storage.lake import Lake

# A whole-body CT of 512 x 512 x 400 takes 200 MB, a PET and its label map about 100 MB: so many of each stay in memory,
# whoever looks at them.
_CTS = 3
_SMALLER_VOLUMES = 8
_PICTURES = 64


def images(
    lake_root: str, patient_id: str, suv_sha256: str, ct_sha256: str | None, labels_sha256: str | None
) -> Images:
    """Return the images of a scan, each turned upright.

    Raises
    ------
    WarehouseError
        VOLUME_UNKNOWN where the lake no longer has one, VOLUME_CORRUPT.
    """
    return Images(
        _smaller(lake_root, patient_id, suv_sha256),
        None if ct_sha256 is None else _ct(lake_root, patient_id, ct_sha256),
        None if labels_sha256 is None else _smaller(lake_root, patient_id, labels_sha256),
    )


@st.cache_data(max_entries=_PICTURES, show_spinner=False)
def picture(lake_root: str, patient_id: str, sha256: str) -> bytes:
    """Return a PNG of the lake; raises ``WarehouseError`` PICTURE_UNKNOWN or PICTURE_CORRUPT."""
    return Lake(Path(lake_root)).read_picture(patient_id, sha256)


@st.cache_resource(max_entries=_CTS, show_spinner="Reading the CT …")
def _ct(lake_root: str, patient_id: str, sha256: str) -> Volume:
    return _read(lake_root, patient_id, sha256)


@st.cache_resource(max_entries=_SMALLER_VOLUMES, show_spinner="Reading the PET …")
def _smaller(lake_root: str, patient_id: str, sha256: str) -> Volume:
    return _read(lake_root, patient_id, sha256)


def _read(lake_root: str, patient_id: str, sha256: str) -> Volume:
    array, affine = Lake(Path(lake_root)).read_volume(patient_id, sha256)
    # Shared by all sessions.
    array.setflags(write=False)
    return turned(Volume(array, Geometry.from_affine(affine, (array.shape[0], array.shape[1], array.shape[2]))))
