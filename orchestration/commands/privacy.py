"""``petlake deidentify`` and ``petlake lint-privacy``."""

import csv
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestration import console
from orchestration.pseudonym_file import check_outside, open_pseudonyms, save_pseudonyms
from orchestration.study import lake_root
from petct.errors import DicomError
from petct.privacy.clinical import DeidentifiedTable, deidentify_table
from petct.privacy.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    # Not at run time: `petlake lint-privacy` needs no DICOM.
    from petct.privacy.dicom_folder import DeidentificationReport

EXIT_SET_ASIDE = 3
# The places that a new study.yaml names.
_DICOM_FOLDER, _CLINICAL_FILE = "dicom", "clinical.csv"
_MOST_SHOWN = 40


@click.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("destination", type=click.Path(path_type=Path))
@click.option(
    "--mapping",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the pseudonym table and key in this file. It is read if it exists.  [default: DST.mapping.json]",
)
@click.option(
    "--clinical",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"Copy this clinical table to DST/{_CLINICAL_FILE}, with the dates moved like those of the images.",
)
@click.option(
    "--patient-id",
    "patient_id_column",
    help="Take this column of the clinical table as patient id.  [default: recognised by its values]",
)
@click.option(
    "--keep-column",
    "keep",
    multiple=True,
    help="Keep this column although it looks like free text. The option may be repeated.",
)
@console.JSON_OPTION
def deidentify(
    source: Path,
    destination: Path,
    mapping: Path | None,
    clinical: Path | None,
    patient_id_column: str | None,
    keep: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write de-identified copies of the DICOM files in SOURCE into DESTINATION/dicom; DESTINATION must be new.

    SUVs and masks stay exactly the same. All dates of a patient move by one secret number of days, UIDs and ids are
    replaced, and identifying attributes are removed (DICOM PS3.15 Annex E). The exit code is 3 if files were dropped.
    """
    from orchestration.commands.study import progress_bar
    from petct.privacy.dicom_folder import deidentify_folder, new_folder

    target = destination.absolute()
    if target.resolve().is_relative_to(source.resolve()) or source.resolve().is_relative_to(target.resolve()):
        raise DicomError(
            "DEID_DESTINATION_INSIDE",
            "The new folder and the source must not lie in one another",
            found=str(destination),
            expected=f"a place outside {source}",
        )
    secret = mapping or target.with_name(f"{target.name}.mapping.json")
    check_outside(secret, target, source)
    pseudonyms = open_pseudonyms(secret)
    with new_folder(target) as folder, progress_bar() as progress:
        task = progress.add_task("De-identifying", total=None)
        report = deidentify_folder(
            source, folder / _DICOM_FOLDER, pseudonyms, lambda done, of: progress.update(task, completed=done, total=of)
        )
        table = _write_table(clinical, folder, pseudonyms, patient_id_column, keep) if clinical else None
        # Before the folder appears: data whose key is lost could never be joined with later data of the patients.
        save_pseudonyms(secret, pseudonyms)
    if as_json:
        console.say_json(_as_json(report, table, destination, secret))
    else:
        _say(report, table, destination, secret)
    if report.dropped:
        sys.exit(EXIT_SET_ASIDE)


@click.command("lint-privacy")
@console.STUDY_OPTION
@console.JSON_OPTION
def lint_privacy(study_folder: Path, as_json: bool) -> None:
    """Search the lake for names, birth dates, contacts and free text.

    The exit code is 3 if there are any.
    """
    from assets.privacy import lint_lake

    findings = lint_lake(lake_root(study_folder))
    if as_json:
        console.say_json([vars(finding) for finding in findings])
    elif not findings:
        console.say("Nothing in the lake looks like a name, a birth date, a contact or free text.")
    else:
        console.say_table(
            ("code", "table", "column", "patient", "rows", "shape"),
            [(f.code, f.table, f.column, f.patient_id, f.n_rows, f.shape) for f in findings[:_MOST_SHOWN]],
        )
        if len(findings) > _MOST_SHOWN:
            console.say(f"... and {len(findings) - _MOST_SHOWN} more: petlake lint-privacy --json")
        console.say("De-identify the sources (`petlake deidentify`), or leave the column out of study.yaml.")
    if findings:
        sys.exit(EXIT_SET_ASIDE)


def _write_table(
    clinical: Path, folder: Path, pseudonyms: Pseudonyms, patient_id_column: str | None, keep: tuple[str, ...]
) -> DeidentifiedTable:
    from warehouse.imports import read_table

    original = read_table(clinical)
    table = deidentify_table(
        original.columns, original.rows, pseudonyms, patient_id_column=patient_id_column, keep=keep
    )
    with (folder / _CLINICAL_FILE).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([table.columns, *table.rows])
    return table


def _say(report: "DeidentificationReport", table: DeidentifiedTable | None, destination: Path, secret: Path) -> None:
    by_patient: dict[str, dict[str, int]] = defaultdict(dict)
    for item in report.files:
        by_patient[item.pseudonym][item.modality] = item.n_files
    modalities = sorted({item.modality for item in report.files})
    console.say_table(
        ("patient", *(f"{modality} files" for modality in modalities)),
        [(pseudonym, *(counts.get(m, 0) for m in modalities)) for pseudonym, counts in sorted(by_patient.items())],
    )
    by_action: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for count in report.attributes:
        by_action[count.action.value].append((count.attribute, count.n_values))
    console.say()
    console.say_table(
        ("what was done", "values", "attributes", "which"),
        [
            (action, sum(n for _, n in found), len(found), ", ".join(name for name, _ in sorted(found)))
            for action, found in sorted(by_action.items())
        ],
    )
    rows = [(note.code, note.pseudonym, note.attribute, note.n_values) for note in report.notes]
    if rows:
        console.say()
        console.say_table(("finding", "patient", "attribute", "values"), rows[:_MOST_SHOWN])
    if report.dropped:
        console.say()
        console.say_table(
            ("dropped", "code", "why"), [(d.path, d.code, d.message) for d in report.dropped[:_MOST_SHOWN]]
        )
        if len(report.dropped) > _MOST_SHOWN:
            console.say(f"... and {len(report.dropped) - _MOST_SHOWN} more files: --json lists them")
    console.say()
    console.say(f"Names of regions that were kept, please look through them: {', '.join(report.labels) or 'none'}")
    if table is not None:
        console.say(f"Clinical table: {len(table.rows)} rows, columns {', '.join(table.columns)}")
        for note in table.notes:
            console.say(f"  {note.column}: {note.code}: {note.message} ({note.n_cells})")
    console.say(
        f"Wrote {sum(item.n_files for item in report.files)} files of {len(by_patient)} patients to {destination}"
    )
    console.say(f"Next: petlake init {destination}, then say in its study.yaml what the columns and regions are")
    console.say(f"Pseudonym table and key file: {secret}. Keep it secret and apart from {destination}.")


def _as_json(
    report: "DeidentificationReport", table: DeidentifiedTable | None, destination: Path, secret: Path
) -> dict[str, object]:
    return {
        "destination": str(destination),
        "mapping": str(secret),
        "files": [vars(item) for item in report.files],
        "dropped": [vars(item) for item in report.dropped],
        "attributes": [vars(item) for item in report.attributes],
        "findings": [vars(item) for item in report.notes],
        "labels": list(report.labels),
        "clinical": None
        if table is None
        else {"n_rows": len(table.rows), "columns": list(table.columns), "findings": [vars(n) for n in table.notes]},
    }
