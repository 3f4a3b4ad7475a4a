"""Reading a published snapshot: free SQL that cannot change anything, and typed reads for the analyses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from warehouse import catalog, protocol_views, select_only, selection
from warehouse.connection import connect_read_only
from warehouse.derived import quoted
from warehouse.errors import unknown_name
from warehouse.feature_tables import feature_table
from warehouse.select_only import QueryResult

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from types import TracebackType

    import pandas as pd
    from numpy.typing import NDArray

    from warehouse.conditions import Condition
    from warehouse.selection import Selection

__all__ = ["AnalysisColumn", "Endpoint", "PatientValues", "QueryResult", "Snapshot", "TableInfo", "open_snapshot"]

_TIMEOUT_S = 60.0
_FEATURES = "features__"
_KINDS = {"number": "number", "integer": "number", "text": "category", "boolean": "category"}


@dataclass(frozen=True)
class TableInfo:
    """A table of the snapshot."""

    name: str
    n_rows: int
    n_columns: int


@dataclass(frozen=True)
class AnalysisColumn:
    """A column that may serve as a covariate, with one value a patient.

    Attributes
    ----------
    name
        Name to ask for in ``Snapshot.values``: that of a cohort column, ``<feature set>__<aggregation>:<feature>``, or
        ``<feature set>__<organ>__<aggregation>:<feature>``.
    table, column
        Where it is in the snapshot, for SQL.
    kind
        ``number`` or ``category``.
    """

    name: str
    table: str
    column: str
    kind: str
    unit: str | None
    description: str


@dataclass(frozen=True, eq=False)
class Endpoint:
    """Survival times of the patients who have the endpoint; ``event`` is 0 censored, 1 event, 2 competing event."""

    name: str
    patient_ids: tuple[str, ...]
    duration_days: NDArray[np.float64]
    event: NDArray[np.int64]

    def of(self, patients: Collection[str]) -> Endpoint:
        """The times of those of ``patients`` who have the endpoint, in the order of this one."""
        wanted = set(patients)
        kept = np.array([patient in wanted for patient in self.patient_ids], dtype=bool)
        chosen = tuple(patient for patient in self.patient_ids if patient in wanted)
        return Endpoint(self.name, chosen, self.duration_days[kept], self.event[kept])


@dataclass(frozen=True, eq=False)
class PatientValues:
    """Analysis columns of all patients of the cohort, in the order of ``patient_ids``.

    Attributes
    ----------
    columns
        Numbers as float64 with NaN where there is no value, categories as objects (str) with None.
    """

    patient_ids: tuple[str, ...]
    columns: Mapping[str, NDArray[Any]]

    def of(self, patients: Sequence[str]) -> PatientValues:
        """The values of ``patients``, in their order; raises ``KeyError`` for one who is not in the cohort."""
        place = {patient: row for row, patient in enumerate(self.patient_ids)}
        rows = np.array([place[patient] for patient in patients], dtype=int)
        return PatientValues(tuple(patients), {name: column[rows] for name, column in self.columns.items()})

    def texts(self, name: str) -> list[str | None]:
        """A column as categories, None where there is no value; numbers as text."""
        column = self.columns[name]
        if column.dtype.kind == "f":
            return [None if np.isnan(value) else f"{value:g}" for value in column]
        return [None if value is None else str(value) for value in column]

    def to_frame(self) -> pd.DataFrame:
        """Return the columns as a data frame, indexed by ``patient_id``."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns), index=pd.Index(self.patient_ids, name="patient_id", dtype=object))


def open_snapshot(lake_root: Path, snapshot_id: str | None = None) -> Snapshot:
    """Open a published snapshot: the current one, or the one whose id begins with ``snapshot_id``.

    Raises
    ------
    WarehouseError
        SNAPSHOT_NONE, SNAPSHOT_UNKNOWN, SNAPSHOT_AMBIGUOUS, SNAPSHOT_CORRUPT.
    """
    full_id = catalog.resolve_id(Path(lake_root), snapshot_id)
    path = catalog.path_of(Path(lake_root), full_id)
    return Snapshot(full_id, path, connect_read_only(path))


