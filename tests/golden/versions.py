"""Which code makes a table, in which version, and from what: all that the golden record knows of versions."""

from __future__ import annotations

from collections.abc import Mapping

from assets.settings import CODE_VERSIONS, UPSTREAM
from warehouse.snapshots.build import FORMAT

# Tables that are written beside the table of a step.
COMPANIONS = {
    "suv_adaptations": "suv",
    "delineations": "lesions",
    "exclusions": "lesions",
    "reference_regions": "lesions",
    "lesion_matches": "lesions",
    "reader_agreement": "lesions",
    "feature_extractions": "radiomic_features",
}
SNAPSHOT = "snapshot"


def code_versions() -> Mapping[str, str]:
    """Return the version of every code that makes tables; those of a snapshot's SQL are two, of which either counts."""
    return {**CODE_VERSIONS, SNAPSHOT: f"{FORMAT}.{CODE_VERSIONS[SNAPSHOT]}"}


def code_of(table: str) -> str:
    """Return the name of the code that makes a table of the snapshot."""
    table = COMPANIONS.get(table, table)
    return table if table in CODE_VERSIONS else SNAPSHOT


def upstream(code: str) -> frozenset[str]:
    """Return the code whose tables go into those of ``code``, at any distance."""
    direct: Mapping[str, tuple[str, ...]] = {
        **UPSTREAM,
        "robustness": ("radiomic_features", "perturbed_features"),
        SNAPSHOT: tuple(name for name in CODE_VERSIONS if name != SNAPSHOT),
    }
    found: set[str] = set()
    waiting = [code]
    while waiting:
        names = set(direct.get(waiting.pop(), ())) & set(CODE_VERSIONS) - found
        found |= names
        waiting += names
    return frozenset(found)
