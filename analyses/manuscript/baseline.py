"""Table 1 of the patients of an analysis, by the groups that it compares."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np

from analyses.context import Resolved
from analyses.findings import Findings
from analyses.naming import variable_name
from petct.survival.cohort.groups import Grouping, split_at, split_by_category
from petct.survival.cohort.landmark import landmark_cohort
from petct.survival.cohort.outcome import cause_specific
from petct.survival.cohort.table_one import (
    Baseline,
    BaselineCategory,
    BaselineNumber,
    TableOne,
    table_one,
    table_one_texts,
)
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.kaplan_meier.estimate import KaplanMeierResult
from warehouse.queries.analysis_columns import AnalysisColumn, PatientValues
from warehouse.queries.open_snapshot import Snapshot

_BURDEN = ("tumour_volume_ml", "n_lesions", "suv_max", "suv_mean")


def baseline_of(snapshot: Snapshot, resolved: Resolved, findings: Findings) -> TableOne:
    """Describe the patients of an analysis: all clinical variables, and what the analysis itself uses of the cohort.

    They are the patients whose outcome the analysis looks at; those without a value of its split are in the notes.
    """
    patients = _patients(snapshot, resolved)
    columns = described_columns(snapshot, resolved)
    values = snapshot.values([column.name for column in columns], resolved.selection.protocol_id).of(patients)
    grouping = _grouping(resolved, findings, values)
    return table_one(len(patients), [_variable(column, values) for column in columns], grouping)


def described_columns(snapshot: Snapshot, resolved: Resolved) -> tuple[AnalysisColumn, ...]:
    """Return the columns of Table 1: clinical variables, tumour burden, what else the analysis names."""
    clinical = {str(name) for (name,) in snapshot.sql("SELECT DISTINCT variable FROM clinical").rows}
    wanted = (*_BURDEN, *resolved.columns)
    of_cohort = [column for column in snapshot.analysis_columns() if column.table == "cohort"]
    return tuple(
        [column for column in of_cohort if column.name in clinical]
        + [column for column in of_cohort if column.name in wanted and column.name not in clinical]
    )


def table_one_csv(table: TableOne) -> str:
    """Return Table 1 as CSV."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(table_one_texts(table))
    return file.getvalue()


def table_one_markdown(table: TableOne) -> str:
    """Return Table 1 as Markdown, with its notes."""
    heading, *lines = (
        [cell.replace("|", "/").replace("  ", "&nbsp;&nbsp;") for cell in line] for line in table_one_texts(table)
    )
    by = "" if table.group_variable is None else f", by {table.group_variable} ({table.group_rule})"
    rows = [
        f"Table 1. {table.n} patients{by}.",
        "",
        f"| {' | '.join(heading)} |",
        f"|---|{'---:|' * (len(heading) - 1)}",
        *(f"| {' | '.join(line)} |" for line in lines),
        "",
        *table.notes,
    ]
    return "\n".join(rows) + "\n"


def _patients(snapshot: Snapshot, resolved: Resolved) -> tuple[str, ...]:
    patients = resolved.selection.patient_ids
    if resolved.endpoint is None:
        return patients
    times = snapshot.endpoint(resolved.endpoint).of(patients)
    landmark = resolved.recipe.value("from-landmark") if resolved.recipe.command == "km" else None
    if landmark is None:
        return times.patient_ids
    free = landmark_cohort(cause_specific(times.duration_days, times.event), float(landmark)).kept
    return tuple(patient for patient, kept in zip(times.patient_ids, free, strict=True) if kept)


def _variable(column: AnalysisColumn, values: PatientValues) -> Baseline:
    if column.kind == "number":
        return BaselineNumber(variable_name(column), values.columns[column.name], column.unit)
    return BaselineCategory(variable_name(column), values.texts(column.name))


def _grouping(resolved: Resolved, findings: Findings, values: PatientValues) -> Grouping | None:
    result = findings.result
    if not isinstance(result, KaplanMeierResult | CumulativeIncidenceResult) or result.variable is None:
        return None
    name = result.variable
    column: AnalysisColumn = resolved.columns[name]
    shown = variable_name(column)
    if result.cut_points:
        numbers = np.asarray(values.columns[name], dtype=np.float64)
        return replace(split_at(numbers, result.cut_points, shown, column.unit), rule=result.rule)
    order = resolved.recipe.names("order") or None
    return split_by_category(values.texts(name), shown, order)
