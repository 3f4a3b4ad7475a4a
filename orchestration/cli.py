"""The command ``petlake``: commands are imported when they are used, so that ``--help`` and ``sql`` answer at once."""

import importlib
import os
import signal
import sys
from collections.abc import Sequence

import click

from analyses.requests.request import FORMER_COMMANDS
from orchestration import console
from refusals.coded_error import CodedError

DEBUG_VARIABLE = "PETLAKE_DEBUG"
PROGRAM = "petlake"

_COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo:demo", "Make a synthetic cohort with known truth and run every step on it."),
    "init": ("study:init", "Make a new study folder with a commented study.yaml."),
    "ingest": ("study:ingest", "Index DICOM and clinical data and register patients."),
    "materialize": ("study:materialize", "Compute what is missing, stale or was refused."),
    "status": ("study:status", "Show the state of every table of every patient, with the reasons."),
    "deidentify": ("privacy:deidentify", "Write de-identified DICOM that still gives the same SUV."),
    "lint-privacy": ("privacy:lint_privacy", "Search the lake for names, birth dates and free text."),
    "snapshot": ("snapshots:snapshot", "Publish, list, show and compare snapshots, and list the tests run on them."),
    "sql": ("snapshots:sql", "Run read-only SQL on a snapshot."),
    "km": ("km:km", "Compute Kaplan-Meier curves and log-rank test of a split."),
    "cox": ("cox:cox", "Fit a Cox proportional hazards model."),
    "aft": ("aft:aft", "Fit Weibull, log-normal and log-logistic models with lifelines."),
    "pca": ("pca:pca", "Compute principal components of features."),
    "icc": ("icc:icc", "Compute the agreement of repeated measurements: readers, test and retest."),
    "screen": ("screen:screen", "Test every feature of a family, and correct for their number."),
    "validate": ("validate:validate", "Validate a model of many features in patients that it was not fitted to."),
    "model": ("model:model", "Freeze a fitted model, and apply it unchanged to a second cohort."),
    "saved": ("saved:saved", "List, show, add, run, rename and delete saved analyses."),
    "export": ("export:export", "Export an analysis as figure, numbers, methods, checklists and script."),
    "sensitivity": (
        "sensitivity:sensitivity",
        "Compare the segmentation methods of the study and the results under each.",
    ),
    "conformance": ("conformance:conformance", "Run a conformance test on reference data."),
    "audit": ("audit:audit", "Show who looked at what in the dashboard."),
    "ui": ("servers:ui", "Open the Dagster UI with its daemon."),
    "dashboard": ("servers:dashboard", "Open the Streamlit dashboard."),
}


class _LazyGroup(click.Group):
    """A group that knows its commands' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in FORMER_COMMANDS:
            former, cmd_name = cmd_name, FORMER_COMMANDS[cmd_name]
            console.say_error(f"petlake {former} is now petlake {cmd_name}; the old name goes with the next release.")
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(f"orchestration.commands.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


def _say_version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from warehouse.source_code import source_code

        console.say(f"{PROGRAM} {source_code().text}")
        context.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_say_version,
    help="Show version and commit.",
)
def petlake() -> None:
    """petlake: from PET/CT DICOM and a clinical table to tables that can be trusted.

    Every command works on the study in the current folder, or in the one named with --study DIR.
    """


def main() -> None:
    """Run the command line as the program ``petlake``."""
    # A reader that has seen enough (head, less) ends the command quietly, as with any other program.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code; every refusal becomes one line on standard error and exit code 1."""
    try:
        # click gives the code of a `context.exit(code)` back; commands themselves give nothing back.
        return petlake.main(list(arguments), prog_name=PROGRAM, standalone_mode=False) or 0
    except SystemExit as exit_:
        return int(exit_.code or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        console.say_error("Stopped. What was finished is kept; run the same command again to go on.")
        return 130
    except CodedError as error:
        console.say_error(error.sentence())
        return 1
    except OSError as error:
        console.say_error(
            f"FILE_SYSTEM_ERROR: {error.strerror or type(error).__name__} (found {error.filename}). "
            "Is there room, and may you read and write there?"
        )
        return 1
    except Exception as error:
        # The last resort: a defect of petlake, said in one line; the traceback is for those who ask for it.
        if os.environ.get(DEBUG_VARIABLE):
            raise
        console.say_error(
            f"INTERNAL_ERROR: {type(error).__name__}: {' '.join(str(error).split())}. "
            f"This is a defect of petlake; {DEBUG_VARIABLE}=1 shows where."
        )
        return 1
