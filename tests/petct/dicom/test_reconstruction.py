"""What the names of reconstructions state, as scanners write them."""

from __future__ import annotations

import pytest

from petct.dicom.scans import Reconstruction, reconstruction_of


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("PSF+TOF 3i21s", Reconstruction(True, True, 3, 21)),
        ("OSEM3D 4i8s", Reconstruction(None, None, 4, 8)),
        ("OP-OSEM3i21s", Reconstruction(None, None, 3, 21)),
        ("TrueX+TOF (ultraHD-PET) 2i21s", Reconstruction(True, True, 2, 21)),
        ("HD-PET 4i21s", Reconstruction(True, None, 4, 21)),
        ("VPFX", Reconstruction(None, True, None, None)),
        ("VPFX-S", Reconstruction(True, True, None, None)),
        ("VPHD", Reconstruction(None, None, None, None)),
        ("VPHD-S", Reconstruction(True, None, None, None)),
        ("QCFX", Reconstruction(True, True, None, None)),
        ("QCHD", Reconstruction(True, None, None, None)),
        ("BLOB-OS-TF", Reconstruction(None, True, None, None)),
        ("3D-RAMLA", Reconstruction(None, None, None, None)),
        ("OSEM", Reconstruction(None, None, None, None)),
        ("OSEM 2 iterations 8 subsets", Reconstruction(None, None, 2, 8)),
        (None, Reconstruction(None, None, None, None)),
    ],
)
def test_names(method: str | None, expected: Reconstruction) -> None:
    assert reconstruction_of(method) == expected


def test_an_element_may_say_no() -> None:
    assert reconstruction_of("OSEM", "FALSE").has_tof is False
    assert reconstruction_of("OSEM", "TRUE").has_tof is True
