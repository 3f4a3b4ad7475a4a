"""What a snapshot says about where its numbers come from, as far as a methods section needs it."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from analyses.requests.data import Basis
from warehouse.people.journal import Ledger, ledger_of
from warehouse.queries.analysis_columns import AnalysisColumn
from warehouse.queries.open_snapshot import Snapshot
from warehouse.snapshots.publish import show

_SOFTWARE = ("numpy", "scipy", "duckdb", "matplotlib")


@dataclass(frozen=True)
class FeatureSource:
    """Radiomic features that take part: their set, and how lesions became one value per patient."""

    name: str
    feature_set_id: str
    modality: str
    description: str
    libraries: tuple[tuple[str, str], ...]
    aggregation: str


@dataclass(frozen=True)
class EndpointDefinition:
    """Where the times of an endpoint come from: columns of the clinical table, and the last day that counts."""

    origin: str
    events: tuple[str, ...]
    censoring: str
    competing: str | None
    data_lock: str | None


@dataclass(frozen=True)
class Lineage:
    """Facts of a snapshot; what it does not say is None or empty.

    Attributes
    ----------
    study, tracer
        As study.yaml names them.
    snapshot_id, petlake_version
        The snapshot, and the version and commit that built it.
    n_patients, n_selected
        Patients of the snapshot, and those who meet the conditions.
    n_scans, scanners
        Scans, and how many of each scanner (manufacturer and model), most first.
    suv_policy, n_adaptations
        lenient or strict, and deviations from the straight path to SUV.
    protocol, protocol_description, n_protocols
        The protocol of the lesions, its rules in a sentence, and how many the study has.
    engine, feature_sources
        Which engine computed the features, and the features that take part.
    endpoint
        Its definition.
    baseline_within_days
        How long before the origin a scan may lie.
    primary
        Pairs of endpoint and variable that were declared beforehand.
    minimum_icc
        The bound of robustness, where the study measures it.
    exams
        Comparisons with published values by exam: passed, and all.
    ledger
        The tests that were run on the snapshot so far.
    software
        Names and versions of what computes the statistics.
    """

    study: str
    tracer: str | None
    snapshot_id: str
    petlake_version: str
    n_patients: int
    n_selected: int
    n_scans: int
    scanners: tuple[tuple[str, int], ...]
    suv_policy: str | None
    n_adaptations: int
    protocol: str | None
    protocol_description: str | None
    n_protocols: int
    engine: str | None
    feature_sources: tuple[FeatureSource, ...]
    endpoint: EndpointDefinition | None
    baseline_within_days: int | None
    primary: frozenset[tuple[str, str]]
    minimum_icc: float | None
    exams: tuple[tuple[str, int, int], ...]
    ledger: Ledger
    software: tuple[tuple[str, str], ...]


def lineage_of(lake_root: Path, snapshot: Snapshot, basis: Basis) -> Lineage:
    """Read the facts of a snapshot that belong to an analysis.

    Raises
    ------
    WarehouseError
        What the snapshot or its ledger refuse.
    """
    details = show(lake_root, snapshot.id)
    settings = {key: json.loads(text) for key, text in details.settings_json.items()}
    tables: Mapping[str, Any] = settings.get("tables") or {}
    selection = basis.selection or snapshot.selection(())
    protocol = _protocol(snapshot, selection.protocol_id or details.default_protocol_id)
    endpoints = tables.get("endpoints", {})
    return Lineage(
        study=str(settings.get("study") or lake_root.parent.name),
        tracer=settings.get("tracer"),
        snapshot_id=snapshot.id,
        petlake_version=details.code.text,
        n_patients=details.n_patients,
        n_selected=len(selection.patient_ids),
        n_scans=_count(snapshot, "SELECT count(*) FROM scans"),
        scanners=_scanners(snapshot),
        suv_policy=tables.get("suv", {}).get("policy"),
        n_adaptations=_count(snapshot, "SELECT count(*) FROM suv_adaptations"),
        protocol=protocol[0],
        protocol_description=protocol[1],
        n_protocols=_count(snapshot, "SELECT count(*) FROM protocols"),
        engine=tables.get("radiomic_features", {}).get("engine"),
        feature_sources=_feature_sources(snapshot, basis.columns.values()),
        endpoint=_endpoint(endpoints, basis.endpoint),
        baseline_within_days=endpoints.get("baseline_within_days"),
        primary=basis.primary,
        minimum_icc=tables.get("robustness", {}).get("minimum_icc"),
        exams=_exams(snapshot),
        ledger=ledger_of(lake_root, snapshot.id),
        software=software_versions(),
    )


def software_versions() -> tuple[tuple[str, str], ...]:
    """Names and versions of Python and of the libraries that compute statistics and figures."""
    return (("Python", platform.python_version()), *((name, metadata.version(name)) for name in _SOFTWARE))


def _count(snapshot: Snapshot, query: str) -> int:
    return int(str(snapshot.sql(query).rows[0][0]))


def _scanners(snapshot: Snapshot) -> tuple[tuple[str, int], ...]:
    rows = snapshot.sql(
        "SELECT trim(concat_ws(' ', manufacturer, manufacturer_model_name)) AS scanner, count(*) FROM scans"
        " GROUP BY 1 ORDER BY 2 DESC, 1"
    ).rows
    return tuple((str(name) or "unnamed scanner", int(str(n))) for name, n in rows)


def _protocol(snapshot: Snapshot, protocol_id: str | None) -> tuple[str | None, str | None]:
    rows = snapshot.sql("SELECT protocol_id, name, description FROM protocols ORDER BY protocol_id").rows
    chosen = [row for row in rows if row[0] == protocol_id] or rows[:1]
    if not chosen:
        return None, None
    _, name, description = chosen[0]
    return str(name), str(description)


def _endpoint(endpoints: Mapping[str, Any], name: str | None) -> EndpointDefinition | None:
    for item in endpoints.get("endpoints") or ():
        found, origin, events, censoring, competing, *_ = item
        if found == name:
            return EndpointDefinition(origin, tuple(events), censoring, competing, endpoints.get("data_lock"))
    return None


def _feature_sources(snapshot: Snapshot, columns: Iterable[AnalysisColumn]) -> tuple[FeatureSource, ...]:
    rows = snapshot.sql("SELECT feature_set_id, name, modality, description, library_versions_json FROM feature_sets")
    sets = {str(set_id): about for set_id, *about in rows.rows}
    found = []
    for family in dict.fromkeys(column.family for column in columns if column.family is not None):
        name, modality, description, libraries = (str(text) for text in sets[family.feature_set_id])
        rule = family.rule.replace("_", " ")
        try:
            versions = json.loads(libraries)
        except ValueError:
            versions = {}
        pairs = tuple(sorted((str(key), str(value)) for key, value in versions.items()))
        aggregation = f"{family.organ}: {rule}" if family.organ else rule
        found.append(FeatureSource(name, family.feature_set_id, modality, description, pairs, aggregation))
    return tuple(found)


def _exams(snapshot: Snapshot) -> tuple[tuple[str, int, int], ...]:
    if all(table.name != "conformance" for table in snapshot.tables()):
        # Published by a petlake that ran no exams.
        return ()
    rows = snapshot.sql(
        "SELECT exam, count(*) FILTER (WHERE verdict = 'pass'), count(*) FROM conformance WHERE verdict <> 'not_run'"
        " GROUP BY exam ORDER BY exam"
    ).rows
    return tuple((str(exam), int(str(passed)), int(str(n))) for exam, passed, n in rows)
