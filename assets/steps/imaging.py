"""The steps from DICOM files to SUV: series, scans, suv."""

from assets.refusal_rows import refusal
from assets.settings import StudySettings
from assets.steps.clinical_row import clinical_row, declared
from assets.steps.patient_data import Measure, PatientData, StepOutput
from assets.steps.table import Check, PatientTable, Settings
from petct.dicom.images import CtSeries
from petct.dicom.index import index_files
from petct.dicom.scans import ScanSeries, scan_record
from petct.errors import DicomError, PetctError
from petct.suv.compute import compute_suv
from petct.suv.override_cells import NO_OVERRIDES, SuvOverrides, read_overrides
from petct.suv.plausibility import scan_findings
from records.imaging import (
    FileRecord,
    Finding,
    RefusalRecord,
    ScanRecord,
    SeriesRecord,
    SuvAdaptation,
    SuvRecord,
)
from warehouse.storage.lake import Lake


def series_step(data: PatientData) -> StepOutput:
    """Read the headers of the patient's files again, and check that they are the files that were ingested."""
    files = data.files()
    index = index_files(data.settings.dicom_folder, files, data.settings.series_choice, data.settings.declared)
    roles = [item.role for item in index.series]
    return StepOutput(
        index.series,
        findings=index.findings,
        measures=(
            Measure("files", len(files)),
            *(Measure(f"{role} series", roles.count(role)) for role in ("PET", "CT", "RTSTRUCT", "SEG", "LABELMAP")),
        ),
    )


def scans_step(data: PatientData) -> StepOutput:
    """One row per examination; the CT goes to the lake in Hounsfield units."""
    rows: list[ScanRecord] = []
    refusals: list[RefusalRecord] = []
    for scan in data.scan_series():
        if scan.pet is None:
            continue
        try:
            pet = data.pet(scan.pet)
            ct, ct_sha256 = _ct_of(data, scan, refusals)
            rows.append(scan_record(scan, pet, ct, ct_sha256))
        except PetctError as error:
            refusals.append(refusal(error, patient_id=data.patient_id, table="scans"))
    if not rows and not refusals:
        raise DicomError(
            "PET_SERIES_MISSING",
            "The patient has no attenuation-corrected PET series",
            patient_id=data.patient_id,
            found=", ".join(sorted({f"{s.modality} ({s.set_aside_code or s.role})" for s in data.series()}))
            or "no series",
            hint="The table `series` and `petlake ingest` say why a series was set aside.",
        )
    return StepOutput(rows or None, refusals=tuple(refusals), measures=(Measure("scans", len(rows)),))


def _ct_of(data: PatientData, scan: ScanSeries, refusals: list[RefusalRecord]) -> tuple[CtSeries | None, str | None]:
    """The CT where there is one; a CT that cannot be read is a refusal, a scan without CT is a scan all the same."""
    if scan.ct is None:
        return None, None
    try:
        ct = data.ct(scan)
    except PetctError as error:
        refusals.append(refusal(error, patient_id=data.patient_id, table="scans"))
        return None, None
    return ct, data.keep(ct.volume)


def suv_step(data: PatientData) -> StepOutput:
    """Body-weight SUV of each scan, with every adaptation that was needed."""
    rows: list[SuvRecord] = []
    adaptations: list[SuvAdaptation] = []
    findings: list[Finding] = []
    refusals: list[RefusalRecord] = []
    by_id = {scan.scan_id: scan for scan in data.scan_series()}
    scans = data.scans()
    overrides = _overrides_of(data)
    for record in scans:
        try:
            pet = data.pet(by_id[record.scan_id].require_pet())
            of_scan = overrides.of_scan(record.scan_date, len(scans))
            result = compute_suv(pet, record.scan_id, data.settings.suv_policy, of_scan)
            rows.append(result.record(data.keep(result.volume)))
            adaptations.extend(result.adaptations)
            findings.extend((*result.findings, *scan_findings(result, data.settings.tracer)))
        except PetctError as error:
            refusals.append(refusal(error, patient_id=data.patient_id, table="suv"))
    return StepOutput(
        rows or None,
        companions=(("suv_adaptations", adaptations),),
        findings=tuple(findings),
        refusals=tuple(refusals),
        measures=(
            Measure("scans", len(rows)),
            Measure("adaptations", len(adaptations)),
            *(Measure("largest SUV", row.suv_max, "SUV") for row in rows[:1]),
        ),
    )


def _overrides_of(data: PatientData) -> SuvOverrides:
    """What the patient's row of the clinical table says in place of the header; nothing where there is no row."""
    spec = data.settings.suv_overrides
    if spec is None or not data.lake.exists("suv_override_cells", data.patient_id):
        return NO_OVERRIDES
    row, _ = clinical_row(data, "suv_override_cells")
    return read_overrides(row, spec, declared(data.settings))


def _series_settings(study: StudySettings) -> Settings:
    return {
        "pet_series": list(study.series_choice.pet),
        "ct_series": list(study.series_choice.ct),
        "volumes": [[one.files, one.units.value] for one in study.declared_pet],
        "masks": [one.files for one in study.declared_masks],
    }


def _suv_settings(study: StudySettings) -> Settings:
    settings: dict[str, object] = {"policy": study.suv_policy.value, "tracer": study.tracer}
    if study.suv_overrides is not None and study.clinical is not None:
        settings["overrides"] = study.suv_overrides.settings()
        settings["missing_values"] = sorted(study.clinical.missing_values)
    return settings


def _series_miss_files(lake: Lake, patient_id: str) -> bool:
    n_files = len(lake.read_if_computed("files", patient_id, FileRecord))
    return sum(series.n_instances for series in lake.read_if_computed("series", patient_id, SeriesRecord)) != n_files


def _scan_ids_repeat(lake: Lake, patient_id: str) -> bool:
    scan_ids = [scan.scan_id for scan in lake.read_if_computed("scans", patient_id, ScanRecord)]
    return not scan_ids or len(set(scan_ids)) != len(scan_ids)


def _suv_implausible(lake: Lake, patient_id: str) -> bool:
    return any(not 0 < row.suv_max < 10_000 for row in lake.read_if_computed("suv", patient_id, SuvRecord))


SERIES = PatientTable(
    "series",
    "3",
    _series_settings,
    step=series_step,
    upstream=("dicom_files",),
    checks=(Check("accounts_for_every_file", "Every indexed file belongs to one series.", _series_miss_files),),
)
SCANS = PatientTable(
    "scans",
    "2",
    step=scans_step,
    upstream=("series",),
    checks=(Check("one_row_a_scan", "A computed patient has a scan, and no scan twice.", _scan_ids_repeat),),
)
SUV = PatientTable(
    "suv",
    "3",
    _suv_settings,
    step=suv_step,
    upstream=("series", "scans", "suv_overrides"),
    checks=(Check("plausible_maximum", "The largest SUV lies above 0 and below 10,000.", _suv_implausible),),
    companions=("suv_adaptations",),
)
