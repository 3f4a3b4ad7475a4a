"""External exams beside the study: each is run when its code or its reference data are no longer those it ran with."""

import hashlib
import importlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from assets.settings import StudySettings
from assets.tables import code_versions
from petct.conformance.exam import EXAM_FOLDERS, Exam, Verdict
from petct.errors import PetctError
from petct.settings_digest import canonical_json
from records.cohort import ConformanceRow
from warehouse.errors import WarehouseError
from warehouse.storage.lake import Lake

CONFORMANCE = "conformance"
NOT_RUN = "not_run"
_WHOLE = "all"


def write_conformance(settings: StudySettings) -> dict[str, int]:
    """Run the exams of the study and write their lines; the number of lines by verdict."""
    rows = [row for name in settings.conformance.exams for row in _examined(settings, name)]
    Lake(settings.lake).write(CONFORMANCE, None, rows)
    return dict(Counter(row.verdict for row in rows))


def conformance_if_stale(settings: StudySettings) -> tuple[str, ...]:
    """The table, when it is not what the exams would give now, else nothing."""
    wanted = {(name, _run_sha256(settings, name)) for name in settings.conformance.exams}
    try:
        rows = Lake(settings.lake).read(CONFORMANCE, None, ConformanceRow)
    except WarehouseError as error:
        if error.code not in ("TABLE_NOT_COMPUTED", "LAKE_FILE_OUTDATED", "LAKE_FILE_CORRUPT"):
            raise
        return (CONFORMANCE,)
    return () if {(row.exam, row.run_sha256) for row in rows} == wanted else (CONFORMANCE,)


def _examined(settings: StudySettings, name: str) -> Iterator[ConformanceRow]:
    digest = _run_sha256(settings, name)
    folder = _folder(settings, name)
    if folder is None or not folder.is_dir():
        where = "study.yaml does not name their folder (conformance: data)" if folder is None else "they are not there"
        note = f"The exam needs public reference data in a folder {EXAM_FOLDERS[name]}: {where}."
        yield ConformanceRow(name, _WHOLE, _WHOLE, None, None, None, NOT_RUN, note, digest)
        return
    run: Callable[[Path], Exam] = importlib.import_module(f"petct.conformance.{name}").run
    try:
        lines = run(folder).lines
    except PetctError as error:
        yield ConformanceRow(name, _WHOLE, _WHOLE, None, error.code, None, Verdict.FAIL.value, error.sentence(), digest)
        return
    if not lines:
        note = "There was nothing to examine in the folder of the reference data."
        yield ConformanceRow(name, _WHOLE, _WHOLE, None, None, None, Verdict.FAIL.value, note, digest)
    for line in lines:
        yield ConformanceRow(
            name,
            line.case,
            line.quantity,
            line.expected,
            line.found,
            line.tolerance,
            line.verdict.value,
            line.note or None,
            digest,
        )


def _folder(settings: StudySettings, name: str) -> Path | None:
    data = settings.conformance.data_folder
    return None if data is None else data / EXAM_FOLDERS[name]


def _run_sha256(settings: StudySettings, name: str) -> str:
    """Digest of the versions of the code and of the names and sizes of the reference data; it holds no place."""
    folder = _folder(settings, name)
    files = [] if folder is None else sorted(path for path in folder.rglob("*") if path.is_file())
    contents = [[path.relative_to(folder).as_posix(), path.stat().st_size] for path in files if folder is not None]
    return hashlib.sha256(
        canonical_json({"exam": name, "code": code_versions(), "files": contents}).encode()
    ).hexdigest()
