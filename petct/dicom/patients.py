"""Findings about whose files these are: ids that changed, files of one patient in the folder of another."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from records.imaging import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from petct.dicom.instances import Instance

_FEW = 0.1
_MOST_SHOWN = 5


def patient_findings(instances: Sequence[Instance]) -> list[Finding]:
    """Findings that need the files of all patients (``table_name`` files); each stands with every patient concerned."""
    return [*_changed_ids(instances), *_wrong_folders(instances), *_contradictions(instances)]


def _warning(patient_id: str, code: str, message: str, series_instance_uid: str | None = None) -> Finding:
    return Finding(patient_id, None, series_instance_uid, "files", code, "warning", message)


def _changed_ids(instances: Sequence[Instance]) -> Iterator[Finding]:
    """A study or series is of one patient; two ids of one are a changed id, or a copied UID."""
    series: dict[str, set[str]] = defaultdict(set)
    studies: dict[str, set[str]] = defaultdict(set)
    study_of: dict[str, str] = {}
    for instance in instances:
        record = instance.record
        series[record.series_instance_uid].add(record.patient_id)
        studies[instance.study_instance_uid].add(record.patient_id)
        study_of[record.series_instance_uid] = instance.study_instance_uid
    split = {study_of[uid] for uid, patients in series.items() if len(patients) > 1}
    for uid, patients in sorted(series.items()):
        for patient in sorted(patients) if len(patients) > 1 else ():
            others = ", ".join(sorted(patients - {patient})[:_MOST_SHOWN])
            message = f"Files of this series are also of patient {others}: the patient id was changed in part of them"
            yield _warning(patient, "INDEX_PATIENT_ID_CHANGED", message, uid)
    for uid, patients in sorted(studies.items()):
        if uid in split:
            continue
        for patient in sorted(patients) if len(patients) > 1 else ():
            others = ", ".join(sorted(patients - {patient})[:_MOST_SHOWN])
            message = f"Study {uid} also has series of patient {others}: the patient id was changed in part of it"
            yield _warning(patient, "INDEX_PATIENT_ID_CHANGED", message)


def _wrong_folders(instances: Sequence[Instance]) -> Iterator[Finding]:
    """A folder that bears another patient's id, or in which a few files are of another patient than nearly all."""
    ids = {instance.record.patient_id for instance in instances}
    named: dict[str, Counter[str]] = defaultdict(Counter)
    in_folder: dict[str, Counter[str]] = defaultdict(Counter)
    for instance in instances:
        record = instance.record
        path = PurePosixPath(record.path)
        in_folder[str(path.parent)][record.patient_id] += 1
        bearers = ids & set(path.parts[:-1])
        if bearers and record.patient_id not in bearers:
            named[record.patient_id][min(bearers)] += 1
    for patient, others in sorted(named.items()):
        for other, count in sorted(others.items()):
            message = f"{count} files of the patient lie in a folder named {other}, which is another patient's id"
            yield _warning(patient, "INDEX_WRONG_PATIENT_FOLDER", message)
    for folder, counts in sorted(in_folder.items()):
        owner, most = max(counts.items(), key=lambda item: (item[1], item[0]))
        total = sum(counts.values())
        for patient, count in sorted(counts.items()):
            if patient != owner and most >= (1 - _FEW) * total:
                where = folder if folder != "." else "the DICOM folder"
                message = f"{count} of {total} files in {where} are of this patient, nearly all others of {owner}"
                yield _warning(patient, "INDEX_WRONG_PATIENT_FOLDER", message)


def _contradictions(instances: Sequence[Instance]) -> Iterator[Finding]:
    """One id, but two people: what cannot change between scans does. The values are not shown."""
    stated: dict[tuple[str, str], set[str]] = defaultdict(set)
    for instance in instances:
        for keyword, value in instance.unchanging:
            stated[instance.record.patient_id, keyword].add(value)
    for (patient, keyword), values in sorted(stated.items()):
        if len(values) > 1:
            message = f"The files of the patient contradict each other in {keyword}: {len(values)} values"
            yield _warning(patient, "INDEX_PATIENT_CONTRADICTORY", message)
