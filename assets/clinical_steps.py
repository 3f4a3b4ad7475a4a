"""The steps from a patient's row of the clinical table to typed values and survival times."""

from assets.ingest import ClinicalCell, columns_with_a_role
from assets.patient_data import Measure, PatientData, StepOutput
from assets.records import RefusalRecord, refusal
from assets.settings import StudySettings
from petct.clinical import ClinicalSpec, EndpointRecord, endpoint, index_rows, parse_patient
from petct.dicom.index import Finding
from petct.errors import ClinicalError, PetctError


def _spec(settings: StudySettings) -> ClinicalSpec:
    if settings.clinical is None:
        raise ClinicalError(
            "CLINICAL_NOT_DECLARED",
            "study.yaml declares no clinical table",
            keyword="clinical",
            hint="Add a section `clinical` to study.yaml.",
        )
    return settings.clinical


def _row(data: PatientData) -> dict[str, str]:
    spec, patient_id = _spec(data.settings), data.patient_id
    cells: tuple[ClinicalCell, ...] = ()
    if data.lake.exists("clinical_cells", patient_id):
        cells = data.lake.read("clinical_cells", patient_id, ClinicalCell)
    if not cells:
        raise ClinicalError(
            "CLINICAL_ROW_MISSING",
            "The clinical table has no row for the patient",
            patient_id=patient_id,
            keyword=spec.patient_id_column,
            expected="one row",
            hint="Add the row and run `petlake ingest`.",
        )
    columns = list(dict.fromkeys(cell.column for cell in cells))
    absent = [column for column in columns_with_a_role(spec) if column not in columns]
    if absent:
        raise ClinicalError(
            "CLINICAL_NOT_INGESTED",
            "study.yaml gives a role to a column that the last ingest did not look at",
            patient_id=patient_id,
            keyword=", ".join(absent),
            hint="Run `petlake ingest`.",
        )
    rows = [
        [next(cell.value for cell in cells if cell.row == number and cell.column == column) for column in columns]
        for number in sorted({cell.row for cell in cells})
    ]
    indexed = index_rows(columns, rows, spec)
    if indexed.refusals:
        raise indexed.refusals[0]
    return dict(indexed.rows[patient_id])


def clinical_step(data: PatientData) -> StepOutput:
    """Typed values of the declared variables."""
    patient_id = data.patient_id
    parsed = parse_patient(_row(data), _spec(data.settings))
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
    row, spec, patient_id = _row(data), _spec(data.settings), data.patient_id
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
