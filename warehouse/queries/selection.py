"""The patients of a snapshot who meet conditions, and what they were measured under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from warehouse.errors import WarehouseError, unknown_name
from warehouse.queries.analysis_columns import AnalysisColumn, Origin
from warehouse.queries.conditions import PROTOCOL, Condition, Operator, number
from warehouse.queries.protocol_views import default_protocol, relations

if TYPE_CHECKING:
    from warehouse.queries.snapshot_reader import SnapshotReader

_QUALITY = (
    # Name, SQL table, kind, description; the table's rows of a patient are counted, or their codes are compared.
    ("n_refusals", "refusals", "number", "Refusals: what could not be computed for the patient"),
    ("n_findings", "qc_events", "number", "Findings of quality that did not stop the work"),
    ("refusal_code", "refusals", "category", "Codes of the patient's refusals; a condition is met by any of them"),
    ("finding_code", "qc_events", "category", "Codes of the patient's findings; a condition is met by any of them"),
)


@dataclass(frozen=True)
class Selection:
    """Patients of the cohort who meet all of some conditions.

    Attributes
    ----------
    conditions
        The conditions in their canonical form, sorted; without that of the protocol where it is the default one.
    columns
        The column of each condition; None for that of the protocol.
    patient_ids
        Who meets them, sorted.
    n_cohort
        Patients of the whole cohort.
    protocol_id
        The protocol under which the lesions are taken; None for the default one.
    """

    conditions: tuple[Condition, ...]
    columns: tuple[AnalysisColumn | None, ...]
    patient_ids: tuple[str, ...]
    n_cohort: int
    protocol_id: str | None

    @property
    def texts(self) -> tuple[str, ...]:
        """The conditions as they are written in a link and on the command line."""
        return tuple(condition.text for condition in self.conditions)

    @property
    def is_everyone(self) -> bool:
        """Whether nothing distinguishes it from the whole cohort under the default protocol."""
        return self.protocol_id is None and len(self.patient_ids) == self.n_cohort

    @property
    def named(self) -> str:
        """What makes a test on it another test than that on the whole cohort, in words; empty where nothing does."""
        return "" if self.is_everyone else f"where {' and '.join(self.texts)}"

    @property
    def sentence(self) -> str:
        """``43 of 67 patients: age_years >= 60 years, sex F``; empty without conditions."""
        if not self.conditions:
            return ""
        said = [
            condition.words(unit=column.unit) if column else f"lesions by protocol {condition.operands[0]}"
            for condition, column in zip(self.conditions, self.columns, strict=True)
        ]
        return f"{len(self.patient_ids)} of {self.n_cohort} patients: {', '.join(said)}"

    @property
    def summary(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "conditions": list(self.texts),
            "sentence": self.sentence or None,
            "n_selected": len(self.patient_ids),
            "n": self.n_cohort,
        }


def quality_columns() -> tuple[AnalysisColumn, ...]:
    """The columns of conditions that are no analysis columns: refusals and findings of the patient."""
    return tuple(
        AnalysisColumn(name, table, name, kind, None, text, Origin.QUALITY) for name, table, kind, text in _QUALITY
    )


def select(snapshot: SnapshotReader, conditions: Sequence[str | Condition]) -> Selection:
    """Select the patients of the cohort who meet all conditions.

    Parameters
    ----------
    conditions
        In any form and order. One of them may be ``protocol_id=NAME``: conditions on PET metrics and features are then
        about the lesions of that protocol.

    Raises
    ------
    WarehouseError
        Those of ``Condition.parse``; COLUMN_UNKNOWN with the nearest name, CONDITION_ON_OUTCOME, CONDITION_KIND for a
        comparison of a category, CONDITION_VALUE_UNKNOWN for a category that nobody has, PROTOCOL_UNKNOWN,
        CONDITION_PROTOCOL for another condition on the protocol than one choice.
    """
    parsed = {c if isinstance(c, Condition) else Condition.parse(c) for c in conditions}
    protocol = _protocol(snapshot, [condition for condition in parsed if condition.column == PROTOCOL])
    known = {column.name: column for column in (*snapshot.analysis_columns(), *quality_columns())}
    resolved = sorted(
        {_resolved(snapshot, known, condition) for condition in parsed if condition.column != PROTOCOL},
        key=lambda condition: condition.text,
    )
    columns = [known[condition.column] for condition in resolved]
    protocol_id = None if protocol is None else protocol[0]
    patients, n_cohort = _patients(snapshot, resolved, columns, protocol_id)
    chosen = [] if protocol is None else [Condition.of(PROTOCOL, Operator.ONE_OF, protocol[1])]
    return Selection((*chosen, *resolved), (*([None] if chosen else []), *columns), patients, n_cohort, protocol_id)


def _protocol(snapshot: SnapshotReader, conditions: Sequence[Condition]) -> tuple[str, str] | None:
    """Id and shortest distinct name of the chosen protocol; None for the default one."""
    if not conditions:
        return None
    wanted = {operand for condition in conditions for operand in condition.operands}
    if len(wanted) != 1 or any(condition.operator is not Operator.ONE_OF for condition in conditions):
        raise WarehouseError(
            "CONDITION_PROTOCOL",
            "The lesions are taken under one protocol",
            found=", ".join(sorted(condition.text for condition in conditions)),
            expected=f"{PROTOCOL}=NAME",
        )
    (name,) = wanted
    rows = snapshot.sql("SELECT protocol_id, name FROM protocols ORDER BY protocol_id").rows
    ids = [str(protocol_id) for protocol_id, _ in rows]
    names = [str(called) for _, called in rows]
    found = [i for i, called in zip(ids, names, strict=True) if name in (i, called)]
    if len(found) != 1:
        raise unknown_name(
            "PROTOCOL_UNKNOWN",
            "Several protocols have this name" if found else "The snapshot has no such protocol",
            name,
            found or names,
        )
    if found[0] == default_protocol(snapshot):
        return None
    called = names[ids.index(found[0])]
    return found[0], called if names.count(called) == 1 else found[0]


def _resolved(snapshot: SnapshotReader, known: dict[str, AnalysisColumn], condition: Condition) -> Condition:
    """The condition with the operands of its column's kind."""
    column = known.get(condition.column)
    if column is None:
        raise _unknown_column(snapshot, known, condition)
    if condition.operator is Operator.KNOWN:
        return condition
    if column.kind == "number":
        return Condition.of(column.name, condition.operator, *(number(v, column.name) for v in condition.operands))
    if condition.operator.is_comparison:
        raise WarehouseError(
            "CONDITION_KIND",
            "The column holds categories, which have no order",
            found=condition.text,
            expected=f"{column.name}= or {column.name}!= and one or more of {', '.join(choices(snapshot, column))}",
        )
    if column.table in _COUNTED:
        # A code that nobody has is no mistake: its absence may be asked for.
        return condition
    there = choices(snapshot, column)
    for value in condition.operands:
        if value not in there:
            raise unknown_name(
                "CONDITION_VALUE_UNKNOWN", "No patient has this value", value, tuple(there), keyword=column.name
            )
    return condition


