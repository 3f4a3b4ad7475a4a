"""A PET series made in memory, whose every value is SUV 1 where nothing is changed."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from datetime import datetime, time

import numpy as np

from petct.dicom.images import PetHeader, PetSeries, PetSlice
from petct.image.volume import Geometry, Volume

SCAN = datetime(2025, 1, 1, 11)
INJECTION = datetime(2025, 1, 1, 10)
F18 = 6586.2
LAMBDA = math.log(2) / F18
# At 11:00 the mean activity concentration is 1 SUV: 368.08 MBq given an hour before, 70 kg.
ONE_SUV = 368.08e6 * math.exp(-LAMBDA * 3600) / 70000

HEADER = PetHeader(
    manufacturer="SIEMENS",
    manufacturer_model_name="Biograph",
    reconstruction_method="PSF+TOF",
    image_type=("ORIGINAL", "PRIMARY"),
    corrected_image=("NORM", "ATTN", "DECY"),
    units="BQML",
    suv_type=None,
    decay_correction="START",
    sex="F",
    weight=70.0,
    size=1.75,
    n_radiopharmaceuticals=1,
    total_dose=368.08e6,
    half_life_s=F18,
    nuclide_code="C-111A1",
    nuclide_meaning="^18^Fluorine",
    start_time=time(10),
    start_datetime=INJECTION,
    series_time=time(11),
)
SLICE = PetSlice("1.2", SCAN, "AcquisitionDate", 300.0, 0.0, None, 1.0)
_HEADER_FIELDS = {field.name for field in fields(PetHeader)}


def suv_series(value: float = ONE_SUV, slices: tuple[PetSlice, ...] = (SLICE, SLICE), **changes: object) -> PetSeries:
    """A series of one value everywhere; ``changes`` go to the header or, by the name of the field, to all slices."""
    of_header = {name: change for name, change in changes.items() if name in _HEADER_FIELDS}
    of_slices = {name: change for name, change in changes.items() if name not in _HEADER_FIELDS}
    volume = Volume(np.full((len(slices), 2, 2), value), Geometry((len(slices), 2, 2), (4, 4, 4), (0, 0, 0)))
    return PetSeries(
        "P1", "1.2.3", volume, tuple(replace(s, **of_slices) for s in slices), replace(HEADER, **of_header)
    )
