"""``petlake snapshot`` and ``petlake sql``."""

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click

from orchestration import console
from orchestration.study import lake_root
from warehouse.people.journal import ledger_of
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.catalog import current_id, list_snapshots, resolve_id

_MOST_CELLS = 3


@click.group()
def snapshot() -> None:
    """Publish, list, show and compare snapshots, and the tests that were run on them."""


@snapshot.command()
@console.STUDY_OPTION
@console.JSON_OPTION
def publish(study_folder: Path, as_json: bool) -> None:
    """Build an immutable snapshot of what is in the lake and make it the current one."""
    from assets.status import State, table_states
    from orchestration.publication import publish as publish_lake
    from orchestration.study import load_study

    settings = load_study(study_folder)
    published = publish_lake(settings)
    gaps = Counter(state.state.value for state in table_states(settings) if state.state is not State.FRESH)
    if as_json:
        console.say_json(
            {
                "snapshot_id": published.snapshot_id,
                "path": published.path,
                "created": published.created,
                "n_patients": published.n_patients,
                "tables": dict(published.tables),
                "not_fresh": dict(gaps),
            }
        )
        return
    verb = "Published" if published.created else "Nothing has changed; verified"
    console.say(f"{verb} snapshot {published.snapshot_id}")
    console.say(f"  {published.n_patients} patients, {published.path}")
    for state, count in sorted(gaps.items()):
        console.say(f"  {count} tables of a patient are {state}: petlake status says which and why")
    console.say('Next: `petlake dashboard`, or `petlake sql "SELECT * FROM cohort"`.')


@snapshot.command(name="list")
@console.STUDY_OPTION
@console.JSON_OPTION
def list_(study_folder: Path, as_json: bool) -> None:
    """List the published snapshots and mark the current one."""
    root = lake_root(study_folder)
    found = list_snapshots(root)
    current = current_id(root) if found else None
    if as_json:
        console.say_json(
            [
                {"snapshot_id": item.snapshot_id, "current": item.snapshot_id == current, "n_patients": item.n_patients}
                for item in found
            ]
        )
        return
    if not found:
        console.say("No snapshot yet. Make one with `petlake snapshot publish`.")
        return
    console.say_table(
        ("current", "snapshot", "patients", "size MB"),
        [
            ("*" if item.snapshot_id == current else "", item.snapshot_id, item.n_patients, item.size_bytes / 1e6)
            for item in found
        ],
    )


@snapshot.command()
@click.argument("snapshot_id", required=False)
@console.STUDY_OPTION
@console.JSON_OPTION
def show(snapshot_id: str | None, study_folder: Path, as_json: bool) -> None:
    """Show what a snapshot holds (tables, rows and columns), and which code built it."""
    from warehouse.snapshots.publish import show as details_of

    root = lake_root(study_folder)
    with open_snapshot(root, snapshot_id) as opened:
        tables, code = opened.tables(), details_of(root, opened.id).code
        if as_json:
            console.say_json(
                {
                    "snapshot_id": opened.id,
                    "petlake": asdict(code),
                    "tables": [{"name": t.name, "rows": t.n_rows} for t in tables],
                }
            )
            return
        console.say(f"snapshot {opened.id}")
        console.say(f"  built by petlake {code.text}")
        console.say_table(("table", "rows", "columns"), [(t.name, t.n_rows, t.n_columns) for t in tables])


