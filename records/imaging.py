"""Imaging: patients, files, series, scans, SUV, and what was found or refused on the way."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from records.columns import About, InCohort, Text, own, sentence
from records.keys import PatientId, ScanId, ScanIdOrNone, SeriesUid, SeriesUidOrNone
from records.table import Table


@dataclass(frozen=True)
class PatientRecord:
    """Registered patients: what was found for each in the DICOM folder and in the clinical table."""

    patient_id: PatientId
    n_files: Annotated[int, About("DICOM files that belong to the patient")]
    n_series: Annotated[int, About("DICOM series among them")]
    has_pet: Annotated[bool, About("An attenuation-corrected PET series was found")]
    has_ct: Annotated[bool, About("A CT series of a PET study was found")]
    has_contours: Annotated[bool, About("An RTSTRUCT or a DICOM SEG was found")]
    has_clinical: Annotated[bool, About("The clinical table has a row for the patient")]


@dataclass(frozen=True)
class FileRecord:
    """Every DICOM file that was indexed, with the digest of its bytes: the input of all that follows."""

    patient_id: PatientId
    series_instance_uid: SeriesUid
    sop_instance_uid: Annotated[str, About("SOP Instance UID (0008,0018)")]
    path: Annotated[str, About("Path below the DICOM root, with forward slashes", text=Text.PATH, identity=False)]
    size_bytes: Annotated[int, About("Size of the file", "byte")]
    modified_ns: Annotated[int, About("Modification time since the epoch", "ns", identity=False)]
    sha256: Annotated[str, own("SHA-256 of the file's bytes")]


@dataclass(frozen=True)
class SeriesRecord:
    """Every series with the role it was given, or the reason why it is not used."""

    patient_id: PatientId
    scan_id: ScanIdOrNone
    series_instance_uid: SeriesUid
    study_instance_uid: Annotated[str, About("Study Instance UID (0020,000D)")]
    frame_of_reference_uid: Annotated[str | None, About("Frame of Reference UID (0020,0052)")]
    modality: Annotated[str, About("Modality (0008,0060): PT, CT, RTSTRUCT, SEG, ...")]
    role: Annotated[
        str, own("PET, CT, RTSTRUCT, SEG or LABELMAP (a declared file of masks) when used; NONE when set aside")
    ]
    set_aside_code: Annotated[str | None, own("Why the series has no role")]
    series_description: Annotated[str | None, About("Series Description (0008,103E)")]
    series_date: Annotated[date | None, About("Series Date (0008,0021), or the study's")]
    series_time: Annotated[str | None, About("Series Time (0008,0031)")]
    n_instances: Annotated[int, About("Instances in the series")]
    referenced_series_instance_uid: Annotated[str | None, About("For contours: the series they were drawn on")]
    sha256: Annotated[str, own("SHA-256 over the sorted digests of the instances")]


@dataclass(frozen=True)
class ScanRecord:
    """One PET/CT examination: its series, scanner, reconstruction and geometry."""

    patient_id: PatientId
    scan_id: ScanId
    time_point: Annotated[int | None, About("1 for the patient's first scan, 2 for the second, ...; null undated")]
    study_instance_uid: Annotated[str, About("Study Instance UID (0020,000D)")]
    scan_date: Annotated[date | None, About("Acquisition date of the PET series", cohort=InCohort())]
    pet_series_instance_uid: Annotated[str, About("The PET series")]
    ct_series_instance_uid: Annotated[str | None, About("The CT series on the same frame of reference")]
    manufacturer: Annotated[str | None, About("Manufacturer (0008,0070) of the PET scanner", cohort=InCohort())]
    manufacturer_model_name: Annotated[str | None, About("Manufacturer's Model Name (0008,1090)", cohort=InCohort())]
    software_versions: Annotated[str | None, About("Software Versions (0018,1020) of the PET scanner", text=Text.VALUE)]
    reconstruction_method: Annotated[str | None, About("Reconstruction Method (0054,1103)", cohort=InCohort())]
    reconstruction_has_psf: Annotated[
        bool | None, About("The method names a PSF; null where it does not say", cohort=InCohort())
    ]
    reconstruction_has_tof: Annotated[
        bool | None, About("The method names time of flight; null where it does not", cohort=InCohort())
    ]
    reconstruction_iterations: Annotated[int | None, About("Iterations, where the method names them")]
    reconstruction_subsets: Annotated[int | None, About("Subsets, where the method names them")]
    pet_convolution_kernel: Annotated[
        str | None, About("Filter: Convolution Kernel (0018,1210) of the PET", cohort=InCohort())
    ]
    pet_frame_duration_s: Annotated[float | None, About("Actual Frame Duration (0018,1242), where it is one", "s")]
    pet_spacing_x_mm: Annotated[float, About("Column spacing of the PET image", "mm", cohort=InCohort())]
    pet_spacing_y_mm: Annotated[float, About("Row spacing of the PET image", "mm")]
    pet_spacing_z_mm: Annotated[float, About("Slice spacing of the PET image", "mm", cohort=InCohort())]
    pet_n_slices: Annotated[int, About("Slices of the PET image")]
    ct_convolution_kernel: Annotated[str | None, About("Convolution Kernel (0018,1210) of the CT", cohort=InCohort())]
    ct_contrast_agent: Annotated[str | None, About("Contrast/Bolus Agent (0018,0010) of the CT")]
    ct_has_contrast: Annotated[
        bool | None, About("An agent is named; false where none is said, null in silence", cohort=InCohort())
    ]
    ct_kvp: Annotated[float | None, About("KVP (0018,0060) of the CT", "kV")]
    ct_spacing_x_mm: Annotated[float | None, About("Column spacing of the CT image", "mm")]
    ct_spacing_y_mm: Annotated[float | None, About("Row spacing of the CT image", "mm")]
    ct_spacing_z_mm: Annotated[float | None, About("Slice spacing of the CT image", "mm")]
    ct_n_slices: Annotated[int | None, About("Slices of the CT image")]
    ct_image_sha256: Annotated[str | None, own("Digest of the CT volume (Hounsfield units) in the lake")]


@dataclass(frozen=True)
class SuvRecord:
    """How the PET image became body-weight SUV, and the digest of the result."""

    patient_id: PatientId
    scan_id: ScanId
    series_instance_uid: SeriesUid
    units: Annotated[str, About("Units (0054,1001) of the stored image")]
    decay_correction: Annotated[str, About("Decay Correction (0054,1102); DATETIME where Enhanced PET states the time")]
    radionuclide: Annotated[str | None, About("Nuclide, for example 68Ga")]
    radiopharmaceutical: Annotated[str | None, About("Radiopharmaceutical (0018,0031), or the meaning of its code")]
    half_life_s: Annotated[float | None, About("Radionuclide Half Life (0018,1075)", "s")]
    injected_dose_bq: Annotated[
        float | None, About("Radionuclide Total Dose (0018,1074), after adaptations", "Bq", cohort=InCohort())
    ]
    patient_weight_kg: Annotated[float | None, About("Patient's Weight (0010,1030), after adaptations", "kg")]
    patient_size_m: Annotated[float | None, About("Patient's Size (0010,1020), after adaptations", "m")]
    patient_sex: Annotated[str | None, About("Patient's Sex (0010,0040)")]
    administration_datetime: Annotated[datetime | None, About("When the dose was administered")]
    reference_datetime: Annotated[datetime | None, About("The time to which the image is decay corrected")]
    uptake_duration_s: Annotated[
        float | None, About("From administration to the reference time", "s", cohort=InCohort())
    ]
    sul_janma_per_suv_bw: Annotated[
        float | None, About("SUL (lean body mass by Janmahasatian) per body-weight SUV", "1", cohort=InCohort())
    ]
    sul_james_per_suv_bw: Annotated[float | None, About("SUL (lean body mass by James, 128) per body-weight SUV", "1")]
    suv_bsa_per_suv_bw: Annotated[float | None, About("SUV by body surface (DuBois) per body-weight SUV", "cm2/g")]
    suv_ibw_per_suv_bw: Annotated[float | None, About("SUV by ideal body weight per body-weight SUV", "1")]
    body_size_reason: Annotated[str | None, own("Why one of these factors is not there, for example SUV_SIZE_MISSING")]
    policy: Annotated[str, own("lenient (the guideline's adaptations) or strict (nothing is assumed)")]
    dose_share_in_field: Annotated[float | None, About("Activity in the field of view over the injected one", "1")]
    suv_max: Annotated[float, About("Largest SUV of the whole image", "SUV")]
    suv_image_sha256: Annotated[str, own("Digest of the SUV volume in the lake")]


@dataclass(frozen=True)
class SuvAdaptation:
    """Every deviation from the straight path from stored value to SUV."""

    patient_id: PatientId
    scan_id: ScanId
    series_instance_uid: SeriesUid
    code: Annotated[str, own("What was done, for example SUV_DOSE_MBQ")]
    keyword: Annotated[str, sentence("DICOM keyword concerned")]
    value_from: Annotated[str | None, About("The value in the header", text=Text.VALUE)]
    value_to: Annotated[str | None, About("The value that was used", text=Text.VALUE)]
    message: Annotated[str, sentence("The same as a sentence")]


@dataclass(frozen=True)
class Finding:
    """Findings that do not stop the work but that a reader should know."""

    patient_id: PatientId
    scan_id: ScanIdOrNone
    series_instance_uid: SeriesUidOrNone
    table_name: Annotated[str, own("The table whose computation raised it")]
    code: Annotated[str, own("What was found, for example INDEX_DUPLICATE_INSTANCE")]
    severity: Annotated[str, own("info or warning")]
    message: Annotated[str, sentence("The finding as a sentence")]


@dataclass(frozen=True)
class RefusalRecord:
    """What could not be computed, and why."""

    patient_id: PatientId
    table_name: Annotated[str, own("The table that lacks rows because of it")]
    code: Annotated[str, own("Why, for example CT_SERIES_MISSING")]
    message: Annotated[str, sentence("The same as a sentence")]
    series_instance_uid: SeriesUidOrNone
    keyword: Annotated[str | None, sentence("DICOM keyword or clinical column")]
    found: Annotated[str | None, sentence("What was found there")]
    expected: Annotated[str | None, sentence("What would have been accepted")]
    hint: Annotated[str | None, sentence("What to do about it")]


TABLES = (
    Table("patients", PatientRecord, "imaging", "patient", ("patient_id",)),
    Table("files", FileRecord, "imaging", "DICOM instance", ("patient_id", "sop_instance_uid")),
    Table("series", SeriesRecord, "imaging", "DICOM series", ("patient_id", "series_instance_uid")),
    Table("scans", ScanRecord, "imaging", "scan", ("patient_id", "scan_id")),
    Table("suv", SuvRecord, "imaging", "scan", ("patient_id", "scan_id")),
    Table("suv_adaptations", SuvAdaptation, "imaging", "adaptation", ("patient_id", "scan_id", "code", "keyword")),
    Table(
        "qc_events",
        Finding,
        "imaging",
        "finding",
        ("patient_id", "scan_id", "series_instance_uid", "table_name", "code", "message"),
    ),
    Table(
        "refusals",
        RefusalRecord,
        "imaging",
        "refusal",
        ("patient_id", "table_name", "code", "message", "series_instance_uid", "keyword", "found", "expected", "hint"),
    ),
)
