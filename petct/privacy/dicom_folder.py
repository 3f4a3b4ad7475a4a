"""A folder of DICOM de-identified into a new one: what is kept, what is dropped, and what was done, counted."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from petct.dicom import parsing, roles, values
from petct.dicom.records import SetAside
from petct.dicom.values import HeaderValueError
from petct.errors import DicomError, PetctError
from petct.privacy.confidentiality import Action
from petct.privacy.dicom_dataset import Cleaned, Note, deidentify_dataset
from petct.privacy.identity import IDENTITY_KEYWORDS, Identity, identity_of
from petct.privacy.pseudonyms import PseudonymError, Pseudonyms

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_IMAGE_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
    "1.2.840.10008.5.1.4.1.1.128.1": "PT",
    "1.2.840.10008.5.1.4.1.1.130": "PT",
    "1.2.840.10008.5.1.4.1.1.481.3": "RTSTRUCT",
    "1.2.840.10008.5.1.4.1.1.66.4": "SEG",
    "1.2.840.10008.5.1.4.1.1.66.7": "SEG",
}
_ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
_PRESENTATION = "1.2.840.10008.5.1.4.1.1.11."
_HEADER_TAGS = values.tags(
    (
        *IDENTITY_KEYWORDS,
        "SpecificCharacterSet",
        "SOPClassUID",
        "SOPInstanceUID",
        "SeriesInstanceUID",
        "ImageType",
        "SamplesPerPixel",
        "BurnedInAnnotation",
        "DirectoryRecordSequence",
    )
)


@dataclass(frozen=True)
class PatientFiles:
    """How many files of one modality a patient has in the new folder."""

    pseudonym: str
    modality: str
    n_files: int


@dataclass(frozen=True)
class AttributeCount:
    """How many values of one attribute met one action."""

    action: Action
    attribute: str
    n_values: int


@dataclass(frozen=True)
class DeidentificationNote:
    """Something in the files of a patient that a person should know of; never an original value."""

    pseudonym: str
    code: str
    attribute: str
    n_values: int


@dataclass(frozen=True)
class DeidentificationReport:
    """What de-identification did.

    Attributes
    ----------
    labels
        Names of regions and segments that were kept: the one kind of free text that stays, to be looked through.
    """

    files: tuple[PatientFiles, ...]
    dropped: tuple[SetAside, ...]
    attributes: tuple[AttributeCount, ...]
    notes: tuple[DeidentificationNote, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class _Source:
    path: Path
    relative: str
    patient_id: str
    modality: str


@contextmanager
def new_folder(destination: Path) -> Iterator[Path]:
    """A folder that appears as ``destination`` when the block ends well, and not at all otherwise.

    Raises
    ------
    DicomError
        DEID_DESTINATION_EXISTS: nothing is ever overwritten.
    """
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise DicomError(
            "DEID_DESTINATION_EXISTS",
            "The destination is there already, and nothing is overwritten",
            found=str(destination),
            expected="a folder that does not exist yet, or an empty one",
        )
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_name(f".{destination.name}.partial")
    if partial.exists():
        raise DicomError(
            "DEID_DESTINATION_EXISTS",
            "Another de-identification into this folder is running, or one was stopped",
            found=str(partial),
            hint="Delete that folder when no other run is writing it.",
        )
    partial.mkdir()
    try:
        yield partial
        partial.rename(destination)
    finally:
        if partial.exists():
            shutil.rmtree(partial)


def deidentify_folder(
    source: Path, target: Path, pseudonyms: Pseudonyms, on_file: Callable[[int, int], None] | None = None
) -> DeidentificationReport:
    """Write de-identified copies of the PET, CT, RTSTRUCT and SEG files below ``source`` into ``target``.

    A file becomes ``<pseudonym>/<modality>-<series>/<SOP Instance UID>.dcm``; nothing of its old name stays. What
    may show a name in its pixels or hold it in a document is dropped with its reason, like what cannot be read.

    Parameters
    ----------
    source, target
        ``target`` is an empty folder (``new_folder``).
    on_file
        Called with the number of files done and of all files.

    Raises
    ------
    DicomError
        DICOM_ROOT_MISSING, DEID_NOTHING_TO_DO.
    """
    if not source.is_dir():
        raise DicomError("DICOM_ROOT_MISSING", "The DICOM folder does not exist", found=str(source))
    paths = sorted(path for path in source.rglob("*") if path.is_file())
    dropped: list[SetAside] = []
    with parsing.lenient_parsing():
        sources, identities = _survey(source, paths, dropped)
        if not sources:
            raise DicomError(
                "DEID_NOTHING_TO_DO",
                "No PET, CT, RTSTRUCT or SEG file was found",
                found=f"{len(paths)} files, {len(dropped)} of them dropped",
                hint=None if not dropped else f"The first: {dropped[0].path}: {dropped[0].code}.",
            )
        counts: Counter[tuple[str, str]] = Counter()
        total, notes = Cleaned(), Counter[tuple[str, Note]]()
        for number, item in enumerate(sources, start=1):
            patient = pseudonyms.patient(item.patient_id)
            try:
                done = _write(item, target, pseudonyms, identities[item.patient_id])
            except (DicomError, PseudonymError) as error:
                dropped.append(SetAside(item.relative, error.code, error.message))
            else:
                counts[(patient.pseudonym, item.modality)] += 1
                total.actions.update(done.actions)
                total.labels |= done.labels
                notes.update({(patient.pseudonym, note): count for note, count in done.notes.items()})
            if on_file is not None:
                on_file(number, len(sources))
    return DeidentificationReport(
        tuple(PatientFiles(*key, n) for key, n in sorted(counts.items())),
        tuple(sorted(dropped, key=lambda one: one.path)),
        tuple(AttributeCount(action, name, n) for (name, action), n in sorted(total.actions.items())),
        tuple(DeidentificationNote(p, note.code, note.attribute, n) for (p, note), n in _sorted(notes)),
        tuple(sorted(total.labels)),
    )


def _sorted(notes: Counter[tuple[str, Note]]) -> list[tuple[tuple[str, Note], int]]:
    return sorted(notes.items(), key=lambda item: (item[0][0], item[0][1].code, item[0][1].attribute))


def _survey(source: Path, paths: list[Path], dropped: list[SetAside]) -> tuple[list[_Source], dict[str, Identity]]:
    """Look at every header first: what one file says of a patient must not stand in another."""
    sources: list[_Source] = []
    identities: dict[str, Identity] = {}
    for path in paths:
        relative = path.relative_to(source).as_posix()
        try:
            with path.open("rb") as stream:
                header = parsing.parse(stream, _HEADER_TAGS, stop_at=parsing.at_pixel_data).dataset
        except DicomError as error:
            dropped.append(SetAside(relative, error.code, error.message))
            continue
        except OSError as error:
            dropped.append(SetAside(relative, "FILE_UNREADABLE", f"The file cannot be read: {error.strerror}"))
            continue
        try:
            patient_id = values.text(header, "PatientID")
            reason = _reason_to_drop(header, patient_id)
        except HeaderValueError as error:
            dropped.append(SetAside(relative, "DEID_ELEMENT_DAMAGED", f"{error.keyword} of the file cannot be read"))
            continue
        if patient_id is not None:
            # What is dropped still knows names that a kept file may repeat.
            identities[patient_id] = identities.get(patient_id, Identity()).joined(identity_of(header))
        if reason is not None:
            dropped.append(SetAside(relative, *reason))
        elif patient_id is not None:
            sources.append(_Source(path, relative, patient_id, _IMAGE_CLASSES[str(values.text(header, "SOPClassUID"))]))
    return sources, identities


def _reason_to_drop(header: Dataset, patient_id: str | None) -> tuple[str, str] | None:
    """Code and sentence where a file is not copied; None where it is."""
    sop_class = values.text(header, "SOPClassUID") or ""
    words = {part.upper() for part in values.texts(header, "ImageType")}
    if "DirectoryRecordSequence" in header:
        return "DICOMDIR", "The directory of other files names their patients and is not copied"
    if (values.text(header, "BurnedInAnnotation") or "").upper() == "YES":
        return "DEID_BURNED_IN", "Burned In Annotation (0028,0301) is YES: the pixels may show a name"
    if sop_class.startswith(roles.SECONDARY_CAPTURE) or words & roles.SCREENS:
        return "DEID_SCREEN_CAPTURE", "A screen or secondary capture may show a name in its pixels"
    if sop_class.startswith(roles.REPORTS):
        return "DEID_REPORT", "A structured report (dose reports among them) holds text about the patient"
    if sop_class.startswith(_ENCAPSULATED):
        return "DEID_ENCAPSULATED_DOCUMENT", "An encapsulated document (PDF, CDA) cannot be cleaned"
    if sop_class.startswith(_PRESENTATION):
        return "DEID_PRESENTATION_STATE", "A presentation state may hold text that is drawn over the image"
    if sop_class not in _IMAGE_CLASSES:
        return "DEID_OBJECT_NOT_KEPT", "Only PET, CT, RTSTRUCT and SEG are copied"
    if values.text(header, "SamplesPerPixel") not in (None, "1"):
        return "DEID_SCREEN_CAPTURE", "A colour image is a picture of a screen"
    if patient_id is None:
        return "PATIENT_ID_MISSING", "Without a patient id nobody knows by which constant to shift the dates"
    missing = [k for k in ("SOPInstanceUID", "SeriesInstanceUID") if values.text(header, k) is None]
    if missing:
        return "DICOM_IDENTIFIER_MISSING", f"An identifier of the file is missing: {', '.join(missing)}"
    return None


def _write(item: _Source, target: Path, pseudonyms: Pseudonyms, identity: Identity) -> Cleaned:
    parsed = parsing.parse(item.path.read_bytes(), None, stop_at=lambda _tag: False)
    if parsed.truncated:
        raise DicomError("DICOM_UNREADABLE", "The file is cut short or damaged")
    dataset, patient = parsed.dataset, pseudonyms.patient(item.patient_id)
    path: Path | None = None
    try:
        done = deidentify_dataset(dataset, patient, pseudonyms, identity)
        path = _path_of(dataset, target / patient.pseudonym, item.modality)
        dataset.save_as(path, enforce_file_format=True)
    except (PetctError, OSError):
        raise
    except Exception as error:  # pydicom raises nearly any type of exception on damaged values
        if path is not None:
            path.unlink(missing_ok=True)
        message = f"A damaged element cannot be cleaned or written again ({type(error).__name__})"
        raise DicomError("DEID_ELEMENT_DAMAGED", message) from error
    return done


def _path_of(dataset: Dataset, folder: Path, modality: str) -> Path:
    """A new name from the new UIDs; a duplicate of an instance stays one, and the index says so."""
    series = str(dataset.SeriesInstanceUID).rsplit(".", 1)[-1][:10]
    within = folder / f"{modality}-{series}"
    within.mkdir(parents=True, exist_ok=True)
    path, copy = within / f"{dataset.SOPInstanceUID}.dcm", 2
    while path.exists():
        path = within / f"{dataset.SOPInstanceUID}-{copy}.dcm"
        copy += 1
    return path