@snapshot.command()
@click.argument("before")
@click.argument("after", required=False)
@console.STUDY_OPTION
@console.JSON_OPTION
def diff(before: str, after: str | None, study_folder: Path, as_json: bool) -> None:
    """Show what changed from snapshot BEFORE to snapshot AFTER (default: the current one)."""
    from analyses.tables.snapshots import changed_tables
    from warehouse.snapshots.changes import EXAMPLES
    from warehouse.snapshots.diff import diff as compare

    found = compare(lake_root(study_folder), before, after)
    if as_json:
        console.say_json(
            {
                "before": found.before.snapshot_id,
                "after": found.after.snapshot_id,
                "petlake_version": [found.before.code.version, found.after.code.version],
                "petlake_commit": [found.before.code.commit, found.after.code.commit],
                "patients_added": found.patients_added,
                "patients_removed": found.patients_removed,
                "patients_changed": found.patients_changed,
                "settings": [asdict(change) for change in found.settings],
                "code_versions": [asdict(change) for change in found.code_versions],
                "tables": [asdict(change) for change in found.tables],
            }
        )
        return
    console.say(f"snapshot {found.before.snapshot_id[:12]} -> {found.after.snapshot_id[:12]}")
    for sentence in found.sentences:
        console.say(f"  {sentence}")
    for title, patients in (
        ("came", found.patients_added),
        ("went", found.patients_removed),
        ("changed", found.patients_changed),
    ):
        if patients:
            more = f" and {len(patients) - EXAMPLES} more" if len(patients) > EXAMPLES else ""
            console.say(f"patients who {title}: {', '.join(patients[:EXAMPLES])}{more}")
    if found.tables:
        console.say_result(changed_tables(found.tables))
    values = [*(("setting", c) for c in found.settings), *(("code version", c) for c in found.code_versions)]
    if values:
        console.say_table(("what", "name", "before", "after"), [(w, c.name, c.before, c.after) for w, c in values])
    cells = [
        (t.name, ", ".join(c.key), c.column, c.before, c.after) for t in found.tables for c in t.examples[:_MOST_CELLS]
    ]
    if cells:
        title = (
            f"changed values, the first {_MOST_CELLS} of each table (--json: {EXAMPLES}, and their number by column)"
        )
        console.say_table(("table", "row", "column", "before", "after"), cells, title=title)


@snapshot.command()
@click.argument("snapshot_id", required=False)
@console.STUDY_OPTION
@console.JSON_OPTION
def tests(snapshot_id: str | None, study_folder: Path, as_json: bool) -> None:
    """Show the ledger: every test that was run on a snapshot, and their number."""
    from analyses.tables.snapshots import tests_run

    root = lake_root(study_folder)
    ledger = ledger_of(root, resolve_id(root, snapshot_id))
    if as_json:
        console.say_json(
            {
                "snapshot_id": ledger.snapshot_id,
                "n_tests": ledger.n_tests,
                "n_primary": ledger.n_primary,
                "tests": [
                    {"first_run_at": entry.first_run_at.isoformat(), **asdict(entry.run)} for entry in ledger.entries
                ],
            }
        )
        return
    if ledger.entries:
        console.say_result(tests_run(ledger))
    console.say(f"snapshot {ledger.snapshot_id[:12]}: {ledger.sentence}.")


@click.command()
@click.argument("query")
@console.STUDY_OPTION
@console.SNAPSHOT_OPTION
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="Choose the format of the result. Parquet is written to standard output; redirect it to a file.",
)
def sql(
    query: str, study_folder: Path, snapshot_id: str | None, format_: Literal["table", "csv", "json", "parquet"]
) -> None:
    """Run one read-only SQL query on a snapshot.

    \b
    petlake sql "SELECT patient_id, tumour_volume_ml FROM cohort ORDER BY 2 DESC"
    petlake sql "SHOW TABLES"
    """  # noqa: D301 (click reads the character \b)
    with open_snapshot(lake_root(study_folder), snapshot_id) as opened:
        result = opened.sql(query)
        if format_ == "csv":
            sys.stdout.write(result.to_csv())
        elif format_ == "json":
            console.say_json([dict(zip(result.columns, row, strict=True)) for row in result.rows])
        elif format_ == "parquet":
            sys.stdout.buffer.write(result.to_parquet())
        else:
            console.say_table(result.columns, result.rows)
        # Never into the output itself, which may be read by a program.
        console.say_error(f"snapshot {opened.id[:12]}, {len(result.rows)} rows")
