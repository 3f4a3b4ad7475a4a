"""The Dagster instance of a study: one folder, shared by the command line and the UI."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import dagster as dg

from orchestration.event_log import kept_connections

DAGSTER_FOLDER = ".dagster"


def prepare_dagster_home(study_folder: Path) -> Path:
    """Make ``<study>/.dagster`` with the repository's dagster.yaml where it is missing."""
    home = study_folder / DAGSTER_FOLDER
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        shutil.copyfile(_template(), home / "dagster.yaml")
    return home


@contextmanager
def study_instance(study_folder: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of the study, open."""
    home = prepare_dagster_home(study_folder)
    # Dagster puts a run's files where this variable points, whatever instance it is given.
    os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.from_config(str(home)) as instance, kept_connections(instance):
        yield instance


def _template() -> Path:
    """dagster.yaml at the root of the repository: petlake is installed from there, in place."""
    return Path(str(resources.files("orchestration"))).parent / "dagster.yaml"
