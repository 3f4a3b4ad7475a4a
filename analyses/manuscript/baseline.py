"""Table 1 of the patients of an analysis, by the groups that it compares."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from analyses.naming import variable_name
from analyses.requests.answer import Answer
from analyses.requests.data import survival_times
from analyses.requests.kaplan_meier import KaplanMeierRequest
from petct.survival.cohort.groups import Grouping, split_at, split_by_category
from petct.survival.cohort.landmark import landmark_cohort
from petct.survival.cohort.table_one import (
    Baseline,
    BaselineCategory,
    BaselineNumber,
    TableOne,
    table_one,
    table_one_texts,
)
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.kaplan_meier.result import KaplanMeierResult
from warehouse.queries.analysis_columns import AnalysisColumn, PatientValues
from warehouse.queries.open_snapshot import Snapshot
from warehouse.queries.selection import Selection

_BURDEN = ("tumour_volume_ml", "n_lesions", "suv_max", "suv_mean")


def baseline_of(snapshot: Snapshot, answer: Answer) -> TableOne:
    """Describe the patients of an analysis: all clinical variables, and what the analysis itself uses of the cohort.

    They are the patients whose outcome the analysis looks at; those without a value of its split are in the notes.
    """
    selection = answer.basis.selection or snapshot.selection(())
    patients = _patients(snapshot, answer, selection)
    columns = described_columns(snapshot, answer.basis.columns)
    values = snapshot.values([column.name for column in columns], selection.protocol_id).of(patients)
    grouping = _grouping(answer, values)
    return table_one(len(patients), [_variable(column, values) for column in columns], grouping)


def described_columns(snapshot: Snapshot, named: Iterable[str]) -> tuple[AnalysisColumn, ...]:
    """Return the columns of Table 1: clinical variables, tumour burden, what else the analysis names."""
    clinical = {str(name) for (name,) in snapshot.sql("SELECT DISTINCT variable FROM clinical").rows}
    wanted = (*_BURDEN, *named)
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


def _patients(snapshot: Snapshot, answer: Answer, selection: Selection) -> tuple[str, ...]:
    if answer.basis.endpoint is None:
        return selection.patient_ids
    times = snapshot.endpoint(answer.basis.endpoint).of(selection.patient_ids)
    landmark = answer.request.from_landmark if isinstance(answer.request, KaplanMeierRequest) else None
    if landmark is None:
        return times.patient_ids
    free = landmark_cohort(survival_times(times).cause_specific(), landmark).kept
    return tuple(patient for patient, kept in zip(times.patient_ids, free, strict=True) if kept)


def _variable(column: AnalysisColumn, values: PatientValues) -> Baseline:
    if column.kind == "number":
        return BaselineNumber(variable_name(column), values.columns[column.name], column.unit)
    return BaselineCategory(variable_name(column), values.texts(column.name))


def _grouping(answer: Answer, values: PatientValues) -> Grouping | None:
    request, result = answer.request, answer.result
    if not isinstance(request, KaplanMeierRequest) or request.variable is None:
        return None
    column: AnalysisColumn = answer.basis.columns[request.variable]
    shown = variable_name(column)
    if isinstance(result, KaplanMeierResult | CumulativeIncidenceResult) and result.cut_points:
        numbers = np.asarray(values.columns[column.name], dtype=np.float64)
        return replace(split_at(numbers, result.cut_points, shown, column.unit), rule=result.rule)
    return split_by_category(values.texts(column.name), shown, list(request.order) or None)
