"""Typed reads of a snapshot about its features: the families that they form, and how far each can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.queries.analysis_columns import FeatureFamily
    from warehouse.queries.snapshot_reader import SnapshotReader

RELIABILITY = "feature_reliability"


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
    return tuple(dict.fromkeys(column.family for column in snapshot.analysis_columns() if column.family is not None))


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
