"""Patient-level columns of a snapshot under any of its protocols, by the statements that built the default one's.

The cohort's PET metrics and the wide features of a snapshot are those of its default protocol. Under another one they
are computed when they are asked for: the files of ``sql/`` that made them become common table expressions of one query.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from warehouse.errors import WarehouseError
from warehouse.queries.analysis_columns import Origin
from warehouse.snapshots.derived import CohortMetric, cohort_metrics, quoted
from warehouse.snapshots.feature_tables import wide_rows

if TYPE_CHECKING:
    from warehouse.queries.analysis_columns import AnalysisColumn
    from warehouse.queries.snapshot_reader import SnapshotReader

_COMMENT = re.compile(r"--.*")
_CREATED = re.compile(r"\s*CREATE TEMP TABLE (\w+) AS\b(.*)", re.DOTALL)


@dataclass(frozen=True)
class Related:
    """What a query over the patients of the cohort is made of.

    Attributes
    ----------
    ctes
        Text before its SELECT.
    joined
        Text after its FROM: ``cohort``, and the tables of the columns beside it.
    parameters
        Parameters of ``ctes``, by name.
    metrics
        The cohort's columns that are taken from ``ctes`` instead.
    tables
        Names in ``joined`` of the wide tables that are taken from ``ctes`` instead.
    """

    ctes: str
    joined: str
    parameters: Mapping[str, object]
    metrics: frozenset[str]
    tables: Mapping[str, str]

    def value(self, column: AnalysisColumn) -> str:
        """SQL of a column's value: a DOUBLE that is never NaN, or a VARCHAR; NULL where there is none."""
        of_metrics = column.table == "cohort" and column.column in self.metrics
        table = "metrics" if of_metrics else self.tables.get(column.table, column.table)
        name = f"{quoted(table)}.{quoted(column.column)}"
        # DuckDB takes NaN for larger than any number.
        return f"nullif({name}::DOUBLE, 'nan'::DOUBLE)" if column.kind == "number" else f"{name}::VARCHAR"

    @property
    def replaced(self) -> str:
        """SQL of all columns of the cohort."""
        metrics = ", ".join(f"metrics.{quoted(name)} AS {quoted(name)}" for name in sorted(self.metrics))
        return f"cohort.* REPLACE ({metrics})" if metrics else "cohort.*"


def default_protocol(snapshot: SnapshotReader) -> str | None:
    """Id of the protocol of the cohort's PET metrics and of the wide features."""
    ((protocol_id,),) = snapshot.sql("SELECT default_protocol_id FROM snapshot_info").rows
    return None if protocol_id is None else str(protocol_id)


def relations(snapshot: SnapshotReader, columns: Sequence[AnalysisColumn], protocol_id: str | None) -> Related:
    """Relate columns to the patients of the cohort.

    Parameters
    ----------
    columns
        Analysis columns, of which ``Related.value`` gives the SQL.
    protocol_id
        Protocol under which the lesions are taken; None for the default one, whose tables are in the snapshot.

    Raises
    ------
    WarehouseError
        SNAPSHOT_METRIC_UNKNOWN where the cohort has a column of which this version does not know how it was made.
    """
    wanted = tuple(dict.fromkeys(column.table for column in columns if column.table != "cohort"))
    if protocol_id is None:
        joins = "".join(f" LEFT JOIN {quoted(table)} USING (patient_id)" for table in wanted)
        return Related("", f"cohort{joins}", {}, frozenset(), {})
    parts = ["default_protocol AS (SELECT $protocol::VARCHAR AS protocol_id)", *_scripted("measured_scans")]
    parameters: dict[str, object] = {"protocol": protocol_id}
    metrics = _metrics(snapshot)
    selected = ", ".join(f"{metric.sql} AS {quoted(metric.name)}" for metric in metrics)
    parts.append(f"metrics AS (SELECT patient_id, {selected} FROM measured_scans GROUP BY patient_id)")
    tables = {table: f"wide_{position}" for position, table in enumerate(wanted)}
    if tables:
        of_tables = [column for column in snapshot.analysis_columns() if column.table in tables]
        parameters["organs"] = sorted({column.organ for column in of_tables if column.organ is not None})
        parts.append("aggregated_organs AS (SELECT unnest($organs::VARCHAR[]) AS organ)")
        parts += [*_scripted("lesion_regions"), *_scripted("feature_aggregates")]
        for table, alias in tables.items():
            names = [column.column for column in of_tables if column.table == table]
            (family,) = {column.family for column in of_tables if column.table == table and column.family}
            rows = wide_rows(family.feature_set_id, family.organ, family.rule, names)
            parts.append(f"{alias} AS ({rows})")
    joins = "".join(f" LEFT JOIN {alias} USING (patient_id)" for alias in ("metrics", *tables.values()))
    replaced = frozenset(metric.name for metric in metrics)
    return Related(f"WITH {', '.join(parts)} ", f"cohort{joins}", parameters, replaced, tables)


def wide_table(snapshot: SnapshotReader, table: str, protocol_id: str) -> tuple[str, Mapping[str, object]]:
    """Query and parameters that select a wide table of features as it is under a protocol."""
    columns = [column for column in snapshot.analysis_columns() if column.table == table]
    related = relations(snapshot, columns, protocol_id)
    return (
        f"{related.ctes}SELECT * FROM {related.tables.get(table, quoted(table))} ORDER BY patient_id",
        related.parameters,
    )


def _scripted(script: str) -> list[str]:
    """The temporary tables that a file of ``sql/`` creates, as common table expressions."""
    text = _COMMENT.sub("", files("warehouse.sql").joinpath(f"{script}.sql").read_text(encoding="utf-8"))
    created = [_CREATED.fullmatch(statement) for statement in text.split(";") if statement.strip()]
    return [f"{match[1]} AS ({match[2].strip()})" for match in created if match is not None]


def _metrics(snapshot: SnapshotReader) -> tuple[CohortMetric, ...]:
    """The PET metrics that the cohort has: an older snapshot does not have all of today's."""
    measured = {column.column for column in snapshot.analysis_columns() if column.origin is Origin.UPTAKE}
    found = tuple(metric for metric in cohort_metrics(snapshot.organs()) if metric.name in measured)
    unknown = sorted(measured - {metric.name for metric in found})
    if unknown:
        raise WarehouseError(
            "SNAPSHOT_METRIC_UNKNOWN",
            "The snapshot was made by another version, and how it measured under other protocols is not known",
            keyword="cohort",
            found=", ".join(unknown),
            hint="Publish again, or use the default protocol.",
        )
    return found
