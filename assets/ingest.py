"""Ingest: index the DICOM folder and the clinical table, and lay down each patient's inputs in the lake."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assets.ingest_clinical import check_rows, clinical_cells, columns_of_tables, unknown_finding, unknown_patients
from assets.inputs import fingerprint
from assets.settings import StudySettings
from assets.sources import DICOM_FILES, SOURCES, Source
from petct.dicom.index import index_folder
from petct.dicom.records import DicomIndex, SetAside
from petct.dicom.roles import CONTOURS
from petct.errors import ClinicalError, DicomError
from records.clinical import ClinicalCell
from records.imaging import FileRecord, Finding, PatientRecord
from warehouse.storage.lake import Lake
from warehouse.storage.locks import patient_lock

# Above this share of patients without files, the folder is more likely to be away than the patients.
_MOST_LOST = 0.5


@dataclass(frozen=True)
class IngestedPatient:
    """A patient as found, with the digest of each input there is, and whether they differ from the last time's."""

    record: PatientRecord
    sha256: Mapping[str, str | None]
    is_new: bool
    files_changed: bool
    cells_changed: bool


@dataclass(frozen=True)
class IngestReport:
    """What an ingest took and what it set aside.

    Attributes
    ----------
    gone
        Patients of an earlier ingest of whom nothing is left in the sources. Their tables are stale, and the next
        `petlake materialize` refuses them for want of input.
    clinical_set_aside
        Rows of the clinical table without a usable patient id.
    unknown
        Patients of the clinical table without any DICOM file, each with the id among the DICOM files that is most like
        it, if there is one.
    """

    patients: tuple[IngestedPatient, ...]
    set_aside: tuple[SetAside, ...]
    clinical_set_aside: tuple[ClinicalError, ...]
    gone: tuple[str, ...]
    unknown: tuple[tuple[str, str | None], ...] = ()


def ingest(
    settings: StudySettings, on_file: Callable[[int], None] | None = None, *, allow_loss: bool = False
) -> IngestReport:
    """Index DICOM and clinical data, and write ``files``, ``clinical_cells`` and ``patients`` for each patient.

    Parameters
    ----------
    on_file
        Called with the number of files read so far.
    allow_loss
        Accept that most patients have lost their files or their rows of the clinical table.

    Raises
    ------
    DicomError
        DICOM_FOLDER_MISSING; DICOM_FILES_LOST.
    WarehouseError, ClinicalError
        When the clinical table cannot be read or lacks a column that study.yaml names; CLINICAL_ROWS_LOST.
    """
    lake = Lake(settings.lake)
    index = _index(settings, lake, on_file)
    cells, clinical_set_aside = clinical_cells(settings)
    files: dict[str, list[FileRecord]] = defaultdict(list)
    for file in index.files:
        files[file.patient_id].append(file)
    if not allow_loss:
        _check_loss(lake, files)
        if settings.clinical is not None:
            check_rows(lake, cells)
    unknown = unknown_patients(cells, files)
    before = set(lake.patients("patients"))
    found = sorted(set(files) | set(cells))
    patients = tuple(
        _write(
            lake,
            settings,
            patient_id,
            index,
            files.get(patient_id, []),
            cells.get(patient_id, []),
            unknown_finding(patient_id, unknown),
        )
        for patient_id in found
    )
    gone = tuple(sorted(before - set(found)))
    for patient_id in gone:
        _write(lake, settings, patient_id, index, [], [], ())
    return IngestReport(patients, index.set_aside, clinical_set_aside, gone, tuple(sorted(unknown.items())))


def _index(settings: StudySettings, lake: Lake, on_file: Callable[[int], None] | None) -> DicomIndex:
    if not settings.dicom_folder.is_dir():
        raise DicomError(
            "DICOM_FOLDER_MISSING",
            "The DICOM folder of the study does not exist",
            keyword="dicom.folder in study.yaml",
            found=str(settings.dicom_folder),
            hint="Name the folder that holds the DICOM files, absolute or relative to study.yaml.",
        )
    known = {
        file.path: file for patient_id in lake.patients("files") for file in lake.read("files", patient_id, FileRecord)
    }
    return index_folder(settings.dicom_folder, known, on_file, settings.series_choice, settings.declared)


def _write(
    lake: Lake,
    settings: StudySettings,
    patient_id: str,
    index: DicomIndex,
    files: list[FileRecord],
    cells: list[ClinicalCell],
    findings: Sequence[Finding],
) -> IngestedPatient:
    series = [item for item in index.series if item.patient_id == patient_id] if files else []
    record = PatientRecord(
        patient_id,
        len(files),
        len(series),
        any(item.role == "PET" for item in series),
        any(item.role == "CT" for item in series),
        any(item.role in CONTOURS for item in series),
        bool(cells),
    )
    by_table = {
        table: [cell for cell in cells if cell.column in columns]
        for table, columns in columns_of_tables(settings).items()
    }
    rows: dict[Source, Sequence[FileRecord] | Sequence[ClinicalCell]] = {
        source: files if source is DICOM_FILES else by_table.get(source.table, []) for source in SOURCES.values()
    }
    with patient_lock(lake.root, patient_id):
        is_new = not lake.exists("patients", patient_id)
        had = {source: lake.exists(source.table, patient_id) for source in rows}
        before = {source: _fingerprint(lake, patient_id, source) for source in rows}
        for source in rows:
            _replace(lake, source.table, patient_id, rows[source])
        of_patient = [f for f in index.findings if f.patient_id == patient_id]
        _replace_findings(lake, patient_id, [*of_patient, *findings])
        lake.write("patients", patient_id, [record])
        after = {source: _fingerprint(lake, patient_id, source) for source in rows}
    changed = {source for source in rows if (had[source] or rows[source]) and after[source] != before[source]}
    return IngestedPatient(
        record,
        {source.name: after[source] if rows[source] else None for source in rows},
        is_new,
        DICOM_FILES in changed,
        bool(changed - {DICOM_FILES}),
    )


def _fingerprint(lake: Lake, patient_id: str, source: Source) -> str:
    return fingerprint(lake, patient_id, source.name, (source.table,))


def _replace_findings(lake: Lake, patient_id: str, findings: list[Finding]) -> None:
    """Keep the findings that only a walk of the whole folder can make; those of the series come with the series."""
    kept = lake.read_if_computed("qc_events", patient_id, Finding)
    rows = [f for f in kept if f.table_name != "files"] + [f for f in findings if f.table_name == "files"]
    lake.write("qc_events", patient_id, list(dict.fromkeys(rows)))


def _replace(lake: Lake, table: str, patient_id: str, rows: Sequence[FileRecord] | Sequence[ClinicalCell]) -> None:
    """Write the rows, or remove the table when there are none."""
    if rows:
        lake.write(table, patient_id, rows)
    else:
        lake.remove(table, patient_id)


def _check_loss(lake: Lake, files: Mapping[str, list[FileRecord]]) -> None:
    """A folder that is not mounted looks like one whose patients were all deleted."""
    before = lake.patients("files")
    lost = [patient_id for patient_id in before if patient_id not in files]
    if len(lost) > 1 and len(lost) > _MOST_LOST * len(before):
        raise DicomError(
            "DICOM_FILES_LOST",
            "Most patients have no DICOM files any more, and nothing was changed",
            keyword="dicom.folder in study.yaml",
            found=f"{len(lost)} of {len(before)} patients without files",
            hint="Is the folder there and readable? If they are meant to be gone, add --allow-loss.",
        )
