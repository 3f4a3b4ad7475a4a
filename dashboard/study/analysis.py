"""What the page Study reads: the way from registration to analysis, Table 1, what is missing, what stands out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd
import streamlit as st

from analyses.naming import variable_name
from dashboard import data
from dashboard.data import Source, rows_of, snapshot
from dashboard.study.contents import protocol
from dashboard.wording import distinct_names
from figures.flow import FlowStep, Lost
from petct.survival.cohort.groups import Grouping, split_by_category, split_by_median
from petct.survival.cohort.table_one import Baseline, BaselineCategory, BaselineNumber, TableOne, table_one
from warehouse.queries.analysis_columns import AnalysisColumn, PatientValues
from warehouse.snapshots.outliers import LARGEST_ROBUST_Z

_ENTRIES = 16
_MOST_LEVELS = 12
_TUMOUR_ROWS = ("tumour_volume_ml", "n_lesions", "suv_max", "suv_mean")
_NOT_COMPUTED = "not computed, without a refusal"
_WITHOUT_FEATURES = {
    "NO_SCAN": "no scan",
    "LESIONS_UNKNOWN": "lesions not known",
    "NO_LESION": "no lesion",
    "NOT_COMPUTED": "not computed",
}
# One flag a patient for each step, and the tables whose refusals say why it was not reached. A later step counts only
# the patients who passed all earlier ones. A patient in whom no tumour was found is measured, with a volume of 0.
_REACHED = (
    "SELECT patient_id, patient_id IN (SELECT patient_id FROM scans), patient_id IN (SELECT patient_id FROM suv),"
    " patient_id IN (SELECT patient_id FROM pet_metrics WHERE protocol_id = $protocol AND grain = 'patient')"
    " FROM patients ORDER BY patient_id"
)
_STEPS = (
    ("With a PET/CT scan", ("scans", "series", "files")),
    ("With an SUV image", ("suv",)),
    ("Tumour measured", ("delineations", "lesions", "pet_metrics")),
)
_WITH_FEATURES = (
    "SELECT DISTINCT patient_id FROM radiomic_features WHERE protocol_id = $protocol AND status = 'COMPUTED'"
)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def flow(source: Source) -> tuple[tuple[FlowStep, ...], tuple[FlowStep, ...]]:
    """Follow the patients from registration to the measured tumour; then features and endpoints, each for itself."""
    opened = snapshot(source)
    parameters = {"protocol": protocol(source)}
    rows = opened.sql(_REACHED, parameters).rows
    reached = {str(patient): found for patient, *found in rows}
    chosen = set(data.selected_patients(source))
    left = [patient for patient in reached if patient in chosen]
    steps = [FlowStep("Registered", len(reached))]
    if len(left) < len(reached):
        outside = Lost("not selected by the filter", len(reached) - len(left))
        steps.append(FlowStep("In the cohort", len(left), (outside,)))
    for number, (name, tables) in enumerate(_STEPS):
        kept = [patient for patient in left if reached[patient][number]]
        steps.append(FlowStep(name, len(kept), _lost(_refused(source, tables), _gone(left, kept))))
        left = kept
    with_features = {str(patient) for (patient,) in opened.sql(_WITH_FEATURES, parameters).rows}
    ends = [_end("Radiomic features", left, with_features, _without_features(source))]
    with_endpoint: dict[str, set[str]] = {name: set() for name in data.endpoints(source)}
    for endpoint, patient in opened.sql("SELECT endpoint, patient_id FROM endpoints").rows:
        with_endpoint[str(endpoint)].add(str(patient))
    reasons = _refused(source, ("endpoints", "clinical"))
    ends += [_end(f"Endpoint {name}", left, found, reasons) for name, found in with_endpoint.items()]
    return tuple(steps), tuple(ends)


def _end(name: str, left: Sequence[str], found: set[str], reasons: dict[str, str]) -> FlowStep:
    kept = [patient for patient in left if patient in found]
    return FlowStep(name, len(kept), _lost(reasons, _gone(left, kept)))


def _gone(before: Sequence[str], kept: Sequence[str]) -> list[str]:
    return sorted(set(before) - set(kept))


def _lost(reasons: dict[str, str], patients: Iterable[str]) -> tuple[Lost, ...]:
    counts = Counter(reasons.get(patient, _NOT_COMPUTED) for patient in patients)
    return tuple(Lost(reason, n) for reason, n in counts.most_common())


def _refused(source: Source, tables: Sequence[str]) -> dict[str, str]:
    """The first refusal of each patient in these tables, as a sentence without its end."""
    rows = rows_of(
        source,
        "SELECT patient_id, min_by(message, (table_name, code)) FROM refusals"
        " WHERE table_name IN (SELECT unnest($1)) GROUP BY patient_id",
        [list(tables)],
    )
    return {str(patient): str(message).rstrip(".") for patient, message in rows}


def _without_features(source: Source) -> dict[str, str]:
    rows = rows_of(
        source,
        "SELECT patient_id, min(status) FROM feature_availability WHERE region = 'all' AND status <> 'COMPUTED'"
        " GROUP BY patient_id",
    )
    return {str(patient): _WITHOUT_FEATURES.get(str(status), f"code {status}") for patient, status in rows}


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def table_one_columns(source: Source) -> tuple[tuple[AnalysisColumn, ...], tuple[str, ...]]:
    """Return the columns that may be rows of Table 1, and the names of those that are unless others are chosen."""
    columns = tuple(column for column in data.analysis_columns(source) if column.table == data.COHORT)
    clinical = {
        str(name)
        for (name,) in snapshot(source)
        .sql("SELECT column_name FROM column_definitions WHERE table_name = 'clinical_wide' AND role = 'covariate'")
        .rows
    }
    return columns, tuple(column.name for column in columns if column.name in clinical or column.name in _TUMOUR_ROWS)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def group_columns(source: Source) -> tuple[AnalysisColumn, ...]:
    """Return the columns of the cohort that make groups: categories of 2 to 12 levels, and numbers that vary."""
    columns = table_one_columns(source)[0]
    values = data.values(source, tuple(column.name for column in columns)).columns
    found = []
    for column in columns:
        present = {value for value in values[column.name].tolist() if value is not None and value == value}
        if len(present) >= 2 and (column.kind == "number" or len(present) <= _MOST_LEVELS):
            found.append(column)
    return tuple(found)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def first_table(source: Source, names: tuple[str, ...], group: str | None) -> TableOne:
    """Describe the patients by the columns called ``names``, in all and by ``group``: categories, or a median split.

    Raises
    ------
    SurvivalError
        What ``petct.survival.cohort.table_one`` and the splits refuse.
    """
    known = {column.name: column for column in table_one_columns(source)[0]}
    table = data.values(source, tuple(dict.fromkeys((*names, *([group] if group else [])))))
    shown = distinct_names([known[name] for name in names])
    variables = [_baseline(shown[name], known[name], table) for name in names]
    grouping: Grouping | None = None
    if group is not None:
        title = variable_name(known[group])
        if known[group].kind == "category":
            grouping = split_by_category(table.texts(group), title)
        else:
            grouping = split_by_median(table.columns[group], title, known[group].unit)
    return table_one(len(table.patient_ids), variables, grouping)


def _baseline(name: str, column: AnalysisColumn, values: PatientValues) -> Baseline:
    if column.kind == "category":
        return BaselineCategory(name, values.texts(column.name))
    # Where the name says it the unit does not.
    return BaselineNumber(name, values.columns[column.name], None if column.unit == "SUV" else column.unit)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def missingness(source: Source) -> pd.DataFrame:
    """Return how often each clinical variable is there: Variable, Unit, Recorded, Missing, Refused, Share missing."""
    return snapshot(source).frame(
        'SELECT variable AS "Variable", min(unit) AS "Unit",'
        " count(*) FILTER (WHERE status = 'RECORDED') AS \"Recorded\","
        ' count(*) FILTER (WHERE status = \'MISSING\') AS "Missing", $1::BIGINT - count(*) AS "Refused",'
        " 1 - count(*) FILTER (WHERE status = 'RECORDED') / nullif($1::DOUBLE, 0) AS \"Share missing\""
        " FROM clinical WHERE patient_id IN (SELECT unnest($2)) GROUP BY variable"
        ' ORDER BY "Share missing" DESC, variable',
        [_n_clinical(source), list(data.selected_patients(source))],
    )


def _n_clinical(source: Source) -> int:
    (row,) = rows_of(
        source,
        "SELECT count(*) FROM patients WHERE has_clinical AND patient_id IN (SELECT unnest($1))",
        [list(data.selected_patients(source))],
    )
    return int(str(row[0]))


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def outliers(source: Source) -> pd.DataFrame:
    """Return the scans that lie far from the cohort: Patient, Scan, Quantity, Value, Median, Scans, Robust z."""
    return snapshot(source).frame(
        'SELECT patient_id AS "Patient", scan_id AS "Scan", quantity AS "Quantity", value AS "Value",'
        ' cohort_median AS "Median", n_scans AS "Scans compared", robust_z AS "Robust z" FROM scan_outliers'
        " WHERE abs(robust_z) > $1 AND patient_id IN (SELECT unnest($2)) ORDER BY abs(robust_z) DESC",
        [LARGEST_ROBUST_Z, list(data.selected_patients(source))],
    )
