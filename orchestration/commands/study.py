"""``petlake init``, ``ingest``, ``materialize`` and ``status``."""

import sys
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from assets.ingest import IngestReport
from assets.settings import StudySettings
from assets.status import State, feature_attrition, table_states
from assets.steps.order import asked_names
from assets.work import PatientOutcome
from orchestration import console
from orchestration.commands.reports import ingest_json, say_attrition, say_ingest, say_states, say_unwritten
from orchestration.proposal import proposal_yaml, propose
from orchestration.study import STUDY_FILE, StudyError, load_study
from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    # Not at run time: `petlake status` reads the lake and answers without Dagster.
    import dagster as dg

EXIT_SET_ASIDE = 3
_MOST_SHOWN = 12


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--clinical",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Propose the roles of the columns of this clinical table.",
)
def init(folder: Path, clinical: Path | None) -> None:
    """Make a new study in FOLDER, with a commented study.yaml."""
    target = folder / STUDY_FILE
    if target.exists():
        raise StudyError(
            "STUDY_EXISTS", "There is a study here already", found=str(target), hint="Choose another folder."
        )
    files = resources.files("orchestration")
    template = (files / "study_template.yaml").read_text(encoding="utf-8")
    if clinical is None:
        sections = (files / "study_template_clinical.yaml").read_text(encoding="utf-8")
    else:
        sections = proposal_yaml(propose(clinical), clinical, folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = template.replace("@NAME@", folder.resolve().name).replace("@CLINICAL@\n", sections)
    target.write_text(text, encoding="utf-8")
    console.say(f"Wrote {target}")
    if clinical is not None:
        console.say("It says of the clinical table what its columns seem to be; check every line:")
        console.say(sections)
    console.say("Next: say in it where the DICOM and the clinical table are, then run")
    console.say(f"  petlake ingest --study {folder}")


@click.command()
@console.STUDY_OPTION
@console.JSON_OPTION
@click.option(
    "--allow-loss",
    is_flag=True,
    help="Accept that most patients have lost their DICOM files or their rows in the clinical table.",
)
def ingest(study_folder: Path, as_json: bool, allow_loss: bool) -> None:
    """Index DICOM and clinical data and register the patients; list the files that are not used and why."""
    settings = load_study(study_folder)
    _check_roles(settings)
    report = run_ingest(settings, allow_loss=allow_loss)
    if as_json:
        console.say_json(ingest_json(report))
    else:
        say_ingest(report, with_clinical=settings.clinical is not None)
        console.say(f"Next: petlake materialize --study {study_folder}")
    if report.set_aside or report.clinical_set_aside:
        sys.exit(EXIT_SET_ASIDE)


@click.command()
@console.STUDY_OPTION
@click.option("--patients", "patients_text", help="Compute only these patients, separated by commas.")
@click.option(
    "--stale", "scope", flag_value="stale", help="Compute only tables whose input, settings or code have changed."
)
@click.option("--all", "scope", flag_value="all", help="Compute all tables again, also the fresh ones.")
@click.option(
    "--engine",
    type=click.Choice(["process"]),
    default="process",
    show_default=True,
    help="Choose what runs the computation.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Use this many worker processes.  [default: one per core]")
def materialize(
    study_folder: Path,
    patients_text: str | None,
    scope: Literal["stale", "all"] | None,
    engine: str,
    workers: int | None,
) -> None:
    """Compute what is missing, stale or was refused.

    The exit code is 0 if all is complete, 3 if some patients are incomplete, and 1 if the command is refused.
    """
    complete = run_materialize(load_study(study_folder), study_folder, patients_text, scope or "needed", workers)
    console.say(f"Next: petlake snapshot publish --study {study_folder}")
    if not complete:
        sys.exit(EXIT_SET_ASIDE)


@click.command()
@console.STUDY_OPTION
@console.JSON_OPTION
@click.option("--attrition", is_flag=True, help="Show only the counts of computed and missing features, by reason.")
def status(study_folder: Path, as_json: bool, attrition: bool) -> None:
    """Show the state of every table of every patient with the reasons, and the missing values of each feature set."""
    settings = load_study(study_folder)
    if attrition:
        counts = feature_attrition(settings)
        if as_json:
            console.say_json([asdict(row) for row in counts])
        elif counts:
            say_attrition(counts)
        else:
            console.say("No patient is registered yet. Run `petlake ingest`.")
        return
    states = table_states(settings)
    if as_json:
        console.say_json(
            [
                {"patient_id": s.patient_id, "table": s.table, "state": s.state.value, "reasons": list(s.reasons)}
                for s in states
            ]
        )
        return
    if not states:
        console.say("No patient is registered yet. Run `petlake ingest`.")
        return
    tables = asked_names(settings)
    by_patient: dict[str, dict[str, str]] = {}
    for state in states:
        by_patient.setdefault(state.patient_id, {})[state.table] = state.state.value
    console.say_table(
        ("patient", *tables), [(patient_id, *(row[t] for t in tables)) for patient_id, row in by_patient.items()]
    )
    say_states(states)
    try:
        say_attrition(feature_attrition(settings))
    except WarehouseError as error:
        # What the tables above say of the states stands without the counts.
        console.say(f"What the feature sets lose cannot be counted: {error.sentence()}")


def _check_roles(settings: StudySettings) -> None:
    """Refuse a clinical table of which study.yaml says no more than where it is, and show what it could say."""
    spec, path = settings.clinical, settings.clinical_file
    if spec is None or path is None or spec.variables or spec.endpoints or settings.suv_overrides is not None:
        return
    console.say(proposal_yaml(propose(path), path, settings.folder))
    raise StudyError(
        "CLINICAL_ROLES_MISSING",
        "study.yaml names a clinical table, but none of its columns",
        keyword="clinical.variables, endpoints",
        hint="The lines above are a proposal: check them and put them into study.yaml.",
    )


def run_ingest(settings: StudySettings, *, allow_loss: bool = False) -> IngestReport:
    """Index the sources and register the patients, with a progress bar."""
    from assets.graph.registration import record_ingest, register
    from assets.ingest import ingest as index_sources
    from orchestration.instance import study_instance

    with progress_bar() as progress:
        task = progress.add_task("Indexing files", total=None)
        report = index_sources(settings, lambda files: progress.update(task, completed=files), allow_loss=allow_loss)
    with study_instance(settings.folder) as instance:
        register(instance, report)
        record_ingest(instance, report)
    return report


def run_materialize(
    settings: StudySettings, study_folder: Path, patients_text: str | None, scope: str, workers: int | None
) -> bool:
    """Run the assets with a progress bar and say what became of them; whether everything is complete."""
    from orchestration import materialization
    from orchestration.engines import ProcessEngine
    from orchestration.instance import study_instance

    with study_instance(settings.folder) as instance:
        patients = _known_patients(instance, patients_text, study_folder)
        batches = materialization.plan(settings, instance, materialization.Scope(scope), patients)
        n_computed = sum(len(batch.patients) for batch in batches)
        with progress_bar() as progress:
            task = progress.add_task("Computing patients", total=n_computed)
            unwritten: list[PatientOutcome] = []

            def on_patient(outcome: PatientOutcome) -> None:
                progress.advance(task)
                if not outcome.written:
                    unwritten.append(outcome)

            materialization.run(settings, instance, batches, ProcessEngine(workers), on_patient)
    states = table_states(settings, patients)
    say_states(states)
    say_unwritten(unwritten)
    return not unwritten and all(state.state is State.FRESH for state in states)


def progress_bar() -> Progress:
    """A bar on standard error that counts what is done."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        # In a log file a bar that moves is a thousand lines; there only its last state is wanted.
        auto_refresh=sys.stderr.isatty(),
    )


def _known_patients(instance: "dg.DagsterInstance", text: str | None, study_folder: Path) -> list[str] | None:
    from assets.graph.partitions import PATIENTS

    registered = instance.get_dynamic_partitions(PATIENTS)
    if not registered:
        raise StudyError(
            "PATIENTS_NONE", "No patient is registered", hint=f"Run `petlake ingest --study {study_folder}` first."
        )
    if text is None:
        return None
    asked = [part.strip() for part in text.split(",") if part.strip()]
    unknown = sorted(set(asked) - set(registered))
    if unknown:
        raise StudyError(
            "PATIENT_UNKNOWN",
            "A patient is not registered",
            found=", ".join(unknown),
            expected=", ".join(registered[:_MOST_SHOWN]) + (" ..." if len(registered) > _MOST_SHOWN else ""),
        )
    return asked
