"""What all DICOM objects of a synthetic patient share: patient, study, equipment, UIDs, and how they are written."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from petct.synthetic.patients import PatientPlan
from petct.synthetic.settings import CohortSettings, uid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from petct.image.volume import Geometry

MANUFACTURER = "petlake"
MODEL = "Synthetic PET/CT"
SOFTWARE = "petlake synthetic 1"
_IMPLEMENTATION_UID = "2.25.117409731953286540167924018503761538820"
#: The CT precedes the PET of the same examination.
CT_LEAD = dt.timedelta(minutes=3)


@dataclass(frozen=True)
class SeriesIdentity:
    """What tells one series of a patient from another; ``key`` enters its UIDs."""

    key: str
    modality: str
    number: int
    description: str
    sop_class_uid: str
    started: dt.datetime


def da(moment: dt.date) -> str:
    """A date as DICOM writes it (VR DA)."""
    return moment.strftime("%Y%m%d")


def tm(moment: dt.datetime) -> str:
    """A time of day as DICOM writes it (VR TM), whole seconds."""
    return moment.strftime("%H%M%S")


def ds(value: float) -> str:
    """A number as a decimal string of at most 16 characters (VR DS)."""
    return str(format_number_as_ds(float(value)))


def series_uid(settings: CohortSettings, plan: PatientPlan, key: str) -> str:
    """Series Instance UID of one series of the patient."""
    return uid(settings, plan.number, f"series {key}")


def frame_of_reference_uid(settings: CohortSettings, plan: PatientPlan) -> str:
    """Frame of Reference UID that PET, CT and contours of the patient share."""
    return uid(settings, plan.number, "frame of reference")


def instance_uid(settings: CohortSettings, plan: PatientPlan, key: str, instance_number: int) -> str:
    """SOP Instance UID of one instance of a series of the patient."""
    return uid(settings, plan.number, f"instance {key} {instance_number}")


def common_dataset(settings: CohortSettings, plan: PatientPlan, series: SeriesIdentity) -> Dataset:
    """Modules Patient, General Study, Patient Study, General Series, General Equipment and SOP Common (PS3.3)."""
    out = Dataset()
    out.SpecificCharacterSet = "ISO_IR 100"
    out.InstanceCreationDate, out.InstanceCreationTime = da(series.started), tm(series.started)
    out.SOPClassUID = series.sop_class_uid
    out.PatientName, out.PatientID = f"Synthetic^{plan.patient_id}", plan.patient_id
    out.PatientBirthDate, out.PatientSex = da(plan.birth_date), plan.sex
    out.PatientAge = f"{plan.age_years:03d}Y"
    out.PatientWeight, out.PatientSize = ds(plan.weight_kg), ds(plan.height_m)
    out.PatientComments = "Synthetic data: no such person exists"
    study_start = plan.scan_start - CT_LEAD
    out.StudyInstanceUID = uid(settings, plan.number, "study")
    out.StudyDate, out.StudyTime = da(study_start), tm(study_start)
    out.StudyID, out.AccessionNumber, out.ReferringPhysicianName = "1", "", ""
    out.StudyDescription = "68Ga-DOTATOC PET/CT whole body (synthetic)"
    out.Modality = series.modality
    out.SeriesInstanceUID = series_uid(settings, plan, series.key)
    out.SeriesNumber, out.SeriesDescription = series.number, series.description
    out.SeriesDate, out.SeriesTime = da(series.started), tm(series.started)
    out.Manufacturer, out.ManufacturerModelName, out.SoftwareVersions = MANUFACTURER, MODEL, SOFTWARE
    out.DeviceSerialNumber, out.InstitutionName = "0", "petlake demo"
    return out


def add_image_plane(out: Dataset, settings: CohortSettings, plan: PatientPlan, geometry: Geometry) -> None:
    """Add the parts of Frame of Reference, Image Plane and Image Pixel that all slices share (signed 16 bit)."""
    rows, columns = geometry.shape[1:]
    out.PatientPosition = "HFS"
    out.FrameOfReferenceUID = frame_of_reference_uid(settings, plan)
    out.PositionReferenceIndicator = ""
    out.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    out.PixelSpacing = [ds(geometry.spacing_mm[1]), ds(geometry.spacing_mm[0])]
    out.SliceThickness = ds(geometry.spacing_mm[2])
    out.SamplesPerPixel, out.PhotometricInterpretation = 1, "MONOCHROME2"
    out.Rows, out.Columns = rows, columns
    out.BitsAllocated, out.BitsStored, out.HighBit, out.PixelRepresentation = 16, 16, 15, 1


def add_slice(
    out: Dataset, settings: CohortSettings, plan: PatientPlan, key: str, number: int, z_mm: float, geometry: Geometry
) -> None:
    """Add what tells one slice from another: UID, instance number and position."""
    out.SOPInstanceUID = instance_uid(settings, plan, key, number)
    out.InstanceNumber = number
    x, y, _ = geometry.origin_mm
    out.ImagePositionPatient = [ds(x), ds(y), ds(z_mm)]
    out.SliceLocation = ds(z_mm)


def slice_positions(geometry: Geometry) -> list[tuple[int, int, float]]:
    """(instance number, index along z, z in mm) of every slice, lowest first; instance 1 is the uppermost."""
    n = geometry.shape[0]
    return [(n - k, k, geometry.origin_mm[2] + k * geometry.spacing_mm[2]) for k in range(n)]


def with_pixels(header: Dataset, pixels: NDArray[Any]) -> Dataset:
    """A shallow copy of a header with pixels (rows, columns), int16."""
    out = Dataset()
    out.update(header)
    out.PixelData = pixels.astype("<i2").tobytes()
    out["PixelData"].VR = "OW"
    return out


def save(dataset: Dataset, path: Path) -> int:
    """Write a dataset as a DICOM file that holds neither the time of writing nor the version of a library.

    Returns
    -------
    int
        Bytes written.
    """
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = UID(_IMPLEMENTATION_UID)
    dataset.file_meta.ImplementationVersionName = "PETLAKE_SYNTH_1"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return path.stat().st_size
