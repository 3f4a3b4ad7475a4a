"""PET as NIfTI or NRRD: nothing in such a file says whose it is or what its values are, so a study declares both."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from petct.dicom import values
from petct.dicom.declarations import DeclaredPet, DeclaredUnits, declaration_of
from petct.dicom.images import PetHeader, PetSeries, PetSlice
from petct.dicom.instances import PATIENT_ID, Instance, digest_of
from petct.dicom.values import HeaderValueError
from petct.errors import DicomError
from petct.image.volume import Volume, geometry_of
from records.imaging import FileRecord

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence
    from pathlib import Path


def volume_instance(path: Path, relative: str, known: FileRecord | None, declared: Sequence[DeclaredPet]) -> Instance:
    """A declared PET volume as if it were an instance of a series of its own; its UIDs follow from its content.

    Raises
    ------
    DicomError
        VOLUME_NOT_DECLARED, PATIENT_ID_INVALID, SCAN_DATE_INVALID.
    """
    one = declaration_of(relative, declared)
    patient_id, scan_date = declared_patient(one.match(relative), "dicom.volumes in study.yaml")
    instance = volume_record(path, relative, known, patient_id, scan_date)
    return replace(instance, units=_UNITS[one.units], series_description=f"{path.name}, declared as {one.units.value}")


def declared_patient(match: re.Match[str] | None, keyword: str) -> tuple[str, date | None]:
    """The patient and the date of the scan that the path of a volume names.

    Raises
    ------
    DicomError
        PATIENT_ID_INVALID, SCAN_DATE_INVALID.
    """
    named = match.groupdict() if match else {}
    patient_id = named.get("patient_id") or ""
    if not PATIENT_ID.fullmatch(patient_id):
        raise DicomError(
            "PATIENT_ID_INVALID",
            "The patient id in the path of a volume cannot be used as a key",
            keyword=keyword,
            found=patient_id or "nothing",
        )
    return patient_id, _date_of(named.get("scan_date"), patient_id, keyword)


def volume_record(
    path: Path, relative: str, known: FileRecord | None, patient_id: str, scan_date: date | None
) -> Instance:
    """A volume as an instance of a series of its own, whose UIDs follow from its content."""
    size, modified_ns, digest = digest_of(path, known)
    uid = _uid(digest)
    return Instance(
        record=FileRecord(patient_id, uid, uid, relative, size, modified_ns, digest),
        study_instance_uid=uid_of(f"{patient_id}|{scan_date}"),
        modality="PT",
        image_type=("DERIVED", "SECONDARY"),
        corrected_image=("ATTN", "DECY"),
        series_description=path.name,
        study_date=scan_date,
        series_date=scan_date,
        acquisition_date=scan_date,
        samples_per_pixel=1,
        is_volume=True,
    )


_UNITS = {DeclaredUnits.SUV_BW: "GML", DeclaredUnits.BQ_PER_ML: "BQML"}


def read_declared_pet(path: Path, units: DeclaredUnits, *, patient_id: str, series_instance_uid: str) -> PetSeries:
    """Read a declared PET volume; its header holds the declared units and nothing else.

    Values that are no numbers are refused; in NIfTI the format's own library reads them as 0 (outside the body, as a
    rule).

    Raises
    ------
    DicomError
        VOLUME_UNREADABLE, VOLUME_NOT_3D, VOLUME_NOT_FINITE, VOLUME_SHEARED.
    """
    import SimpleITK as sitk

    def refuse(code: str, message: str, found: str | None = None) -> DicomError:
        return DicomError(
            code,
            message,
            patient_id=patient_id,
            series_instance_uid=series_instance_uid,
            keyword=path.name,
            found=found,
        )

    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise refuse("VOLUME_UNREADABLE", "The volume cannot be read", " ".join(str(error).split())[-120:]) from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise refuse("VOLUME_NOT_3D", "The volume is not one image of three dimensions", str(image.GetSize()))
    array = sitk.GetArrayFromImage(image).astype(np.float64)
    if not np.isfinite(array).all():
        raise refuse("VOLUME_NOT_FINITE", "The volume holds values that are no numbers")
    geometry = geometry_of(image)
    if geometry.is_sheared:
        raise refuse("VOLUME_SHEARED", "The axes of the volume are not perpendicular", str(image.GetDirection()))
    one = PetSlice(series_instance_uid, None, None, None, None, None, 1.0)
    return PetSeries(patient_id, series_instance_uid, Volume(array, geometry), (one,) * len(array), _header(units))


def _header(units: DeclaredUnits) -> PetHeader:
    return PetHeader(
        manufacturer=None,
        manufacturer_model_name=None,
        reconstruction_method=None,
        image_type=("DERIVED", "SECONDARY"),
        corrected_image=("ATTN", "DECY"),
        units=_UNITS[units],
        suv_type="BW" if units is DeclaredUnits.SUV_BW else None,
        decay_correction=None,
        sex=None,
        weight=None,
        size=None,
        n_radiopharmaceuticals=0,
        total_dose=None,
        half_life_s=None,
        nuclide_code=None,
        nuclide_meaning=None,
        start_time=None,
        start_datetime=None,
        series_time=None,
        is_declared=True,
    )


def _date_of(text: str | None, patient_id: str, keyword: str) -> date | None:
    if text is None:
        return None
    try:
        return values.parse_date("scan_date", text)
    except HeaderValueError as error:
        raise DicomError(
            "SCAN_DATE_INVALID",
            "The date in the path of a volume is none",
            patient_id=patient_id,
            keyword=keyword,
            found=text,
            expected="YYYYMMDD",
        ) from error


def uid_of(text: str) -> str:
    """A UID that follows from a text."""
    return _uid(hashlib.sha256(text.encode()).hexdigest())


def _uid(digest: str) -> str:
    """A UID out of a digest, in the root for UUIDs (PS3.5, B.2)."""
    return f"2.25.{int(digest[:32], 16)}"
