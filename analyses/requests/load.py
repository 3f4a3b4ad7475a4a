"""Reading what a request needs, from a snapshot or from any CSV: the one way from stored values to an analysis."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from pathlib import Path

from analyses.requests.csv_table import csv_cells, csv_columns, csv_numbers, numeric_columns
from analyses.requests.data import AnalysisData, Basis, SurvivalTimes, survival_times
from analyses.requests.family import FamilyRequest
from analyses.requests.request import Request
from analyses.requests.sensitivity import SensitivityRequest
from petct.errors import SurvivalError
from petct.survival.cohort.columns import Columns
from warehouse.queries.analysis_columns import AnalysisColumn
from warehouse.queries.open_snapshot import Snapshot
from warehouse.queries.protocol_queries import tumour_burdens
from warehouse.queries.selection import Selection


def load(snapshot: Snapshot, request: Request, conditions: Sequence[str] = ()) -> AnalysisData:
    """Read the columns, the features and the outcome that a request needs.

    Parameters
    ----------
    conditions
        What patients have to meet, as ``--where`` takes it.

    Raises
    ------
    SurvivalError
        SELECTION_EMPTY, ENDPOINT_NOT_SELECTED, ENDPOINT_NONE, ENDPOINT_AMBIGUOUS, FEATURES_UNKNOWN, FEATURES_NONE,
        COLUMN_NOT_NUMERIC for a feature.
    WarehouseError
        COLUMN_UNKNOWN, ENDPOINT_UNKNOWN, ORGAN_UNKNOWN, and what ``warehouse.queries.selection.select`` raises.
    """
    request = resolved(snapshot, request)
    known = {column.name: column for column in snapshot.analysis_columns()}
    feature_set = request.feature_set if isinstance(request, FamilyRequest) else None
    of_family = [name for name, column in known.items() if feature_set and column.is_of(feature_set)]
    names = list(dict.fromkeys((*of_family, *request.columns)))
    selection = snapshot.selection(conditions)
    if not selection.patient_ids and selection.n_cohort:
        raise SurvivalError(
            "SELECTION_EMPTY", "No patient meets all conditions", keyword="--where", found=selection.sentence
        )
    values = snapshot.values(names, selection.protocol_id)
    columns = {name: known[name] for name in names}
    patients, times, refused = selection.patient_ids, None, None
    try:
        if request.needs_outcome:
            patients, times = _outcome(snapshot, request.endpoint, selection)
    except SurvivalError as error:
        if not isinstance(request, SensitivityRequest):
            raise
        refused = error
    basis = Basis(
        f"snapshot {snapshot.id[:12]}",
        snapshot.id,
        None if times is None else request.endpoint,
        0 if times is None else len(selection.patient_ids) - len(patients),
        _primary(snapshot),
        selection,
        columns,
        feature_set,
    )
    table = Columns(values.of(patients).columns, {name: column.unit for name, column in columns.items()})
    return AnalysisData(
        basis,
        patients,
        table,
        _features(request, table, of_family),
        times,
        refused,
        tumour_burdens(snapshot, request.organ, selection.patient_ids)
        if isinstance(request, SensitivityRequest)
        else (),
    )


def resolved(snapshot: Snapshot, request: Request) -> Request:
    """The request with all that the snapshot decides for it: its endpoint, and the feature set of a family.

    Raises
    ------
    SurvivalError
        ENDPOINT_NONE, ENDPOINT_AMBIGUOUS, FEATURES_UNKNOWN.
    """
    if not request.needs_outcome:
        request = request.completed(endpoint=None)
    elif request.endpoint is None:
        try:
            request = request.completed(endpoint=default_endpoint(snapshot.endpoints()))
        except SurvivalError:
            # Protocols can be compared without an outcome.
            if not isinstance(request, SensitivityRequest):
                raise
    if isinstance(request, FamilyRequest) and not request.features:
        request = request.completed(feature_set=_feature_table(snapshot.analysis_columns(), request.feature_set))
    return request


def load_csv(path: Path, request: Request, duration: str | None = None, event: str | None = None) -> AnalysisData:
    """Read what a request needs from a CSV, an Excel or a Parquet file: one row per patient.

    Parameters
    ----------
    duration, event
        Columns of the outcome.

    Raises
    ------
    SurvivalError
        OPTION_NEEDS_STUDY for an endpoint, OPTION_MISSING, COLUMN_UNKNOWN, COLUMN_NOT_NUMERIC, FEATURES_NONE.
    WarehouseError
        What ``warehouse.imports.read_table`` refuses.
    """
    if request.endpoint or isinstance(request, SensitivityRequest):
        raise SurvivalError("OPTION_NEEDS_STUDY", "--snapshot and --endpoint do not go with --csv", keyword="--csv")
    cells = csv_cells(path)
    times = None
    if request.needs_outcome:
        if not duration or not event:
            raise SurvivalError(
                "OPTION_MISSING", "A CSV needs the columns of its outcome", keyword="--duration, --event"
            )
        times = SurvivalTimes(csv_numbers(cells, duration), csv_numbers(cells, event), "time unit")
    whole = isinstance(request, FamilyRequest) and not request.features
    of_family = [name for name in numeric_columns(cells) if name not in (duration, event)] if whole else []
    table = csv_columns(cells, (*of_family, *request.columns))
    rows = tuple(str(number) for number in range(1, len(next(iter(cells.values()), [])) + 1))
    return AnalysisData(Basis(path.name), rows, table, _features(request, table, of_family), times)


def default_endpoint(endpoints: tuple[str, ...]) -> str:
    """Return the only endpoint, or OS among several; raises ``SurvivalError`` ENDPOINT_NONE, ENDPOINT_AMBIGUOUS."""
    if not endpoints:
        raise SurvivalError(
            "ENDPOINT_NONE",
            "The snapshot has no endpoint",
            hint="Declare `endpoints` in study.yaml, then materialize and publish again.",
        )
    if len(endpoints) == 1:
        return endpoints[0]
    if "OS" in endpoints:
        return "OS"
    raise SurvivalError(
        "ENDPOINT_AMBIGUOUS", "The study has several endpoints", keyword="--endpoint", expected=", ".join(endpoints)
    )


def _outcome(snapshot: Snapshot, name: str | None, selection: Selection) -> tuple[tuple[str, ...], SurvivalTimes]:
    # Only patients with the endpoint can be analysed; the others are in the attrition, not in the groups.
    endpoint = snapshot.endpoint(name or default_endpoint(snapshot.endpoints())).of(selection.patient_ids)
    if not endpoint.patient_ids:
        raise SurvivalError(
            "ENDPOINT_NOT_SELECTED",
            "None of the selected patients has the endpoint",
            keyword="--where",
            found=f"{endpoint.name}, {selection.sentence}",
        )
    return endpoint.patient_ids, survival_times(endpoint)


def _features(request: Request, table: Columns, of_family: Sequence[str]) -> tuple[str, ...]:
    """The features of a family: the columns named, or all numbers of a whole table but those named for another part."""
    if not isinstance(request, FamilyRequest):
        return ()
    for name in request.features:
        table.number(name)
    found = [n for n in (request.features or of_family) if table.is_number(n) and n not in request.no_features]
    if not found:
        raise SurvivalError("FEATURES_NONE", "There is no numeric column among the features", keyword="--features")
    return tuple(dict.fromkeys(found))


def _feature_table(columns: Sequence[AnalysisColumn], asked: str | None) -> str:
    """The feature set with its aggregation that was asked for, or the first one there is; raises FEATURES_UNKNOWN."""
    tables = sorted({column.family.name for column in columns if column.family is not None})
    chosen = tables[0] if asked is None and tables else asked
    if chosen is None or chosen not in tables:
        near = difflib.get_close_matches(chosen or "", tables, n=1, cutoff=0.4)
        raise SurvivalError(
            "FEATURES_UNKNOWN",
            "The snapshot has no such wide feature table",
            keyword="--feature-set",
            found=chosen,
            expected=", ".join(tables) or "none: no features were computed",
            hint=f"Nearest: {near[0]}." if near else None,
        )
    return chosen


def _primary(snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    rows = snapshot.sql("SELECT value_json FROM snapshot_settings WHERE key = 'primary_hypotheses'").rows
    return frozenset((str(e), str(v)) for (text,) in rows for e, v in json.loads(str(text)))
