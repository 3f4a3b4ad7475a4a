"""The secret file of a de-identification: the key, and which patient became whom. It never lies with the data."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from petct.privacy.pseudonyms import PatientPseudonym, PseudonymError, Pseudonyms, new_key
from warehouse.storage.atomic import replacing

_ABOUT = (
    "Secret: whoever holds this file can tell who the patients are. Keep it where the source data are. "
    "The same file gives the same pseudonyms, dates and UIDs again; a pseudonym may be chosen here before a run."
)


def open_pseudonyms(path: Path) -> Pseudonyms:
    """The pseudonyms of an earlier run, or new ones with a new key where the file does not exist.

    Raises
    ------
    PseudonymError
        DEID_MAPPING_INVALID, and the codes of ``Pseudonyms``.
    """
    if not path.exists():
        return Pseudonyms(new_key())
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known = [PatientPseudonym(p["patient_id"], p["pseudonym"], int(p["shift_days"])) for p in content["patients"]]
        key = bytes.fromhex(content["key"])
    except (ValueError, KeyError, TypeError) as error:
        raise PseudonymError(
            "DEID_MAPPING_INVALID",
            "The mapping file cannot be read",
            keyword=path.name,
            found=f"{type(error).__name__}: {error}",
            expected='a JSON object with "key" (hexadecimal) and "patients" (patient_id, pseudonym, shift_days)',
        ) from error
    return Pseudonyms(key, known)


def save_pseudonyms(path: Path, pseudonyms: Pseudonyms) -> None:
    """Write the file, readable by its owner only; the old one is replaced as a whole."""
    content = {
        "about": _ABOUT,
        "key": pseudonyms.key.hex(),
        "patients": [asdict(patient) for patient in pseudonyms.patients],
    }
    with replacing(path) as temporary:
        # Nobody else may read it at any time, so its rights are those of its creation.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=2, ensure_ascii=False)
            stream.write("\n")


def check_outside(path: Path, *folders: Path) -> None:
    """Refuse a mapping file inside one of the folders; raises ``PseudonymError`` DEID_MAPPING_INSIDE."""
    for folder in folders:
        if path.resolve().is_relative_to(folder.resolve()):
            raise PseudonymError(
                "DEID_MAPPING_INSIDE",
                "The mapping file would travel with the data that it identifies",
                found=str(path),
                expected=f"a place outside {folder}",
                hint="Name another with --mapping.",
            )
