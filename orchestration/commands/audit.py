"""``petlake audit``: who looked at what, asked what and took what away."""

from dataclasses import asdict
from pathlib import Path

import click

from orchestration import console
from orchestration.study import lake_root
from warehouse.people.audit import read_audit

_SHOWN = 50
_LONGEST_DETAIL = 60


@click.command()
@console.STUDY_OPTION
@console.JSON_OPTION
@click.option(
    "--last",
    type=click.IntRange(min=1),
    help=f"Show only this many entries, the latest.  [default: {_SHOWN}; all with --json]",
)
def audit(study_folder: Path, as_json: bool, last: int | None) -> None:
    """Show the audit log of the dashboard: views, queries and exports, with the latest at the end."""
    entries = read_audit(lake_root(study_folder), last if last or as_json else _SHOWN)
    if as_json:
        console.say_json([asdict(entry) for entry in entries])
        return
    if not entries:
        console.say("Nobody has looked at this study in the dashboard yet.")
        return
    console.say_table(
        ("UTC", "who", "role", "action", "page", "snapshot", "what"),
        [
            (f"{e.at:%Y-%m-%d %H:%M:%S}", e.who, e.role, e.action, e.page, e.snapshot_id[:12], _one_line(e.detail))
            for e in entries
        ],
    )


def _one_line(detail: str) -> str:
    text = " ".join(detail.split())
    return text if len(text) <= _LONGEST_DETAIL else f"{text[:_LONGEST_DETAIL]}…"