class Snapshot:
    """A snapshot that is open for reading; a context manager, and safe to use from several threads."""

    def __init__(self, snapshot_id: str, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.id = snapshot_id
        self.path = path
        self._connection = connection
        self._analysis_columns: tuple[AnalysisColumn, ...] | None = None

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def sql(
        self,
        query: str,
        parameters: Sequence[object] | Mapping[str, object] = (),
        *,
        row_limit: int | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> QueryResult:
        """Run one reading statement.

        Raises
        ------
        WarehouseError
            SQL_NOT_READ_ONLY, SQL_FAILED, SQL_TIMEOUT.
        """
        return select_only.run(self._connection, query, parameters, row_limit=row_limit, timeout_s=timeout_s)

    def frame(
        self, query: str, parameters: Sequence[object] | Mapping[str, object] = (), *, timeout_s: float = _TIMEOUT_S
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
        with select_only.executed(self._connection, query, (), _TIMEOUT_S) as cursor:
            return tuple(TableInfo(name, n_rows, n_columns) for name, n_rows, n_columns in cursor.fetchall())

    def selection(self, conditions: Sequence[str | Condition]) -> Selection:
        """Return the patients of the cohort who meet all conditions; raises as ``warehouse.selection.select``."""
        return selection.select(self, conditions)

    def select(self, conditions: Sequence[str | Condition]) -> tuple[str, ...]:
        """Return the ids of the patients of the cohort who meet all conditions, sorted; raises as ``selection``."""
        return self.selection(conditions).patient_ids

    def cohort(self, protocol_id: str | None = None) -> pd.DataFrame:
        """Return the cohort: one row a patient with clinical values, outcomes, scan and PET metrics.

        ``protocol_id`` is that of the PET metrics where it is not the default one.
        """
        related = protocol_views.relations(self, (), protocol_id)
        query = f"{related.ctes}SELECT {related.replaced} FROM {related.joined} ORDER BY cohort.patient_id"
        return self.frame(query, related.parameters)

    def features(
        self, feature_set: str, aggregation: str, organ: str | None = None, protocol_id: str | None = None
    ) -> pd.DataFrame:
        """Return the wide table of a feature set: one row a patient with lesions, one column a feature.

        ``organ`` restricts it to the lesions in an organ; ``feature_availability`` says why a patient has no row.
        ``protocol_id`` is that of the lesions where it is not the default one.

        Raises
        ------
        WarehouseError
            FEATURES_UNKNOWN.
        """
        name = feature_table(feature_set, aggregation, organ)
        known = [table.name for table in self.tables() if table.name.startswith(_FEATURES)]
        if name not in known:
            raise unknown_name("FEATURES_UNKNOWN", "The snapshot has no such wide feature table", name, known)
        if protocol_id is None:
            return self.frame(f"SELECT * FROM {quoted(name)} ORDER BY patient_id")
        query, parameters = protocol_views.wide_table(self, name, protocol_id)
        return self.frame(query, parameters)

    def endpoints(self) -> tuple[str, ...]:
        """Return the names of the endpoints, sorted."""
        rows = self.sql("SELECT DISTINCT endpoint FROM endpoints ORDER BY endpoint").rows
        return tuple(str(name) for (name,) in rows)

    def endpoint(self, name: str) -> Endpoint:
        """Return the survival times of an endpoint, ordered by patient; raises ``WarehouseError`` ENDPOINT_UNKNOWN."""
        query = (
            "SELECT patient_id, duration_days, event FROM endpoints WHERE endpoint = $1"
            " AND patient_id IN (SELECT patient_id FROM cohort) ORDER BY patient_id"
        )
        rows = self.sql(query, [name]).rows
        if not rows:
            raise unknown_name("ENDPOINT_UNKNOWN", "The snapshot has no such endpoint", name, self.endpoints())
        patients, durations, events = zip(*rows, strict=True)
        return Endpoint(name, patients, np.array(durations, dtype=np.float64), np.array(events, dtype=np.int64))

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
            [_FEATURES],
        ).rows
        columns = []
        for table, column, kind, unit, description in rows:
            name = str(column) if table == "cohort" else f"{str(table).removeprefix(_FEATURES)}:{column}"
            # A unit of 1 is that of features without one.
            text = None if unit is None or unit == "1" else str(unit)
            columns.append(AnalysisColumn(name, str(table), str(column), _KINDS[str(kind)], text, str(description)))
        return tuple(columns)

    def columns(self) -> tuple[AnalysisColumn, ...]:
        """Return the analysis columns that are numbers."""
        return tuple(column for column in self.analysis_columns() if column.kind == "number")

    def check_columns(self, names: Iterable[str]) -> None:
        """Raise ``WarehouseError`` COLUMN_UNKNOWN, with the nearest name, for what is no analysis column."""
        known = {column.name: column for column in self.analysis_columns()}
        for name in names:
            if name not in known:
                raise unknown_name("COLUMN_UNKNOWN", "The snapshot has no such analysis column", name, tuple(known))

    def values(self, names: Sequence[str], protocol_id: str | None = None) -> PatientValues:
        """Return analysis columns, one value a patient of the cohort.

        Parameters
        ----------
        names
            Names of ``analysis_columns``.
        protocol_id
            Protocol of the lesions where it is not the default one.

        Raises
        ------
        WarehouseError
            COLUMN_UNKNOWN, with the nearest name.
        """
        self.check_columns(names)
        known = {column.name: column for column in self.analysis_columns()}
        wanted = {name: known[name] for name in names}
        related = protocol_views.relations(self, tuple(wanted.values()), protocol_id)
        selected = [f"{related.value(column)} AS c{position}" for position, column in enumerate(wanted.values())]
        query = (
            f"{related.ctes}SELECT {', '.join(['cohort.patient_id', *selected])} FROM {related.joined}"
            " ORDER BY cohort.patient_id"
        )
        with select_only.executed(self._connection, query, related.parameters, _TIMEOUT_S) as cursor:
            arrays = cursor.fetchnumpy()
        columns = {
            name: _filled(arrays[f"c{position}"], column.kind) for position, (name, column) in enumerate(wanted.items())
        }
        return PatientValues(tuple(arrays["patient_id"].tolist()), columns)


def _filled(array: NDArray[Any], kind: str) -> NDArray[Any]:
    if kind == "number":
        return np.ma.filled(np.ma.asarray(array, dtype=np.float64), np.nan)
    # A masked array fills objects with "?"; its list has None.
    return np.array(array.tolist(), dtype=object)
