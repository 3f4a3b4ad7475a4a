"""A snapshot that is open: SQL that cannot change anything, its tables, and the columns that an analysis may use."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from warehouse.errors import WarehouseError, unknown_name
from warehouse.queries import select_only
from warehouse.queries.analysis_columns import AnalysisColumn, FeatureFamily, Origin
from warehouse.queries.select_only import QueryResult
from warehouse.snapshots.derived import cohort_metrics, scan_names
from warehouse.snapshots.feature_tables import AGGREGATIONS, ALL_LESIONS, feature_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

FEATURES = "features__"
"""How the names of the wide tables of features begin."""
TIMEOUT_S = 60.0
_KINDS = {"number": "number", "integer": "number", "text": "category", "boolean": "category"}


@dataclass(frozen=True)
class TableInfo:
    """A table of the snapshot."""

    name: str
    n_rows: int
    n_columns: int


class SnapshotReader:
    """What every reading of a snapshot is built on; safe to use from several threads."""

    def __init__(self, snapshot_id: str, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.id = snapshot_id
        self.path = path
        self._connection = connection
        self._analysis_columns: tuple[AnalysisColumn, ...] | None = None

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def sql(
        self,
        query: str,
        parameters: Sequence[object] | Mapping[str, object] = (),
        *,
        row_limit: int | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> QueryResult:
        """Run one reading statement.

        Raises
        ------
        WarehouseError
            SQL_NOT_READ_ONLY, SQL_FAILED, SQL_TIMEOUT.
        """
        return select_only.run(self._connection, query, parameters, row_limit=row_limit, timeout_s=timeout_s)

    def frame(
        self, query: str, parameters: Sequence[object] | Mapping[str, object] = (), *, timeout_s: float = TIMEOUT_S
    ) -> pd.DataFrame:
        """Run one reading statement and return a pandas data frame; raises as ``sql`` does."""
        with select_only.executed(self._connection, query, parameters, timeout_s) as cursor:
            return cursor.df()

    def tables(self) -> tuple[TableInfo, ...]:
        """Return the tables that hold data: the registry's in their order, then those built from them."""
        query = (
            "SELECT table_name, any_value(n_rows), count(*)"
            " FROM snapshot_tables JOIN column_definitions USING (table_name)"
            " GROUP BY table_name ORDER BY min(snapshot_tables.rowid)"
        )
        with select_only.executed(self._connection, query, (), TIMEOUT_S) as cursor:
            return tuple(TableInfo(name, n_rows, n_columns) for name, n_rows, n_columns in cursor.fetchall())

    def analysis_columns(self) -> tuple[AnalysisColumn, ...]:
        """Return every column that may serve as a covariate: first the cohort's, then the features'."""
        if self._analysis_columns is None:
            self._analysis_columns = self._read_analysis_columns()
        return self._analysis_columns

    def _read_analysis_columns(self) -> tuple[AnalysisColumn, ...]:
        rows = self.sql(
            "SELECT table_name, column_name, kind, unit, description FROM column_definitions"
            " WHERE role = 'covariate' AND (table_name = 'cohort' OR starts_with(table_name, $1))"
            " ORDER BY table_name <> 'cohort', rowid",
            [FEATURES],
        ).rows
        families, of_cohort = self.possible_families(), self._origins()
        columns = []
        for table, column, kind, unit, description in rows:
            # A unit of 1 is that of features without one.
            text = None if unit is None or unit == "1" else str(unit)
            where = (str(table), str(column), _KINDS[str(kind)], text, str(description))
            if table == "cohort":
                # What only another version knows was a metric of its own.
                origin, organ = of_cohort.get(str(column), (Origin.UPTAKE, None))
                columns.append(AnalysisColumn(str(column), *where, origin, organ=organ))
                continue
            family = families.get(str(table))
            if family is None:
                raise WarehouseError(
                    "SNAPSHOT_FEATURES_UNKNOWN",
                    "The snapshot was made by another version, and of what its features are is not known",
                    found=str(table),
                    hint="Publish again.",
                )
            columns.append(AnalysisColumn(f"{family.name}:{column}", *where, Origin.FEATURE, family, family.organ))
        return tuple(columns)

    def possible_families(self) -> dict[str, FeatureFamily]:
        """Feature set, organ and rule by every name that a wide table can have."""
        sets = self.sql(
            "SELECT feature_set_id, CASE WHEN count(*) OVER (PARTITION BY name) = 1 THEN name ELSE feature_set_id END"
            " FROM feature_sets"
        ).rows
        regions = self.sql("SELECT DISTINCT region FROM feature_availability").rows
        organs = [None, *(str(region) for (region,) in regions if region != ALL_LESIONS)]
        found = {}
        for feature_set_id, label in sets:
            for organ, rule in itertools.product(organs, AGGREGATIONS):
                name = feature_table(str(label), rule, organ)
                family = FeatureFamily(name.removeprefix(FEATURES), str(label), str(feature_set_id), organ, rule)
                found[name] = family
        return found

    def _origins(self) -> dict[str, tuple[Origin, str | None]]:
        """Origin and organ of the columns of the cohort."""
        clinical = self.sql("SELECT column_name FROM column_definitions WHERE table_name = 'clinical_wide'").rows
        return {
            **{str(name): (Origin.CLINICAL, None) for (name,) in clinical},
            **dict.fromkeys(scan_names(), (Origin.SCAN, None)),
            **{metric.name: (Origin.UPTAKE, metric.organ) for metric in cohort_metrics(self.organs())},
        }

    def organs(self) -> tuple[str, ...]:
        """Return the organs of which the cohort has columns."""
        rows = self.sql(
            "SELECT DISTINCT region FROM pet_metrics JOIN baseline_scans USING (patient_id, scan_id)"
            " WHERE grain = 'organ' AND protocol_id = (SELECT default_protocol_id FROM snapshot_info) ORDER BY region"
        ).rows
        return tuple(str(organ) for (organ,) in rows)

    def columns(self) -> tuple[AnalysisColumn, ...]:
        """Return the analysis columns that are numbers."""
        return tuple(column for column in self.analysis_columns() if column.kind == "number")

    def check_columns(self, names: Iterable[str]) -> None:
        """Raise ``WarehouseError`` COLUMN_UNKNOWN, with the nearest name, for what is no analysis column."""
        known = {column.name: column for column in self.analysis_columns()}
        for name in names:
            if name not in known:
                raise unknown_name("COLUMN_UNKNOWN", "The snapshot has no such analysis column", name, tuple(known))
