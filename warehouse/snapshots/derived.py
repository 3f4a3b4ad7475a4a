"""The tables of a snapshot that are built from others: baseline scans, clinical values wide, cohort.

The tables of features are built in ``warehouse.snapshots.feature_tables``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import TYPE_CHECKING

from records.columns import Column, InCohort, Kind
from warehouse.errors import WarehouseError
from warehouse.registry.tables import table

if TYPE_CHECKING:
    import duckdb

_CLINICAL_KINDS = {"number": Kind.NUMBER, "category": Kind.TEXT, "date": Kind.DATE}
_MISSINGNESS: tuple[tuple[str, Kind, str | None, str], ...] = (
    ("variable", Kind.TEXT, None, "Variable of table clinical"),
    ("kind", Kind.TEXT, None, "number, category or date"),
    ("unit", Kind.TEXT, None, "Unit as declared"),
    ("n_patients", Kind.INTEGER, None, "Patients with a row in the clinical table"),
    ("n_recorded", Kind.INTEGER, None, "Patients with a value"),
    ("n_missing", Kind.INTEGER, None, "Patients whose cell says that there is no value"),
    ("n_refused", Kind.INTEGER, None, "Patients whose cell, or row, was refused (table refusals)"),
    ("share_missing", Kind.NUMBER, None, "Share of the patients without a value, for either reason"),
)


class Role(StrEnum):
    """What a column of a patient-level table may be used for in an analysis."""

    KEY = "key"
    COVARIATE = "covariate"
    OUTCOME = "outcome"
    OTHER = "other"


@dataclass(frozen=True)
class ColumnDefinition:
    """One column of the snapshot, as listed in its table ``column_definitions``."""

    table_name: str
    column_name: str
    kind: Kind
    unit: str | None
    description: str
    role: Role = Role.OTHER


@dataclass(frozen=True)
class _Expression:
    sql: str
    definition: ColumnDefinition
    organ: str | None = None


@dataclass(frozen=True)
class CohortMetric:
    """A PET metric of the cohort: its name, its SQL over a patient's rows of ``measured_scans``, and its organ."""

    name: str
    sql: str
    organ: str | None


def quoted(name: str) -> str:
    """``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def slug(organ: str) -> str:
    """An organ's name as part of the name of a table or column."""
    return re.sub(r"[^a-z0-9]+", "_", organ.lower()).strip("_")


def build_derived(
    connection: duckdb.DuckDBPyConnection, default_protocol_id: str | None
) -> tuple[ColumnDefinition, ...]:
    """Build all derived tables from the registry's tables and return the definitions of their columns.

    Raises
    ------
    WarehouseError
        SNAPSHOT_COLUMN_CONFLICT when two columns of the cohort would have one name, SNAPSHOT_KIND_CONFLICT when a
        clinical variable is a number for one patient and a category for another.
    """
    choose_baseline_scans(connection, default_protocol_id)
    run_script(connection, "measured_scans")
    rule = "ENDPOINT: declared for an endpoint; EARLIEST: the patient's first scan"
    definitions = [
        ColumnDefinition("baseline_scans", "patient_id", Kind.TEXT, None, "Patient key", Role.KEY),
        ColumnDefinition("baseline_scans", "scan_id", Kind.TEXT, None, "The scan that stands for the patient"),
        ColumnDefinition("baseline_scans", "rule", Kind.TEXT, None, rule),
    ]
    clinical = _clinical_columns(connection)
    definitions += _create(
        connection,
        "clinical_wide",
        clinical,
        "clinical AS source GROUP BY source.patient_id ORDER BY source.patient_id",
    )
    definitions += _build_cohort(connection, [expression.definition for expression in clinical])
    run_script(connection, "clinical_missingness")
    definitions += [ColumnDefinition("clinical_missingness", *column) for column in _MISSINGNESS]
    return tuple(definitions)


def choose_baseline_scans(connection: duckdb.DuckDBPyConnection, default_protocol_id: str | None) -> None:
    """Make ``baseline_scans`` and ``default_protocol``, on which everything about a patient is built.

    Raises
    ------
    WarehouseError
        SNAPSHOT_BASELINE_AMBIGUOUS when the endpoints of a patient have different baseline scans.
    """
    connection.execute("CREATE TEMP TABLE default_protocol AS SELECT $1::VARCHAR AS protocol_id", [default_protocol_id])
    _check_one_baseline(connection)
    run_script(connection, "baseline_scans")


