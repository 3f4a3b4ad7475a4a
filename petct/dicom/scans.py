"""Scans: the PET, CT and contours of one examination, how it was reconstructed, and the row that describes it."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from petct.dicom import roles
from petct.errors import DicomError
from records.imaging import ScanRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from petct.dicom.images import CtSeries, PetSeries
    from records.imaging import SeriesRecord


# Names of the vendors. GE: VUE Point FX is time of flight, SharpIR a PSF, Q.Clear a PSF, and FX says time of flight.
# Siemens: TrueX and HD are a PSF, ultraHD a PSF and time of flight. Philips: BLOB-OS-TF is time of flight.
_PSF = re.compile(r"PSF|TRUEX|\bU?HD[ .-]?PET|ULTRAHD|SHARP ?IR|\bVP(?:FX|HD)-?S\b|Q\.?CLEAR|\bQC(?:FX|HD)\b")
_TOF = re.compile(r"TOF|TIME.OF.FLIGHT|ULTRAHD|\bUHD|\bVPFX|\bVUE ?POINT ?FX|\bQCFX\b|-OS-TF|\bTF\b")
_ITERATIONS = re.compile(r"(\d+) ?I(?:T(?:ER(?:ATIONS?)?)?)?[ ,/_-]*(\d+) ?S(?:UB(?:SETS?)?)?\b")


@dataclass(frozen=True)
class Reconstruction:
    """What is stated about a reconstruction; None where it is not.

    Attributes
    ----------
    has_psf, has_tof
        True where the name says so; False only where an element says No.
    """

    has_psf: bool | None
    has_tof: bool | None
    n_iterations: int | None
    n_subsets: int | None


def reconstruction_of(method: str | None, time_of_flight: str | None = None) -> Reconstruction:
    """Read Reconstruction Method (0054,1103), and Time of Flight Information Used (0018,9755) of Enhanced PET.

    Examples
    --------
    >>> reconstruction_of("PSF+TOF 3i21s")
    Reconstruction(has_psf=True, has_tof=True, n_iterations=3, n_subsets=21)
    """
    name = (method or "").upper()
    counts = _ITERATIONS.search(name)
    stated = {"TRUE": True, "YES": True, "FALSE": False, "NO": False}.get((time_of_flight or "").upper())
    return Reconstruction(
        has_psf=True if _PSF.search(name) else None,
        has_tof=stated if stated is not None else True if _TOF.search(name) else None,
        n_iterations=int(counts[1]) if counts else None,
        n_subsets=int(counts[2]) if counts else None,
    )


@dataclass(frozen=True)
class ScanSeries:
    """The series of one scan that have a role; ``contours`` holds RTSTRUCT, SEG and label maps, sorted by UID.

    Attributes
    ----------
    time_point
        1 for the patient's first scan with a PET, 2 for the second, ...; None without a PET or without a date.
    """

    patient_id: str
    scan_id: str
    pet: SeriesRecord | None
    ct: SeriesRecord | None
    contours: tuple[SeriesRecord, ...]
    time_point: int | None = None

    def require_pet(self) -> SeriesRecord:
        """The PET series; raises ``DicomError`` PET_SERIES_MISSING."""
        if self.pet is None:
            raise DicomError(
                "PET_SERIES_MISSING",
                "The scan has no attenuation-corrected PET series",
                patient_id=self.patient_id,
                found=f"scan {self.scan_id} with {'a CT' if self.ct else 'no CT'}",
                hint="The table of series says why each other series was set aside.",
            )
        return self.pet

    def require_ct(self) -> SeriesRecord:
        """The CT series; raises ``DicomError`` CT_SERIES_MISSING."""
        if self.ct is None:
            raise DicomError(
                "CT_SERIES_MISSING",
                "The scan has no CT series on the frame of reference of its PET",
                patient_id=self.patient_id,
                found=f"scan {self.scan_id}",
                hint="Complete the CT folder, or leave the CT feature sets out of study.yaml.",
            )
        return self.ct


def scans_of(series: Sequence[SeriesRecord]) -> tuple[ScanSeries, ...]:
    """The scans of one patient, sorted by ``scan_id``: every scan id that has a PET, a CT or contours.

    Raises
    ------
    DicomError
        PATIENTS_MIXED when the series are not all of one patient.
    """
    patients = sorted({record.patient_id for record in series})
    if len(patients) > 1:
        raise DicomError("PATIENTS_MIXED", "The series are of several patients", found=", ".join(patients[:5]))
    by_scan: dict[str, list[SeriesRecord]] = defaultdict(list)
    for record in series:
        if record.scan_id is not None and record.role != roles.NONE:
            by_scan[record.scan_id].append(record)
    scans = []
    for scan_id in sorted(by_scan):
        members = sorted(by_scan[scan_id], key=lambda record: record.series_instance_uid)
        scans.append(
            ScanSeries(
                patient_id=members[0].patient_id,
                scan_id=scan_id,
                pet=next((m for m in members if m.role == roles.PET), None),
                ct=next((m for m in members if m.role == roles.CT), None),
                contours=tuple(m for m in members if m.role in roles.CONTOURS),
            )
        )
    return _with_time_points(scans)


def _with_time_points(scans: Sequence[ScanSeries]) -> tuple[ScanSeries, ...]:
    """Number the scans with a dated PET in the order of their dates and times; a scan id begins with its date."""
    dated = [scan for scan in scans if scan.pet is not None and scan.pet.series_date is not None]
    order = sorted(dated, key=lambda s: (s.scan_id.split("-")[0], (s.pet and s.pet.series_time) or "", s.scan_id))
    points = {scan.scan_id: point for point, scan in enumerate(order, start=1)}
    return tuple(replace(scan, time_point=points.get(scan.scan_id)) for scan in scans)


def has_contrast(agent: str | None) -> bool | None:
    """Whether a CT has contrast medium: None where the header is silent, False only where it says none."""
    if agent is None:
        return None
    return agent.strip().upper() not in ("NONE", "NO", "N", "NATIVE", "WITHOUT", "NO CONTRAST", "UNENHANCED")


def scan_record(scan: ScanSeries, pet: PetSeries, ct: CtSeries | None, ct_image_sha256: str | None) -> ScanRecord:
    """The row of ``scans``; ``ct`` and ``ct_image_sha256`` (its digest in the lake) are None when there is no CT.

    Raises
    ------
    DicomError
        PET_SERIES_MISSING.
    """
    record = scan.require_pet()
    reconstruction = reconstruction_of(pet.header.reconstruction_method, pet.header.time_of_flight)
    durations = {one.frame_duration_s for one in pet.slices}
    pet_x, pet_y, pet_z = pet.volume.geometry.spacing_mm
    ct_spacing = (None, None, None) if ct is None else ct.volume.geometry.spacing_mm
    return ScanRecord(
        patient_id=scan.patient_id,
        scan_id=scan.scan_id,
        time_point=scan.time_point,
        study_instance_uid=record.study_instance_uid,
        scan_date=pet.acquisition_date or record.series_date,
        pet_series_instance_uid=record.series_instance_uid,
        ct_series_instance_uid=None if ct is None else ct.series_instance_uid,
        manufacturer=pet.header.manufacturer,
        manufacturer_model_name=pet.header.manufacturer_model_name,
        software_versions=pet.header.software_versions,
        reconstruction_method=pet.header.reconstruction_method,
        reconstruction_has_psf=reconstruction.has_psf,
        reconstruction_has_tof=reconstruction.has_tof,
        reconstruction_iterations=reconstruction.n_iterations,
        reconstruction_subsets=reconstruction.n_subsets,
        pet_convolution_kernel=pet.header.convolution_kernel,
        pet_frame_duration_s=durations.pop() if len(durations) == 1 else None,
        pet_spacing_x_mm=pet_x,
        pet_spacing_y_mm=pet_y,
        pet_spacing_z_mm=pet_z,
        pet_n_slices=pet.volume.geometry.shape[0],
        ct_convolution_kernel=None if ct is None else ct.convolution_kernel,
        ct_contrast_agent=None if ct is None else ct.contrast_agent,
        ct_has_contrast=None if ct is None else has_contrast(ct.contrast_agent),
        ct_kvp=None if ct is None else ct.kvp,
        ct_spacing_x_mm=ct_spacing[0],
        ct_spacing_y_mm=ct_spacing[1],
        ct_spacing_z_mm=ct_spacing[2],
        ct_n_slices=None if ct is None else ct.volume.geometry.shape[0],
        ct_image_sha256=ct_image_sha256,
    )
