"""The steps from a patient's row of the clinical table to typed values and survival times."""

from assets.clinical_row import clinical_row, declared
from assets.patient_data import Measure, PatientData, StepOutput
from assets.records import RefusalRecord, refusal
from petct.clinical import EndpointRecord, endpoint, parse_patient
from petct.dicom.index import Finding
from petct.errors import ClinicalError, PetctError


def clinical_step(data: PatientData) -> StepOutput:
    """Typed values of the declared variables."""
    patient_id = data.patient_id
    parsed = parse_patient(clinical_row(data, "clinical_cells"), declared(data.settings))
    findings = tuple(
        Finding(
            patient_id=patient_id,
            scan_id=None,
            series_instance_uid=None,
            table_name="clinical",
            code=adaptation.code,
            severity="info",
            message=f"{adaptation.column}: {adaptation.value_from!r} was read as {adaptation.value_to!r}",
        )
        for adaptation in parsed.adaptations
    )
    missing = sum(value.status == "MISSING" for value in parsed.values)
    return StepOutput(
        parsed.values,
        findings=findings,
        refusals=tuple(refusal(error, patient_id=patient_id, table="clinical") for error in parsed.refusals),
        measures=(Measure("values recorded", len(parsed.values) - missing), Measure("values missing", missing)),
    )


def endpoints_step(data: PatientData) -> StepOutput:
    """Survival times from origin to event or censoring, with the baseline scan where there is one."""
    row, spec, patient_id = clinical_row(data, "clinical_cells"), declared(data.settings), data.patient_id
    try:
        scans = data.scans()
    except PetctError:
        # A patient without a usable scan has a survival time all the same; the scans' own refusal says why.
        scans = ()
    records: list[EndpointRecord] = []
    refusals: list[RefusalRecord] = []
    for endpoint_spec in spec.endpoints:
        try:
            records.append(
                endpoint(
                    row,
                    spec,
                    endpoint_spec,
                    [(scan.scan_id, scan.scan_date) for scan in scans],
                    data.settings.baseline_within_days,
                )
            )
        except ClinicalError as error:
            refusals.append(refusal(error, patient_id=patient_id, table="endpoints"))
    return StepOutput(
        records if records or not refusals else None,
        refusals=tuple(refusals),
        measures=(Measure("endpoints", len(records)),),
    )
