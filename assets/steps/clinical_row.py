"""A patient's row of the clinical table, from the cells that `petlake ingest` kept."""

from assets.ingest_clinical import columns_of_tables
from assets.settings import StudySettings
from assets.steps.patient_data import PatientData
from petct.clinical.rows import index_rows
from petct.clinical.spec import ClinicalSpec
from petct.errors import ClinicalError
from records.clinical import ClinicalCell


def declared(settings: StudySettings) -> ClinicalSpec:
    """The roles of the clinical columns; raises ``ClinicalError`` CLINICAL_NOT_DECLARED."""
    if settings.clinical is None:
        raise ClinicalError(
            "CLINICAL_NOT_DECLARED",
            "study.yaml declares no clinical table",
            keyword="clinical",
            hint="Add a section `clinical` to study.yaml.",
        )
    return settings.clinical


def clinical_row(data: PatientData, table: str) -> tuple[dict[str, str], int]:
    """The row of the patient as text by column, and how many times the file has it.

    Parameters
    ----------
    table
        ``clinical_cells``, or ``suv_override_cells`` for what an SUV depends on.

    Raises
    ------
    ClinicalError
        CLINICAL_ROW_MISSING, CLINICAL_NOT_INGESTED, and the refusals of ``index_rows``.
    """
    spec, patient_id = declared(data.settings), data.patient_id
    cells = data.lake.read_if_computed(table, patient_id, ClinicalCell)
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
    wanted = columns_of_tables(data.settings)[table]
    absent = [column for column in wanted if column not in columns]
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
    indexed = index_rows(columns, rows, spec, wanted)
    if indexed.refusals:
        raise indexed.refusals[0]
    return dict(indexed.rows[patient_id]), len(rows)
