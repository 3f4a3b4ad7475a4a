"""The CT series of the same examination, in the frame of reference of the PET."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from petct.synthetic.dicom import (
    CT_LEAD,
    SeriesIdentity,
    add_image_plane,
    add_slice,
    common_dataset,
    da,
    slice_positions,
    tm,
    with_pixels,
)
from petct.synthetic.patients import PatientPlan
from petct.synthetic.settings import CohortSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.image.volume import Geometry

_CT_KEY = "CT"
_INTERCEPT = -1024


def ct_datasets(
    settings: CohortSettings, plan: PatientPlan, hounsfield: NDArray[np.int16], geometry: Geometry
) -> Iterator[Dataset]:
    """The CT slices, ready to be saved, from Hounsfield units (z, y, x)."""
    started = plan.scan_start - CT_LEAD
    series = SeriesIdentity(_CT_KEY, "CT", 1, "CT low dose", CTImageStorage, started)
    shared = common_dataset(settings, plan, series)
    add_image_plane(shared, settings, plan, geometry)
    shared.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    shared.AcquisitionDate, shared.AcquisitionTime = da(started), tm(started)
    shared.ContentDate, shared.ContentTime = da(started), tm(started)
    shared.AcquisitionNumber, shared.KVP, shared.ConvolutionKernel = 1, "120", "SYN30"
    shared.RescaleIntercept, shared.RescaleSlope, shared.RescaleType = str(_INTERCEPT), "1", "HU"
    for number, index, z_mm in slice_positions(geometry):
        out = Dataset()
        out.update(shared)
        add_slice(out, settings, plan, _CT_KEY, number, z_mm, geometry)
        yield with_pixels(out, hounsfield[index] - _INTERCEPT)