def _unknown_column(snapshot: SnapshotReader, known: dict[str, AnalysisColumn], condition: Condition) -> WarehouseError:
    role = snapshot.sql(
        "SELECT role FROM column_definitions WHERE table_name = 'cohort' AND column_name = $1", [condition.column]
    ).rows
    if role == (("outcome",),):
        return WarehouseError(
            "CONDITION_ON_OUTCOME",
            "Patients cannot be selected by what became of them later",
            found=condition.text,
            hint="To analyse those who are free of the event at a time, use a landmark.",
        )
    return unknown_name(
        "COLUMN_UNKNOWN", "The snapshot has no such column for a condition", condition.column, tuple(known)
    )


def choices(snapshot: SnapshotReader, column: AnalysisColumn, protocol_id: str | None = None) -> dict[str, int]:
    """The values of a category in the cohort, sorted, each with its number of patients."""
    if column.table in _COUNTED:
        query = f"SELECT code, count(DISTINCT patient_id) FROM {column.table} GROUP BY code ORDER BY code"
        return {str(code): int(str(n)) for code, n in snapshot.sql(query).rows}
    related = relations(snapshot, (column,), protocol_id)
    query = (
        f"{related.ctes}SELECT {related.value(column)} AS value, count(*) FROM {related.joined}"
        " GROUP BY value HAVING value IS NOT NULL ORDER BY value"
    )
    return {str(value): int(str(n)) for value, n in snapshot.sql(query, related.parameters).rows}


_COUNTED = frozenset(table for _, table, _, _ in _QUALITY)


def _patients(
    snapshot: SnapshotReader,
    conditions: Sequence[Condition],
    columns: Sequence[AnalysisColumn],
    protocol_id: str | None,
) -> tuple[tuple[str, ...], int]:
    """The patients who meet the conditions, and the number of all."""
    related = relations(snapshot, [c for c in columns if c.table not in _COUNTED], protocol_id)
    parameters = dict(related.parameters)
    clauses = ["TRUE"]
    for position, (condition, column) in enumerate(zip(conditions, columns, strict=True)):
        of_quality = column.table in _COUNTED
        value = _count(column) if of_quality else related.value(column)
        make = _code_clause if of_quality and column.kind == "category" else _clause
        clauses.append(make(condition, column, value, f"w{position}"))
        if condition.operator is not Operator.KNOWN:
            numbers = column.kind == "number"
            operands = [float(v) if numbers else v for v in condition.operands]
            parameters[f"w{position}"] = operands[0] if condition.operator.is_comparison else operands
    rows = snapshot.sql(
        f"{related.ctes}SELECT cohort.patient_id, {' AND '.join(clauses)} FROM {related.joined}"
        " ORDER BY cohort.patient_id",
        parameters,
    ).rows
    return tuple(str(patient) for patient, meets in rows if meets), len(rows)


def _count(column: AnalysisColumn) -> str:
    return f"(SELECT count(*) FROM {column.table} AS counted WHERE counted.patient_id = cohort.patient_id)::DOUBLE"


def _clause(condition: Condition, column: AnalysisColumn, value: str, parameter: str) -> str:
    """SQL that is true where the condition is met, and not true where there is no value."""
    if condition.operator is Operator.KNOWN:
        return f"({value}) IS NOT NULL"
    if condition.operator.is_comparison:
        return f"({value}) {condition.operator} ${parameter}::DOUBLE"
    kind = "DOUBLE" if column.kind == "number" else "VARCHAR"
    sign = "NOT " if condition.operator is Operator.NONE_OF else ""
    return f"({value}) IS NOT NULL AND {sign}list_contains(${parameter}::{kind}[], {value})"


def _code_clause(condition: Condition, column: AnalysisColumn, value: str, parameter: str) -> str:
    """SQL that is true where any code of the patient is one of the choices; ``!=`` where none is."""
    if condition.operator is Operator.KNOWN:
        return f"{value} > 0"
    sign = "NOT " if condition.operator is Operator.NONE_OF else ""
    return (
        f"{sign}EXISTS (SELECT 1 FROM {column.table} AS coded WHERE coded.patient_id = cohort.patient_id"
        f" AND list_contains(${parameter}::VARCHAR[], coded.code))"
    )
