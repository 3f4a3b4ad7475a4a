"""A folder tree of DICOM files as an index: every file, every series with its role, and what was found on the way."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from petct.dicom import roles
from petct.dicom.declarations import DeclaredMasks, DeclaredPet, is_volume
from petct.dicom.declared import volume_instance
from petct.dicom.declared_masks import mask_instance
from petct.dicom.dicomdir import missing_files
from petct.dicom.instances import PATIENT_ID, Instance, read_instance
from petct.dicom.parsing import lenient_parsing
from petct.dicom.patients import patient_findings
from petct.dicom.quality import series_findings, without_duplicates
from petct.dicom.records import DicomIndex, SetAside
from petct.errors import DicomError
from records.imaging import FileRecord, Finding, SeriesRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


_DICOM_SUFFIXES = {".dcm", ".dicom", ".ima"}


def index_folder(
    root: Path,
    known: Mapping[str, FileRecord] | None = None,
    on_file: Callable[[int], None] | None = None,
    choice: roles.SeriesChoice | None = None,
    declared: Sequence[DeclaredPet | DeclaredMasks] = (),
) -> DicomIndex:
    """Index every file below ``root``, whatever its name and depth, in one pass per file and without decoding pixels.

    Parameters
    ----------
    root
        The DICOM root. Nothing in the index depends on where it lies.
    known
        Records of an earlier index by relative path: a file of the same size and modification time keeps its digest.
    on_file
        Called with the number of files read so far.
    choice
        Which series to prefer among several of a scan.
    declared
        PET volumes and masks below ``root`` that are not DICOM.

    Raises
    ------
    DicomError
        DICOM_ROOT_MISSING.
    """
    if not root.is_dir():
        raise DicomError(
            "DICOM_ROOT_MISSING",
            "The DICOM folder does not exist",
            found=str(root),
            hint="Check the path in study.yaml.",
        )
    instances: list[Instance] = []
    unreadable: list[tuple[str, DicomError]] = []
    with lenient_parsing():
        for count, (relative, path) in enumerate(_files_below(root), start=1):
            try:
                instances.append(_read(path, relative, (known or {}).get(relative), declared))
            except OSError as error:
                unreadable.append(
                    (relative, DicomError("FILE_UNREADABLE", f"The file cannot be read: {error.strerror}"))
                )
            except DicomError as error:
                unreadable.append((relative, error))
            if on_file is not None:
                on_file(count)
        findings = _directory_findings(root, [relative for relative, error in unreadable if error.code == "DICOMDIR"])
    set_aside, unreadable_findings = _set_aside(unreadable, instances)

    by_patient: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        by_patient[instance.record.patient_id].append(instance)
    files: list[FileRecord] = []
    series: list[SeriesRecord] = []
    findings += unreadable_findings + patient_findings(instances)
    for patient_id in sorted(by_patient):
        of_files, of_series, of_findings, duplicates = _index_patient(patient_id, by_patient[patient_id], choice)
        files.extend(of_files)
        series.extend(of_series)
        findings.extend(of_findings)
        set_aside.extend(duplicates)
    return DicomIndex(
        tuple(files),
        tuple(series),
        tuple(sorted(set(findings), key=_order)),
        tuple(sorted(set_aside, key=lambda s: (s.path, s.code))),
    )


def index_files(
    root: Path,
    files: Sequence[FileRecord],
    choice: roles.SeriesChoice | None = None,
    declared: Sequence[DeclaredPet | DeclaredMasks] = (),
) -> DicomIndex:
    """Index again the files of one patient that an earlier index found below ``root``, by the same rules.

    Raises
    ------
    DicomError
        FILE_MISSING or FILE_CHANGED when a file is no longer what was indexed; what ``index_folder`` sets aside for.
    """
    instances = []
    with lenient_parsing():
        for file in files:
            path = root / file.path
            if not path.is_file():
                raise _not_as_indexed("FILE_MISSING", "A file that was ingested is no longer there", file)
            instance = _read(path, file.path, file, declared)
            if instance.record.sha256 != file.sha256:
                raise _not_as_indexed("FILE_CHANGED", "A file is no longer the one that was ingested", file)
            instances.append(instance)
    if not instances:
        return DicomIndex((), (), (), ())
    of_files, series, findings, set_aside = _index_patient(instances[0].record.patient_id, instances, choice)
    return DicomIndex(tuple(of_files), tuple(series), tuple(sorted(set(findings), key=_order)), tuple(set_aside))


def _read(
    path: Path, relative: str, known: FileRecord | None, declared: Sequence[DeclaredPet | DeclaredMasks]
) -> Instance:
    if not is_volume(relative):
        return read_instance(path, relative, known)
    pets = [one for one in declared if isinstance(one, DeclaredPet)]
    if not any(one.match(relative) for one in pets):
        for one in declared:
            if isinstance(one, DeclaredMasks) and one.match(relative):
                return mask_instance(path, relative, known, one)
    return volume_instance(path, relative, known, pets)


def _order(finding: Finding) -> tuple[str, str, str, str]:
    return (finding.patient_id, finding.code, finding.series_instance_uid or "", finding.message)


def _not_as_indexed(code: str, message: str, file: FileRecord) -> DicomError:
    return DicomError(
        code,
        message,
        patient_id=file.patient_id,
        series_instance_uid=file.series_instance_uid,
        found=file.path,
        hint="Run `petlake ingest` again.",
    )


def _files_below(root: Path) -> Iterator[tuple[str, Path]]:
    """Every file once, sorted by relative path; linked folders are followed unless they lead back up."""
    found: list[tuple[str, Path]] = []
    visited: set[str] = set()
    for folder, subfolders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in visited:
            subfolders.clear()
            continue
        visited.add(real)
        subfolders.sort()
        here = Path(folder)
        found.extend(((here / name).relative_to(root).as_posix(), here / name) for name in names)
    yield from sorted(found)


def _set_aside(
    unreadable: Sequence[tuple[str, DicomError]], instances: Sequence[Instance]
) -> tuple[list[SetAside], list[Finding]]:
    """Files that are not in the index, and a finding for the patient a damaged one lay with."""
    patients: dict[str, set[str]] = defaultdict(set)
    suffixes: dict[str, set[str]] = defaultdict(set)
    for instance in instances:
        path = PurePosixPath(instance.record.path)
        suffixes[str(path.parent)].add(path.suffix.lower())
        for folder in path.parents:
            patients[str(folder)].add(instance.record.patient_id)
    set_aside: list[SetAside] = []
    findings: list[Finding] = []
    for relative, error in unreadable:
        path = PurePosixPath(relative)
        code, message = error.code, error.sentence()
        if code == "DICOM_PREFIX_MISSING":
            if path.suffix.lower() not in _DICOM_SUFFIXES | suffixes[str(path.parent)]:
                set_aside.append(SetAside(relative, "NOT_DICOM", "The file is not DICOM"))
                continue
            code, message = "DICOM_UNREADABLE", "The file is named like DICOM but does not begin like it"
        set_aside.append(SetAside(relative, code, message))
        # The nearest folder that holds readable files tells whose it was, when they are all of one patient.
        nearest = next((patients[str(folder)] for folder in path.parents if patients.get(str(folder))), set())
        owner = error.patient_id or (next(iter(nearest)) if len(nearest) == 1 else None)
        if owner is not None and (code in ("DICOM_UNREADABLE", "FILE_UNREADABLE") or error.patient_id is not None):
            findings.append(
                Finding(
                    owner,
                    None,
                    None,
                    "files",
                    "INDEX_FILE_UNREADABLE",
                    "warning",
                    f"{relative} lies among the patient's files and cannot be read: {code}",
                )
            )
    return set_aside, findings


def _directory_findings(root: Path, directories: Sequence[str]) -> list[Finding]:
    """What a DICOMDIR lists and is not there; a damaged directory costs nothing, every file is looked at anyway."""
    present = {relative for relative, _ in _files_below(root)} if directories else set()
    findings = []
    for directory in directories:
        with suppress(DicomError):
            for patient_id, missing in missing_files(root / directory, directory, present).items():
                if patient_id is None or not PATIENT_ID.fullmatch(patient_id):
                    continue
                message = f"{directory} lists {len(missing)} files of the patient that are not there: {missing[0]}, ..."
                findings.append(
                    Finding(patient_id, None, None, "files", "INDEX_LISTED_FILE_MISSING", "warning", message)
                )
    return findings


def _index_patient(
    patient_id: str, instances: Sequence[Instance], choice: roles.SeriesChoice | None
) -> tuple[list[FileRecord], list[SeriesRecord], list[Finding], list[SetAside]]:
    findings: list[Finding] = []
    kept, set_aside = without_duplicates(instances, findings)
    by_series: dict[str, list[Instance]] = defaultdict(list)
    for instance in kept:
        by_series[instance.record.series_instance_uid].append(instance)
    candidates = [_candidate(group) for _, group in sorted(by_series.items())]
    assignment = roles.assign(candidates, choice)
    scan_ids = _scan_ids(candidates, assignment)

    records: list[SeriesRecord] = []
    for candidate in candidates:
        series_uid = candidate.series_instance_uid
        group = by_series[series_uid]
        first = group[0]
        digests = "\n".join(sorted(instance.record.sha256 for instance in group))
        records.append(
            SeriesRecord(
                patient_id=patient_id,
                scan_id=scan_ids[assignment.scan_study[series_uid]],
                series_instance_uid=series_uid,
                study_instance_uid=first.study_instance_uid,
                frame_of_reference_uid=first.frame_of_reference_uid,
                modality=first.modality,
                role=assignment.role[series_uid],
                set_aside_code=assignment.code[series_uid],
                series_description=first.series_description,
                series_date=first.series_date or first.study_date,
                series_time=None if first.series_time is None else first.series_time.isoformat(),
                n_instances=len(group),
                referenced_series_instance_uid=candidate.referenced_series_instance_uid,
                sha256=hashlib.sha256(digests.encode()).hexdigest(),
            )
        )
        findings.extend(series_findings(records[-1], group))
    scan_of = {record.series_instance_uid: record.scan_id for record in records}
    for kind, winner, losers in assignment.chosen:
        findings.append(
            Finding(
                patient_id,
                scan_of[winner],
                winner,
                "series",
                f"INDEX_SEVERAL_{kind}_SERIES",
                "warning",
                f"Chosen among {len(losers) + 1} {kind} series of the study: {roles.CHOICE_RULE}, in this order. "
                f"Set aside: {', '.join(losers)}",
            )
        )
    files = sorted((i.record for i in kept), key=lambda r: (r.series_instance_uid, r.sop_instance_uid))
    return files, records, findings, set_aside


def _candidate(group: Sequence[Instance]) -> roles.Candidate:
    first = group[0]
    found = {roles.role_of(instance) for instance in group}
    role, code = found.pop() if len(found) == 1 else (roles.NONE, "MIXED_IMAGE_TYPES")
    acquisition_dates = [i.acquisition_date for i in group if i.acquisition_date is not None]
    return roles.Candidate(
        series_instance_uid=first.record.series_instance_uid,
        study_instance_uid=first.study_instance_uid,
        frame_of_reference_uid=first.frame_of_reference_uid,
        role=role,
        set_aside_code=code,
        n_images=sum(instance.number_of_frames for instance in group),
        series_time=f"{first.series_date or ''} {first.series_time or ''}",
        scan_date=min(acquisition_dates, default=None) or first.series_date or first.study_date,
        study_date=first.study_date or first.series_date,
        referenced_series_instance_uid=first.referenced_series_instance_uid,
        series_description=first.series_description,
        series_number=first.series_number,
    )


def _scan_ids(candidates: Sequence[roles.Candidate], assignment: roles.Assignment) -> dict[str, str]:
    """Study UID -> scan id: the date of its PET (else of its CT, else of the study) and a digest of the UID."""
    scan_ids: dict[str, str] = {}
    for study in sorted(set(assignment.scan_study.values())):
        members = [c for c in candidates if assignment.scan_study[c.series_instance_uid] == study]
        dates = [
            date
            for kind in (roles.PET, roles.CT)
            for c in members
            if assignment.role[c.series_instance_uid] == kind and (date := c.scan_date) is not None
        ]
        dates += sorted(c.study_date for c in members if c.study_date is not None)
        digest = hashlib.sha256(study.encode()).hexdigest()[:8]
        scan_ids[study] = f"{dates[0]:%Y%m%d}-{digest}" if dates else f"undated-{digest}"
    return scan_ids
