"""Typed reads of a snapshot about its features: the families they form, and how far each can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from warehouse.snapshots.feature_tables import AGGREGATIONS

if TYPE_CHECKING:
    from warehouse.queries.snapshot_reader import SnapshotReader

RELIABILITY = "feature_reliability"


@dataclass(frozen=True)
class FeatureFamily:
    """All features of one feature set under one rule from lesions to patient: a wide table of the snapshot.

    Attributes
    ----------
    name
        ``<feature set>__<rule>`` or ``<feature set>__<organ>__<rule>``, as ``petlake screen --feature-set`` takes it.
    feature_set, feature_set_id
        The set as tables are named after it, and its id.
    organ
        Only the lesions in this organ; None for all lesions.
    rule
        One of ``AGGREGATIONS``.
    """

    name: str
    feature_set: str
    feature_set_id: str
    organ: str | None
    rule: str


@dataclass(frozen=True)
class FeatureReliability:
    """How far one feature can be trusted, over all kinds of repeated measurements that the study has.

    Attributes
    ----------
    ibsi_id, ibsi_name
        What it is; None where IBSI defines nothing like it.
    icc, icc_lower, source, n_targets
        The intraclass correlation with the smallest lower bound of its 95 % interval, the kind of repetition it comes
        from (perturbation, retest or reader) and the targets measured; None where the study measured none.
    lesion_volume_rho, lesion_volume_n
        Spearman's correlation with the volume over the lesions of the baseline scans, and their number.
    """

    feature_name: str
    ibsi_id: str | None
    ibsi_name: str | None
    icc: float | None
    icc_lower: float | None
    source: str | None
    n_targets: int | None
    lesion_volume_rho: float | None
    lesion_volume_n: int | None


def feature_families(snapshot: SnapshotReader) -> tuple[FeatureFamily, ...]:
    """Return the families that were built, in the order of the snapshot's columns."""
    sets = snapshot.sql(
        "SELECT feature_set_id, CASE WHEN count(*) OVER (PARTITION BY name) = 1 THEN name ELSE feature_set_id END"
        " FROM feature_sets"
    ).rows
    # The longest first: the name of one set may begin like that of another.
    labels = sorted(((str(label), str(set_id)) for set_id, label in sets), key=lambda pair: -len(pair[0]))
    tables = dict.fromkeys(c.name.partition(":")[0] for c in snapshot.analysis_columns() if c.table != "cohort")
    families = []
    for table in tables:
        for label, set_id in labels:
            organ, _, rule = table.removeprefix(f"{label}__").rpartition("__")
            if table.startswith(f"{label}__") and rule in AGGREGATIONS:
                families.append(FeatureFamily(table, label, set_id, organ or None, rule))
                break
    return tuple(families)


def feature_reliability(snapshot: SnapshotReader, feature_set_id: str) -> dict[str, FeatureReliability]:
    """Return what is known of each feature of a set, by its name; empty where the study measured no robustness."""
    if RELIABILITY not in {table.name for table in snapshot.tables()}:
        return {}
    rows = snapshot.sql(
        "SELECT feature_name, ibsi_id, ibsi_name, icc, icc_lower, source, n_targets, volume_rho, volume_n_lesions"
        f" FROM {RELIABILITY} WHERE feature_set_id = $1"
        " QUALIFY row_number() OVER (PARTITION BY feature_name ORDER BY icc_lower NULLS LAST, source) = 1",
        [feature_set_id],
    ).rows
    found = (
        FeatureReliability(
            str(name),
            _text(ibsi_id),
            _text(ibsi_name),
            _number(icc),
            _number(lower),
            _text(source) if icc is not None else None,
            _count(n_targets),
            _number(rho),
            _count(n_lesions),
        )
        for name, ibsi_id, ibsi_name, icc, lower, source, n_targets, rho, n_lesions in rows
    )
    return {each.feature_name: each for each in found}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _count(value: object) -> int | None:
    return None if value is None else int(str(value))
