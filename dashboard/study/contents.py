"""What is in a snapshot, and what is not: sizes, refusals, findings, scores of the external exams."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard.data import Source, details, protocol_id, rows_of, selected_patients, snapshot
from warehouse.errors import WarehouseError

_ENTRIES = 16


@dataclass(frozen=True)
class ExamScore:
    """How an external exam ended: lines that pass, of all; ``note`` where it was not run."""

    exam: str
    n_pass: int
    n: int
    note: str | None


@dataclass(frozen=True)
class EndpointSummary:
    """How many patients have an endpoint, and how many had the event."""

    name: str
    n: int
    n_events: int
    n_competing: int


@dataclass(frozen=True)
class Sizes:
    """Numbers of rows that tell how large the snapshot is; lesions are those of one protocol."""

    n_patients: int
    n_scans: int
    n_lesions: int
    n_feature_values: int


def protocol(source: Source) -> str | None:
    """Return the protocol under which the lesions are taken."""
    return protocol_id(source) or details(source).default_protocol_id


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def sizes(source: Source) -> Sizes:
    """Count patients of the cohort, their scans, lesions and computed feature values."""
    (row,) = rows_of(
        source,
        "WITH chosen AS (SELECT unnest($patients) AS patient_id) SELECT (SELECT count(*) FROM patients SEMI JOIN chosen"
        " USING (patient_id)), (SELECT count(*) FROM scans SEMI JOIN chosen USING (patient_id)),"
        " (SELECT count(DISTINCT (patient_id, scan_id, lesion_id)) FROM lesions SEMI JOIN chosen USING (patient_id)"
        " WHERE protocol_id = $protocol), (SELECT count(*) FROM radiomic_features SEMI JOIN chosen USING (patient_id)"
        " WHERE status = 'COMPUTED')",
        {"patients": list(selected_patients(source)), "protocol": protocol(source)},
    )
    n_patients, n_scans, n_lesions, n_values = (int(str(count)) for count in row)
    return Sizes(n_patients, n_scans, n_lesions, n_values)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def endpoint_summaries(source: Source) -> tuple[EndpointSummary, ...]:
    """Count patients and events of every endpoint."""
    rows = rows_of(
        source,
        "SELECT endpoint, count(*), count(*) FILTER (WHERE event = 1), count(*) FILTER (WHERE event = 2)"
        " FROM endpoints WHERE patient_id IN (SELECT unnest($1)) GROUP BY endpoint ORDER BY endpoint",
        [list(selected_patients(source))],
    )
    return tuple(EndpointSummary(str(name), *(int(str(count)) for count in counts)) for name, *counts in rows)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def refusals(source: Source) -> pd.DataFrame:
    """Return what could not be computed: Patient, Table, Code, Reason (a sentence with the facts)."""
    rows = rows_of(
        source,
        "SELECT patient_id, table_name, code, message, series_instance_uid, keyword, found, expected, hint"
        " FROM refusals WHERE patient_id IN (SELECT unnest($1)) ORDER BY patient_id, table_name, code",
        [list(selected_patients(source))],
    )
    sentences = []
    for patient, table, code, message, series, keyword, found, expected, hint in rows:
        facts = {"series_instance_uid": series, "keyword": keyword, "found": found, "expected": expected, "hint": hint}
        refusal = WarehouseError(
            str(code), str(message), **{name: str(fact) for name, fact in facts.items() if fact is not None}
        )
        sentences.append((patient, table, code, refusal.sentence().removeprefix(f"{code}: ")))
    return pd.DataFrame(sentences, columns=["Patient", "Table", "Code", "Reason"])


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def findings(source: Source) -> pd.DataFrame:
    """Return findings that did not stop the work: Patient, Table, Severity, Code, Finding."""
    return snapshot(source).frame(
        'SELECT patient_id AS "Patient", table_name AS "Table", severity AS "Severity", code AS "Code",'
        ' message AS "Finding" FROM qc_events WHERE patient_id IN (SELECT unnest($1))'
        " ORDER BY severity DESC, patient_id, code",
        [list(selected_patients(source))],
    )


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def conformance(source: Source) -> pd.DataFrame:
    """Return the lines of the external exams: Exam, Case, Quantity, Expected, Found, Tolerance, Verdict, Note."""
    return snapshot(source).frame(
        'SELECT exam AS "Exam", case_id AS "Case", quantity AS "Quantity", expected AS "Expected", found AS "Found",'
        ' tolerance AS "Tolerance", verdict AS "Verdict", note AS "Note" FROM conformance'
        " ORDER BY exam, case_id, quantity"
    )


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def exam_scores(source: Source) -> tuple[ExamScore, ...]:
    """Return the score of every external exam."""
    scores = []
    for exam, lines in conformance(source).groupby("Exam", sort=False):
        verdicts = lines["Verdict"].value_counts()
        note = str(lines["Note"].iloc[0]) if "not_run" in verdicts else None
        scores.append(ExamScore(str(exam), int(verdicts.get("pass", 0)), len(lines), note))
    return tuple(scores)


def by_code(table: pd.DataFrame, reason: str) -> pd.DataFrame:
    """Return refusals or findings counted by code: Code, Table, Patients, and the first ``reason`` as the example."""
    grouped = table.groupby(["Code", "Table"], sort=False)
    counts = grouped.agg(Patients=("Patient", "nunique"), Example=(reason, "first")).reset_index()
    return counts.sort_values("Patients", ascending=False, kind="stable", ignore_index=True)
