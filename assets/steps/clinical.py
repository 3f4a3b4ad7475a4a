"""The steps from a patient's row of the clinical table to typed values and survival times."""

from dataclasses import astuple
from datetime import date

from assets.refusal_rows import refusal
from assets.settings import StudySettings
from assets.steps.clinical_row import clinical_row, declared
from assets.steps.patient_data import Measure, PatientData, StepOutput
from assets.steps.table import Check, PatientTable, Settings
from petct.clinical.endpoints import ClinicalFinding, endpoint, endpoint_findings
from petct.clinical.rows import parse_patient
from petct.errors import ClinicalError, PetctError
from records.clinical import ClinicalValue, EndpointRecord
from records.imaging import Finding, RefusalRecord
from warehouse.storage.lake import Lake


def clinical_step(data: PatientData) -> StepOutput:
    """Typed values of the declared variables."""
    patient_id = data.patient_id
    row, n_rows = clinical_row(data, "clinical_cells")
    parsed = parse_patient(row, declared(data.settings))
    findings = [
        _finding(patient_id, "clinical", adaptation.code, "info", adaptation.message)
        for adaptation in parsed.adaptations
    ]
    if n_rows > 1:
        message = f"The patient has {n_rows} rows in the clinical table that say the same; one was taken."
        findings.append(_finding(patient_id, "clinical", "CLINICAL_ROW_REPEATED", "info", message))
    missing = sum(value.status == "MISSING" for value in parsed.values)
    return StepOutput(
        parsed.values,
        findings=tuple(findings),
        refusals=tuple(refusal(error, patient_id=patient_id, table="clinical") for error in parsed.refusals),
        measures=(Measure("values recorded", len(parsed.values) - missing), Measure("values missing", missing)),
    )


def endpoints_step(data: PatientData) -> StepOutput:
    """Survival times from origin to event or censoring, with the baseline scan where there is one."""
    (row, _), spec, patient_id = clinical_row(data, "clinical_cells"), declared(data.settings), data.patient_id
    try:
        scans = data.scans()
    except PetctError:
        # A patient without a usable scan has a survival time all the same; the scans' own refusal says why.
        scans = ()
    records: list[EndpointRecord] = []
    found: list[ClinicalFinding] = []
    refusals: list[RefusalRecord] = []
    for endpoint_spec in spec.endpoints:
        try:
            record = endpoint(
                row,
                spec,
                endpoint_spec,
                [(scan.scan_id, scan.scan_date) for scan in scans],
                data.settings.baseline_within_days,
            )
            records.append(record)
            # Refused here is only the day of a covariate, which leaves the time as it is.
            found.extend(endpoint_findings(row, spec, endpoint_spec, record))
        except ClinicalError as error:
            refusals.append(refusal(error, patient_id=patient_id, table="endpoints"))
    return StepOutput(
        records if records or not refusals else None,
        findings=tuple(_finding(patient_id, "endpoints", f.code, f.severity, f.message) for f in found),
        refusals=tuple(refusals),
        measures=(Measure("endpoints", len(records)),),
    )


def _finding(patient_id: str, table: str, code: str, severity: str, message: str) -> Finding:
    return Finding(patient_id, None, None, table, code, severity, message)


def _settings(study: StudySettings) -> dict[str, object]:
    if study.clinical is None:
        return {}
    return {
        "patient_id_column": study.clinical.patient_id_column,
        "missing_values": sorted(study.clinical.missing_values),
    }


def _value_settings(study: StudySettings) -> Settings:
    if study.clinical is None:
        return {}
    variables = [[v.name, v.column, v.kind, v.unit, v.bounds] for v in study.clinical.variables]
    return _settings(study) | {"variables": variables}


def _endpoint_settings(study: StudySettings) -> Settings:
    spec = study.clinical
    if spec is None:
        return {}
    return _settings(study) | {
        "endpoints": [astuple(each) for each in spec.endpoints],
        "measured_on": [[v.name, v.column, v.measured_on] for v in spec.variables if v.measured_on],
        "data_lock": spec.data_lock.isoformat() if isinstance(spec.data_lock, date) else None,
        "baseline_within_days": study.baseline_within_days,
    }


def _variables_repeat(lake: Lake, patient_id: str) -> bool:
    variables = [row.variable for row in lake.read_if_computed("clinical", patient_id, ClinicalValue)]
    return len(set(variables)) != len(variables)


def _times_negative(lake: Lake, patient_id: str) -> bool:
    return any(row.duration_days < 0 for row in lake.read_if_computed("endpoints", patient_id, EndpointRecord))


def _is_asked(study: StudySettings) -> bool:
    return study.clinical is not None


CLINICAL = PatientTable(
    "clinical",
    "2",
    _value_settings,
    step=clinical_step,
    upstream=("clinical_table",),
    checks=(Check("one_value_a_variable", "No variable is there twice.", _variables_repeat),),
    is_asked=_is_asked,
)
ENDPOINTS = PatientTable(
    "endpoints",
    "2",
    _endpoint_settings,
    step=endpoints_step,
    upstream=("clinical_table", "scans"),
    checks=(Check("no_negative_time", "No survival time is negative.", _times_negative),),
    is_asked=_is_asked,
)