def run_script(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Run a file of ``warehouse/sql``."""
    connection.execute(files("warehouse.sql").joinpath(f"{name}.sql").read_text(encoding="utf-8"))


def _clinical_columns(connection: duckdb.DuckDBPyConnection) -> list[_Expression]:
    variables = connection.execute(
        "SELECT variable, array_agg(DISTINCT kind ORDER BY kind), min(unit) FROM clinical"
        " GROUP BY variable ORDER BY variable"
    ).fetchall()
    columns = []
    for variable, kinds, unit in variables:
        if len(kinds) != 1 or kinds[0] not in _CLINICAL_KINDS:
            raise WarehouseError(
                "SNAPSHOT_KIND_CONFLICT",
                "A clinical variable has more than one kind, or one that is not known",
                keyword=variable,
                found=", ".join(kinds),
                expected=" or ".join(_CLINICAL_KINDS),
                hint="Materialize the clinical tables of all patients again.",
            )
        value = {"number": "value_number", "category": "value_text", "date": "value_date"}[kinds[0]]
        role = Role.OTHER if kinds[0] == "date" else Role.COVARIATE
        definition = ColumnDefinition(
            "clinical_wide", variable, _CLINICAL_KINDS[kinds[0]], unit, f"Clinical variable, {kinds[0]}", role
        )
        columns.append(
            _Expression(f"max(source.{value}) FILTER (WHERE source.variable = {literal(variable)})", definition)
        )
    return columns


def _build_cohort(
    connection: duckdb.DuckDBPyConnection, clinical: list[ColumnDefinition]
) -> tuple[ColumnDefinition, ...]:
    outcomes = _outcome_columns(connection)
    metrics = _metric_columns(connection)
    columns = [
        _Expression(
            "baseline_scans.scan_id", _cohort("baseline_scan_id", Kind.TEXT, None, "The scan of the PET metrics")
        ),
        *(
            _Expression(
                f"clinical_wide.{quoted(c.column_name)}", _cohort(c.column_name, c.kind, c.unit, c.description, c.role)
            )
            for c in clinical
        ),
        *(_Expression(f"outcomes.{quoted(e.definition.column_name)}", e.definition) for e in outcomes),
        *_scan_columns(),
        *(_Expression(f"metrics.{quoted(e.definition.column_name)}", e.definition) for e in metrics),
    ]
    source = f"""patients AS source
        LEFT JOIN baseline_scans USING (patient_id)
        LEFT JOIN clinical_wide USING (patient_id)
        LEFT JOIN ({_grouped("endpoints", outcomes)}) AS outcomes USING (patient_id)
        LEFT JOIN scans USING (patient_id, scan_id)
        LEFT JOIN suv USING (patient_id, scan_id)
        LEFT JOIN ({_grouped("measured_scans", metrics)}) AS metrics USING (patient_id)
        ORDER BY source.patient_id"""
    return _create(connection, "cohort", columns, source)


def _cohort(name: str, kind: Kind, unit: str | None, description: str, role: Role = Role.OTHER) -> ColumnDefinition:
    return ColumnDefinition("cohort", name, kind, unit, description, role)


def _outcome_columns(connection: duckdb.DuckDBPyConnection) -> list[_Expression]:
    names = connection.execute("SELECT DISTINCT endpoint FROM endpoints ORDER BY endpoint").fetchall()
    columns = []
    for (name,) in names:
        for column in ("duration_days", "event"):
            source = table("endpoints").column(column)
            definition = _cohort(
                f"{name}_{column}", source.kind, source.unit, f"{name}: {source.description}", Role.OUTCOME
            )
            columns.append(_Expression(f"max({column}) FILTER (WHERE endpoint = {literal(name)})", definition))
    return columns


def cohort_names() -> frozenset[str]:
    """The names of the cohort's own columns that a clinical variable cannot have; organs and endpoints add theirs."""
    own = (expression.definition.column_name for expression in (*_scan_columns(), *_metrics_of(())))
    return frozenset(("patient_id", "baseline_scan_id", *own))


def _in_cohort(table_name: str) -> list[tuple[Column, InCohort]]:
    """The columns of a table that the cohort has."""
    return [(column, column.cohort) for column in table(table_name).columns if column.cohort is not None]


def _scan_columns() -> list[_Expression]:
    columns = []
    for table_name in ("scans", "suv"):
        for source, _ in _in_cohort(table_name):
            role = Role.OTHER if source.kind is Kind.DATE else Role.COVARIATE
            name = source.name if source.name.startswith("scan_") else f"scan_{source.name}"
            value, kind = f"{table_name}.{quoted(source.name)}", source.kind
            if kind is Kind.BOOLEAN:
                # A category, so that it can be filtered and adjusted for like any other.
                value, kind = f"CASE WHEN {value} THEN 'yes' WHEN NOT {value} THEN 'no' END", Kind.TEXT
            definition = _cohort(name, kind, source.unit, f"{source.description} (baseline scan)", role)
            columns.append(_Expression(value, definition))
    return columns


def _metric_columns(connection: duckdb.DuckDBPyConnection) -> list[_Expression]:
    rows = connection.execute(
        "SELECT DISTINCT region FROM measured_scans WHERE grain = 'organ' ORDER BY region"
    ).fetchall()
    return _metrics_of([organ for (organ,) in rows])


def cohort_metrics(organs: Sequence[str]) -> tuple[CohortMetric, ...]:
    """Every PET metric of the cohort, where it has columns of these organs."""
    return tuple(CohortMetric(each.definition.column_name, each.sql, each.organ) for each in _metrics_of(organs))


def scan_names() -> tuple[str, ...]:
    """The names of the cohort's columns about the baseline scan."""
    return tuple(column.definition.column_name for column in _scan_columns())


def _metrics_of(organs: Sequence[str]) -> list[_Expression]:
    metrics = [(source, in_cohort.name or source.name, in_cohort) for source, in_cohort in _in_cohort("pet_metrics")]
    columns = [
        _metric(source, name, source.description, f"max({source.name}) FILTER (WHERE grain = 'patient')")
        for source, name, _ in metrics
    ]
    for organ in organs:
        for source, name, in_cohort in metrics:
            if not in_cohort.by_organ:
                continue
            value = f"max({source.name}) FILTER (WHERE grain = 'organ' AND region = {literal(organ)})"
            if not source.nullable:
                # Where a lesion's organ is not known, no lesion of this one is not known either.
                none = "CASE WHEN bool_or(grain = 'organ' AND region = 'unknown') IS NOT TRUE THEN 0 END"
                value = f"CASE WHEN bool_or(grain = 'patient') THEN coalesce({value}, {none}) END"
            words = f"{source.description}: {organ}"
            columns.append(_metric(source, f"{slug(organ)}_{name}", words, value, organ))
            if source.name == "volume_ml":
                share = f"({value}) / nullif(max(volume_ml) FILTER (WHERE grain = 'patient'), 0)"
                definition = _cohort(
                    f"{slug(organ)}_volume_share",
                    Kind.NUMBER,
                    None,
                    f"Share of the tumour volume: {organ}",
                    Role.COVARIATE,
                )
                columns.append(_Expression(share, definition, organ))
    return columns


def _metric(source: Column, name: str, description: str, sql: str, organ: str | None = None) -> _Expression:
    return _Expression(sql, _cohort(name, source.kind, source.unit, description, Role.COVARIATE), organ)


def _check_one_baseline(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse endpoints that disagree: the cohort holds one scan a patient, the wrong one for one of them."""
    rows = connection.execute(
        "SELECT patient_id, string_agg(endpoint, ', ' ORDER BY endpoint) FROM endpoints"
        " WHERE baseline_scan_id IS NOT NULL GROUP BY patient_id HAVING count(DISTINCT baseline_scan_id) > 1"
        " ORDER BY patient_id LIMIT 1"
    ).fetchall()
    for patient_id, endpoints in rows:
        raise WarehouseError(
            "SNAPSHOT_BASELINE_AMBIGUOUS",
            "The endpoints of a patient have different baseline scans, and a cohort has one scan a patient",
            patient_id=patient_id,
            keyword="endpoints",
            found=endpoints,
            hint="Keep endpoints with different origins in studies of their own.",
        )


def _grouped(table_name: str, columns: list[_Expression]) -> str:
    selected = "".join(f", {column.sql} AS {quoted(column.definition.column_name)}" for column in columns)
    return f"SELECT patient_id{selected} FROM {table_name} GROUP BY patient_id"


def _create(
    connection: duckdb.DuckDBPyConnection, name: str, columns: list[_Expression], source: str
) -> tuple[ColumnDefinition, ...]:
    """Create a table of ``patient_id`` and ``columns``; DuckDB's names ignore case, so the conflicts here do too."""
    key = ColumnDefinition(name, "patient_id", Kind.TEXT, None, "Patient key", Role.KEY)
    definitions = (key, *(column.definition for column in columns))
    seen: dict[str, ColumnDefinition] = {}
    for definition in definitions:
        other = seen.setdefault(definition.column_name.lower(), definition)
        if other is not definition:
            raise WarehouseError(
                "SNAPSHOT_COLUMN_CONFLICT",
                "Two columns would have one name",
                keyword=f"{name}.{definition.column_name}",
                found=f"{other.description!r} and {definition.description!r}",
                hint="Rename the clinical variable, the endpoint or the organ in study.yaml.",
            )
    selected = "".join(f", {column.sql} AS {quoted(column.definition.column_name)}" for column in columns)
    connection.execute(f"CREATE TABLE {quoted(name)} AS SELECT source.patient_id{selected} FROM {source}")
    return definitions
