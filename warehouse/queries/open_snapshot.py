"""Reading a published snapshot: free SQL that cannot change anything, and typed reads for the analyses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.errors import WarehouseError, unknown_name
from warehouse.queries import protocol_views, select_only, selection
from warehouse.queries.analysis_columns import Endpoint, PatientValues
from warehouse.queries.snapshot_reader import FEATURES, TIMEOUT_S, SnapshotReader
from warehouse.snapshots import catalog
from warehouse.snapshots.connection import connect_read_only
from warehouse.snapshots.derived import quoted
from warehouse.snapshots.feature_tables import feature_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    import pandas as pd
    from numpy.typing import NDArray

    from warehouse.queries.conditions import Condition
    from warehouse.queries.selection import Selection


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


class Snapshot(SnapshotReader):
    """A snapshot that is open for reading; a context manager, and safe to use from several threads."""

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def selection(self, conditions: Sequence[str | Condition]) -> Selection:
        """Return the patients of the cohort who meet all conditions; raises as ``selection.select``."""
        return selection.select(self, conditions)

    def select(self, conditions: Sequence[str | Condition]) -> tuple[str, ...]:
        """Return the ids of the patients of the cohort who meet all conditions, sorted; raises as ``selection``."""
        return self.selection(conditions).patient_ids

    def cohort(self, protocol_id: str | None = None) -> pd.DataFrame:
        """Return the cohort: one row per patient with clinical values, outcomes, scan and PET metrics.

        ``protocol_id`` is that of the PET metrics where it is not the default one.
        """
        related = protocol_views.relations(self, (), protocol_id)
        query = f"{related.ctes}SELECT {related.replaced} FROM {related.joined} ORDER BY cohort.patient_id"
        return self.frame(query, related.parameters)

    def features(
        self, feature_set: str, aggregation: str, organ: str | None = None, protocol_id: str | None = None
    ) -> pd.DataFrame:
        """Return the wide table of a feature set: one row per patient with lesions, one column per feature.

        ``organ`` restricts it to the lesions in an organ; ``feature_availability`` says why a patient has no row.
        ``protocol_id`` is that of the lesions where it is not the default one.

        Raises
        ------
        WarehouseError
            FEATURES_UNKNOWN.
        """
        name = feature_table(feature_set, aggregation, organ)
        known = [table.name for table in self.tables() if table.name.startswith(FEATURES)]
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

    def values(self, names: Sequence[str], protocol_id: str | None = None) -> PatientValues:
        """Return analysis columns, one value per patient of the cohort.

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
        with select_only.executed(self._connection, query, related.parameters, TIMEOUT_S) as cursor:
            arrays = cursor.fetchnumpy()
        columns = {
            name: _filled(arrays[f"c{position}"], column.kind) for position, (name, column) in enumerate(wanted.items())
        }
        return PatientValues(tuple(arrays["patient_id"].tolist()), columns)

    def survival_frame(
        self, endpoint: str, columns: Sequence[str] = (), *, protocol_id: str | None = None, competing: bool = False
    ) -> pd.DataFrame:
        """Return survival times and analysis columns as lifelines takes them: one row per patient with the endpoint.

        Parameters
        ----------
        endpoint
            Name of the endpoint.
        columns
            Names of ``analysis_columns``.
        protocol_id
            Protocol of the lesions where it is not the default one.
        competing
            Keep competing events as 2 (for ``AalenJohansenFitter``); otherwise they are censored.

        Returns
        -------
        pandas.DataFrame
            ``duration`` in days, ``event`` (1 event, 0 censored) and the columns, indexed by ``patient_id``. Numbers
            are float64 with NaN, categories are text with None.

        Raises
        ------
        WarehouseError
            ENDPOINT_UNKNOWN, COLUMN_UNKNOWN, COLUMN_RESERVED for a column that is called ``duration`` or ``event``.
        """
        reserved = {"duration", "event"} & set(columns)
        if reserved:
            raise WarehouseError(
                "COLUMN_RESERVED", "The frame has a column of its own of that name", found=", ".join(sorted(reserved))
            )
        times = self.endpoint(endpoint)
        frame = self.values(columns, protocol_id).of(times.patient_ids).to_frame()
        frame.insert(0, "duration", times.duration_days)
        frame.insert(1, "event", times.event if competing else (times.event == 1).astype(np.int64))
        return frame


def _filled(array: NDArray[Any], kind: str) -> NDArray[Any]:
    if kind == "number":
        return np.ma.filled(np.ma.asarray(array, dtype=np.float64), np.nan)
    # A masked array fills objects with "?"; its list has None.
    return np.array(array.tolist(), dtype=object)
