"""Which code makes a table, in which version, and from what: all that the golden record knows of versions."""

from __future__ import annotations

from collections.abc import Mapping

from assets import tables
from assets.steps.order import INPUTS, PATIENT_TABLES
from warehouse.snapshots.build import FORMAT

SNAPSHOT = tables.SNAPSHOT.name
COMPANIONS = {companion: table.name for table in PATIENT_TABLES.values() for companion in table.companions}


def code_versions() -> Mapping[str, str]:
    """Return the version of every code that makes tables; those of a snapshot's SQL are two, of which either counts."""
    return {**tables.code_versions(), SNAPSHOT: f"{FORMAT}.{tables.SNAPSHOT.code_version}"}


def code_of(table: str) -> str:
    """Return the name of the code that makes a table of the snapshot."""
    table = COMPANIONS.get(table, table)
    return table if table in tables.code_versions() else SNAPSHOT


def upstream(code: str) -> frozenset[str]:
    """Return the code whose tables go into those of ``code``, at any distance."""
    if code not in PATIENT_TABLES:
        return frozenset(tables.code_versions()) - {code, SNAPSHOT}
    direct = frozenset(INPUTS[code]) & set(PATIENT_TABLES)
    return direct.union(*map(upstream, direct))
