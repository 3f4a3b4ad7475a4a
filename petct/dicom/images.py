"""What reading an image series gives: values on a grid, and the header facts as plain Python (no pydicom here)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, time

    from petct.image.volume import Volume


DATE_NOT_STATED = date(1900, 1, 1)
"""Stands for the date of an acquisition of which only the time of day is stated."""


@dataclass(frozen=True)
class PetSlice:
    """What may differ from slice to slice.

    Attributes
    ----------
    sop_instance_uid
        SOP Instance UID (0008,0018).
    acquisition
        Acquisition Date and Time (0008,0022), (0008,0032), or Acquisition DateTime (0008,002A).
    acquisition_date_keyword
        The element that gave the date: ``AcquisitionDate``, ``AcquisitionDateTime``, ``SeriesDate`` or ``StudyDate``;
        None where none did and the date is ``DATE_NOT_STATED``.
    frame_duration_s
        Actual Frame Duration (0018,1242), in seconds.
    frame_reference_s
        Frame Reference Time (0054,1300), in seconds.
    decay_factor
        Decay Factor (0054,1321).
    rescale_slope
        Rescale Slope (0028,1053), already applied to the volume.
    scan_start
        The vendor's private scan start: Siemens (0071,xx22) in "SIEMENS MED PT", GE (0009,xx0D) in "GEMS_PETD_01".
    frame_reference
        Frame Reference DateTime (0018,9151) of Enhanced PET: when the frame had its mean activity.
    """

    sop_instance_uid: str
    acquisition: datetime | None
    acquisition_date_keyword: str | None
    frame_duration_s: float | None
    frame_reference_s: float | None
    decay_factor: float | None
    rescale_slope: float
    scan_start: datetime | None = None
    frame_reference: datetime | None = None


@dataclass(frozen=True)
class PetHeader:
    """What is the same on every slice, as the header says it; nothing is converted or corrected here.

    Attributes
    ----------
    weight, size
        Patient's Weight (0010,1030) and Size (0010,1020): by the standard in kg and m.
    total_dose
        Radionuclide Total Dose (0018,1074): by the standard in Bq.
    half_life_s
        Radionuclide Half Life (0018,1075).
    nuclide_code, nuclide_meaning
        Code Value and Code Meaning of the Radionuclide Code Sequence (0054,0300).
    start_time, start_datetime
        Radiopharmaceutical Start Time (0018,1072) and Start DateTime (0018,1078).
    series_time
        Series Time (0008,0031).
    philips_suv_factor, philips_activity_factor
        (7053,xx00) and (7053,xx09) in the block "Philips PET Private Group".
    radiopharmaceutical
        Radiopharmaceutical (0018,0031), or the meaning of its code (0054,0304).
    convolution_kernel
        Convolution Kernel (0018,1210): the filter after reconstruction.
    software_versions, time_of_flight
        Software Versions (0018,1020); Time of Flight Information Used (0018,9755) of Enhanced PET.
    is_declared
        The image is a volume without a header; its units are those that study.yaml declares.
    decay_correction_datetime
        Decay Correction DateTime (0018,9701) of Enhanced PET: the time to which the image is corrected, as stated.
    damaged
        Keyword -> text of elements that are there but are not what they should be. A reader that needs one refuses.
    """

    # None of these has a default: a reader that forgot one would pass for a header that does not state it.
    manufacturer: str | None
    manufacturer_model_name: str | None
    reconstruction_method: str | None
    image_type: tuple[str, ...]
    corrected_image: tuple[str, ...]
    units: str | None
    suv_type: str | None
    decay_correction: str | None
    sex: str | None
    weight: float | None
    size: float | None
    n_radiopharmaceuticals: int
    total_dose: float | None
    half_life_s: float | None
    nuclide_code: str | None
    nuclide_meaning: str | None
    start_time: time | None
    start_datetime: datetime | None
    series_time: time | None
    philips_suv_factor: float | None = None
    philips_activity_factor: float | None = None
    decay_correction_datetime: datetime | None = None
    radiopharmaceutical: str | None = None
    convolution_kernel: str | None = None
    software_versions: str | None = None
    time_of_flight: str | None = None
    is_declared: bool = False
    damaged: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class PetSeries:
    """A PET series in the units of its header.

    Attributes
    ----------
    volume
        float64 (z, y, x): stored value x the slope of its slice; slices ascend along the normal.
    slices
        One for each slice of the volume, in the same order.
    """

    patient_id: str
    series_instance_uid: str
    volume: Volume
    slices: tuple[PetSlice, ...]
    header: PetHeader

    @property
    def acquisition_date(self) -> date | None:
        """The day of the first acquisition, where the header states one."""
        stated = [
            one.acquisition.date()
            for one in self.slices
            if one.acquisition is not None and one.acquisition_date_keyword is not None
        ]
        return min(stated, default=None)


@dataclass(frozen=True, eq=False)
class CtSeries:
    """A CT series in Hounsfield units.

    Attributes
    ----------
    volume
        (z, y, x), int16 when slope and intercept leave whole numbers in its range, else float32.
    """

    patient_id: str
    series_instance_uid: str
    volume: Volume
    manufacturer: str | None
    manufacturer_model_name: str | None
    convolution_kernel: str | None
    contrast_agent: str | None = None
    kvp: float | None = None
