"""``petlake ui`` and ``petlake dashboard``: the two pages, on this machine only unless told otherwise."""

import contextlib
import ipaddress
import os
import signal
import subprocess
import sys
import time
import tomllib
from importlib import resources
from pathlib import Path

import click

from orchestration import console
from orchestration.study import STUDY_VARIABLE, StudyError, lake_root, load_study
from warehouse.queries.open_snapshot import open_snapshot

_SECRETS = Path(".streamlit", "secrets.toml")
_PATIENCE_SECONDS = 20
_LOOK_EVERY_SECONDS = 0.1
_HOST_OPTION = click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")


@click.command()
@console.STUDY_OPTION
@_HOST_OPTION
@click.option("--port", default=3000, show_default=True, help="Listen on this port.")
def ui(study_folder: Path, host: str, port: int) -> None:
    """Open the Dagster UI with its daemon, to materialize assets and look at runs."""
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
@click.option("--port", default=8501, show_default=True, help="Listen on this port.")
@click.option(
    "--without-login", is_flag=True, help="Allow another address than 127.0.0.1 without a login; everyone is a viewer."
)
def dashboard(study_folder: Path, snapshot_id: str | None, host: str, port: int, without_login: bool) -> None:
    """Open the Streamlit dashboard on the current snapshot."""
    root = lake_root(study_folder)
    secrets = study_folder.resolve() / _SECRETS
    _check_access(study_folder, secrets, host, without_login=without_login)
    # Refused here, in one line, rather than on a page that then has nothing to show.
    with open_snapshot(root, snapshot_id) as opened:
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
        # The study's own, wherever this is started: a login of another project must not become this one's.
        *("--secrets.files", str(secrets)),
    ]
    sys.exit(_run(command, environment))


def _check_access(study_folder: Path, secrets: Path, host: str, *, without_login: bool) -> None:
    """Refuse to show a study to a network without asking who is looking, and a login that lets nobody in.

    Raises
    ------
    StudyError
        DASHBOARD_OPEN, SECRETS_INVALID.
    WarehouseError
        ACCESS_MISSING, ACCESS_INVALID.
    """
    from warehouse.people.access import ACCESS_FILE, read_access

    if _has_login(secrets):
        read_access(study_folder)
        return
    if (study_folder / ACCESS_FILE).exists():
        console.say_error(f"Warning: {ACCESS_FILE} has no effect, because no login is configured in {_SECRETS}.")
    if _is_this_machine(host):
        return
    if not without_login:
        raise StudyError(
            "DASHBOARD_OPEN",
            "The dashboard would show this study to everyone who can reach the address",
            keyword="--host",
            found=host,
            expected=f"127.0.0.1, or a login in {_SECRETS}",
            hint="docs/dashboard-access.md says how to set one up. --without-login lets everyone look as a viewer.",
        )
    console.say_error(
        f"Warning: no login is configured. Everyone who can reach {host} sees the results of this study as a viewer: "
        "no rows and no images of single patients, no SQL."
    )


def _has_login(secrets: Path) -> bool:
    """Whether a study's secrets name a provider to log in with."""
    try:
        return "auth" in tomllib.loads(secrets.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(
            "SECRETS_INVALID", "The secrets of the study cannot be read", keyword=str(_SECRETS), found=str(error)
        ) from error


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
        # Also when it ended by itself: a `dagster dev` that fails leaves the servers that it had started.
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
