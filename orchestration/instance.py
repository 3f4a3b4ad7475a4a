"""The Dagster instance of a study: one folder, shared by the command line and the UI."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import resources
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

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
    with dg.DagsterInstance.from_config(str(home)) as instance, _kept_connections(instance):
        yield instance


@contextmanager
def _kept_connections(instance: dg.DagsterInstance) -> Iterator[None]:
    """Keep one connection a database of the event log while the body runs.

    Dagster opens and closes a connection for each of the seven or so statements of an event, and the last one that
    closes makes SQLite write its log back: two thirds of the time of reporting a patient. Only for a process that is
    never forked: a connection must not cross a fork. An event log that is not SQLite is left as it is.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        yield
        return
    engines: dict[str, Engine] = {}
    lock = threading.Lock()
    make = storage.run_connection

    @contextmanager
    def connection(shard: str) -> Iterator[Connection]:
        with lock:
            if shard not in engines:
                with make(shard):
                    # Dagster's own way makes the database where it is missing.
                    pass
                engines[shard] = create_engine(
                    storage.conn_string_for_shard(shard),
                    poolclass=StaticPool,
                    connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
                )
            with engines[shard].connect() as open_connection, open_connection.begin():
                yield open_connection

    # Set on this object only, and deleted below: the methods of the class come back.
    vars(storage).update(run_connection=connection, index_connection=partial(connection, INDEX_SHARD_NAME))
    try:
        yield
    finally:
        del storage.run_connection, storage.index_connection
        for engine in engines.values():
            engine.dispose()


def _template() -> Path:
    """dagster.yaml at the root of the repository: petlake is installed from there, in place."""
    return Path(str(resources.files("orchestration"))).parent / "dagster.yaml"
