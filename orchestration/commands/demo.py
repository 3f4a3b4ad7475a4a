"""``petlake demo``: a synthetic cohort with known truth, from DICOM to a published snapshot."""

import os
import shutil
import sys
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

import click

from orchestration import console
from orchestration.commands.cox import cox
from orchestration.commands.km import km
from orchestration.commands.reports import say_ingest
from orchestration.commands.study import progress_bar, run_ingest, run_materialize
from orchestration.study import STUDY_FILE, load_study
from petct.errors import PetctError
from petct.synthetic.settings import CohortSettings, Effect
from petct.synthetic.truth import PatientTruth
from refusals.coded_error import CodedError

_SEED = 20250681
_FULL_COHORT = 67
_EXIT_SET_ASIDE = 3
_QUESTIONS = (
    (km, ("--by", "tumour_volume_ml")),
    (cox, ("--covariates", "tumour_volume_ml")),
    (cox, ("--covariates", "tumour_volume_ml,suv_max,age_years")),
)


@click.command()
@click.option(
    "--patients", type=click.IntRange(1), default=_FULL_COHORT, show_default=True, help="Make this many patients."
)
@click.option(
    "--effect",
    type=click.Choice(["null", "planted"]),
    default="null",
    show_default=True,
    help="Plant no effect (null), or a hazard ratio of 1.6 per doubling of tumour volume (planted).",
)
@click.option(
    "--seed",
    type=int,
    default=_SEED,
    show_default=True,
    help="Set the seed of the cohort. The same seed gives the same bytes.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Use this many worker processes.  [default: one per core]")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Write the study into this folder.",
)
def demo(patients: int, effect: Literal["null", "planted"], seed: int, workers: int | None, folder: Path) -> None:
    """Make a synthetic 68Ga-DOTATOC cohort as DICOM and run every step on it."""
    started = time.monotonic()
    settings = CohortSettings(n_patients=patients, seed=seed, effect=Effect(effect))
    _write_images(folder, settings, workers)
    _write_study(folder, settings)
    outcome = _run_line(folder, workers)
    _say_results(folder, settings)
    console.say(f"\nDone in {time.monotonic() - started:.0f} s. What to open:")
    petlake = _command()
    console.say(f"  {petlake} dashboard --study {folder}      survival curves, Cox models, principal components")
    console.say(f"  {petlake} ui --study {folder}             the assets in the Dagster UI")
    query = "SELECT patient_id, tumour_volume_ml, suv_max FROM cohort"
    console.say(f'  {petlake} sql --study {folder} "{query}"')
    console.say(f"  {folder / 'truth'}        what is true of these patients")
    sys.exit(outcome)


def _command() -> str:
    """What to type for petlake: its name where the shell finds it, otherwise its place."""
    return "petlake" if shutil.which("petlake") else os.path.relpath(Path(sys.executable).with_name("petlake"))


def _write_images(folder: Path, settings: CohortSettings, workers: int | None) -> None:
    from orchestration.engines import ProcessEngine
    from petct.synthetic import cohort

    if cohort.is_complete(folder, settings):
        console.say(f"The DICOM of this cohort is in {folder} already")
        return
    needed = cohort.estimate_disk_bytes(settings)
    console.say(
        f"{settings.n_patients} synthetic patients will take about {needed / 1e6:.0f} MB of DICOM in {folder}, "
        f"and about as much again once computed"
    )
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < 2 * needed:
        raise PetctError(
            "DISK_FULL",
            "There is not enough room for the demo cohort",
            keyword=str(folder),
            found=f"{free / 1e6:.0f} MB free",
            expected=f"{2 * needed / 1e6:.0f} MB",
            hint="Ask for fewer --patients, or name another --dir.",
        )
    cohort.prepare_directory(folder, settings)
    jobs = [_PatientToWrite(folder, settings, number) for number in range(1, settings.n_patients + 1)]
    written = []
    with progress_bar() as progress:
        task = progress.add_task("Writing DICOM", total=len(jobs))
        for truth in ProcessEngine(workers).map(_write_patient, jobs, _not_written):
            written.append(truth)
            progress.advance(task)
    cohort.write_tables(folder, settings, written)


@dataclass(frozen=True)
class _PatientToWrite:
    folder: Path
    settings: CohortSettings
    number: int


def _write_patient(job: _PatientToWrite) -> PatientTruth:
    from petct.synthetic.cohort import write_patient

    return write_patient(job.folder, job.settings, job.number)


def _not_written(job: _PatientToWrite) -> PatientTruth:
    raise PetctError(
        "WORKER_DIED",
        "The process that wrote a patient died, most likely for want of memory",
        found=f"patient {job.number}",
        hint="Run it again with --workers 1.",
    )


def _write_study(folder: Path, settings: CohortSettings) -> None:
    template = (resources.files("orchestration") / "study_demo.yaml").read_text(encoding="utf-8")
    (folder / STUDY_FILE).write_text(template.replace("@EFFECT@", settings.effect.value), encoding="utf-8")


def _run_line(folder: Path, workers: int | None) -> int:
    """Ingest, materialize and publish; the exit code that `petlake materialize` would give."""
    from orchestration.publication import publish

    settings = load_study(folder)
    say_ingest(run_ingest(settings), with_clinical=True)
    complete = run_materialize(settings, folder, None, "needed", workers)
    published = publish(settings)
    console.say(f"Published snapshot {published.snapshot_id} of {published.n_patients} patients")
    return 0 if complete else _EXIT_SET_ASIDE


def _say_results(folder: Path, settings: CohortSettings) -> None:
    """The first questions a researcher would ask; what is refused is refused with its reason."""
    truth = (
        "by construction no feature carries signal"
        if settings.effect is Effect.NULL
        else f"by construction the hazard rises by {settings.hazard_ratio_per_doubling} per doubling of tumour volume"
    )
    console.say(f"\nDoes total tumour volume predict overall survival? ({truth})")
    for command, arguments in _QUESTIONS:
        if "," in arguments[-1]:
            console.say(
                "\nAnd a model nobody declared beforehand? Where no feature carries signal, what it finds is chance."
            )
        console.say(f"\n$ petlake {command.name} {' '.join(arguments)} --study {folder}")
        try:
            command.main([*arguments, "--study", str(folder)], standalone_mode=False)
        except CodedError as refusal:
            console.say(f"refused: {refusal.sentence()}")
