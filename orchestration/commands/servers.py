"""``petlake ui`` and ``petlake dashboard``: the two pages, on this machine only unless told otherwise."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import click

from orchestration import console
from orchestration.study import STUDY_VARIABLE, lake_root, load_study
from warehouse import queries

_PATIENCE_SECONDS = 20
_LOOK_EVERY_SECONDS = 0.1
_HOST_OPTION = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")


@click.command()
@console.STUDY_OPTION
@_HOST_OPTION
@click.option("--port", default=3000, show_default=True, help="Port to listen on.")
def ui(study_folder: Path, host: str, port: int) -> None:
    """Open the Dagster UI with its daemon, to materialise assets and look at runs."""
    from orchestration.instance import prepare_dagster_home

    settings = load_study(study_folder)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(prepare_dagster_home(settings.folder)),
        STUDY_VARIABLE: str(settings.folder),
    }
    console.say(f"Dagster UI of {settings.name}: http://{host}:{port}  (Ctrl-C stops it)")
    command = [sys.executable, "-m", "dagster", "dev", "-m", "orchestration.definitions", "-h", host, "-p", str(port)]
    sys.exit(_run(command, environment))


@click.command()
@console.STUDY_OPTION
@console.SNAPSHOT_OPTION
@_HOST_OPTION
@click.option("--port", default=8501, show_default=True, help="Port to listen on.")
def dashboard(study_folder: Path, snapshot_id: str | None, host: str, port: int) -> None:
    """Open the Streamlit dashboard on the current snapshot."""
    root = lake_root(study_folder)
    # Refused here, in one line, rather than on a page that then has nothing to show.
    with queries.open_snapshot(root, snapshot_id) as opened:
        shown = opened.id
    # The server is a script that Streamlit runs, not a module that this one imports.
    app = resources.files("dashboard") / "server.py"
    environment = {**os.environ, STUDY_VARIABLE: str(study_folder.resolve())}
    if snapshot_id is not None:
        environment["PETLAKE_SNAPSHOT"] = shown
    console.say(f"Dashboard on snapshot {shown[:12]}: http://{host}:{port}  (Ctrl-C stops it)")
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(app)),
        *("--server.address", host, "--server.port", str(port)),
        *("--server.headless", "true", "--browser.gatherUsageStats", "false"),
    ]
    sys.exit(_run(command, environment))


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run a server in the foreground until it ends or is asked to: Ctrl-C, or SIGTERM from whatever started petlake."""
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        asked = True

    # Before the server is started: what a shell script starts in the background ignores SIGINT, and passes that on to
    # its children unless it has a handler of its own.
    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        while process.poll() is None and not asked:
            time.sleep(_LOOK_EVERY_SECONDS)
        if asked:
            _end(process)
    # Ended on request is ended well.
    return 0 if asked else process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group (`dagster dev` starts a web server, a daemon and a code server), by force if it must be."""
    until = time.monotonic() + _PATIENCE_SECONDS
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        while time.monotonic() < until:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(_LOOK_EVERY_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)
