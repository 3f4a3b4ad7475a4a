"""The sections `clinical` and `endpoints` of study.yaml, proposed from a clinical table."""

import os
from pathlib import Path

import yaml

from petct.clinical.proposal import RoleProposal, propose_roles
from warehouse.imports import read_table
from warehouse.snapshots.derived import cohort_names


def propose(clinical_file: Path) -> RoleProposal:
    """What the columns of a file seem to be; raises what ``read_table`` and ``propose_roles`` raise."""
    table = read_table(clinical_file)
    return propose_roles(table.columns, table.rows)


def proposal_yaml(proposal: RoleProposal, clinical_file: Path, folder: Path) -> str:
    """The proposal as it stands in the study.yaml of the study in ``folder``."""
    lines = [
        "# Proposed from the columns of the table: check every line.",
        "clinical:",
        f"  file: {_flow(os.path.relpath(clinical_file.resolve(), folder.resolve()))}",
        f"  patient_id: {_flow(proposal.patient_id_column)}",
        "  # Nothing that happened after the data lock is used; who is alive then is censored there.",
        "  # data_lock: 2024-12-31",
        "  variables:" if proposal.variables else "  variables: {}",
    ]
    taken = cohort_names()
    for variable in proposal.variables:
        facts: dict[str, object] = {"kind": variable.kind, **({"unit": variable.unit} if variable.unit else {})}
        name = variable.name
        if name.lower() in taken:
            # The cohort table has a column of that name from the images.
            name, facts = f"clinical_{name}", {"column": name, **facts}
        lines.append(f"    {_flow(name)}: {_flow(facts)}")
    lines += [f"  # left out, {reason}: {column}" for column, reason in proposal.left_out]
    lines += ["", "# Survival times, each from an origin to an event or to the last time the patient was free of it."]
    lines.append("endpoints:" if proposal.endpoints else "endpoints: {}")
    for endpoint in proposal.endpoints:
        events = list(endpoint.event_columns)
        facts = {"origin": endpoint.origin_column, "event": events[0] if len(events) == 1 else events}
        facts |= {"censor": endpoint.censor_column}
        facts |= {"competing": endpoint.competing_column} if endpoint.competing_column else {}
        lines.append(f"  {endpoint.name}: {_flow(facts)}")
    if not proposal.endpoints:
        lines.append("  # OS: {origin: therapy_start_date, event: death_date, censor: last_follow_up_date}")
    return "\n".join(lines) + "\n"


def _flow(value: object) -> str:
    """A value on one line, quoted where YAML needs it."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    return text.removesuffix("...\n").strip()
