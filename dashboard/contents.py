"""What is in a snapshot, and what is not: sizes, attrition from registration to endpoint, refusals, findings."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard.data import Source, details, endpoints, snapshot
from warehouse.errors import WarehouseError

_ENTRIES = 16
# One flag a patient for each step; a later step counts only the patients who passed all earlier ones. A patient in whom
# no tumour was found is measured, with a volume of 0, and not lost.
_STEPS = (
    ("Registered", "TRUE"),
    ("PET/CT scan", "patient_id IN (SELECT patient_id FROM scans)"),
    ("SUV image", "patient_id IN (SELECT patient_id FROM suv)"),
    (
        "Tumour measured",
        "patient_id IN (SELECT patient_id FROM pet_metrics WHERE protocol_id = $protocol AND grain = 'patient')",
    ),
)
_WITH_FEATURES = (
    "SELECT DISTINCT patient_id FROM radiomic_features WHERE protocol_id = $protocol AND status = 'COMPUTED'"
)


@dataclass(frozen=True)
class AttritionStep:
    """A step on the way to an analysis: the patients who got so far, and those who were lost at it."""

    name: str
    n: int
    lost: tuple[str, ...]


@dataclass(frozen=True)
class EndpointSummary:
    """How many patients have an endpoint, and how many had the event."""

    name: str
    n: int
    n_events: int
    n_competing: int


@dataclass(frozen=True)
class Sizes:
    """Numbers of rows that tell how large the snapshot is; lesions are those of the default protocol."""

    n_patients: int
    n_scans: int
    n_lesions: int
    n_feature_values: int


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def sizes(source: Source) -> Sizes:
    """Count patients, scans, lesions and computed feature values."""
    (row,) = (
        snapshot(source)
        .sql(
            "SELECT (SELECT count(*) FROM patients), (SELECT count(*) FROM scans),"
            " (SELECT count(DISTINCT (patient_id, scan_id, lesion_id)) FROM lesions WHERE protocol_id = $1),"
            " (SELECT count(*) FROM radiomic_features WHERE status = 'COMPUTED')",
            [details(source).default_protocol_id],
        )
        .rows
    )
    n_patients, n_scans, n_lesions, n_values = (int(str(count)) for count in row)
    return Sizes(n_patients, n_scans, n_lesions, n_values)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def endpoint_summaries(source: Source) -> tuple[EndpointSummary, ...]:
    """Count patients and events of every endpoint."""
    rows = (
        snapshot(source)
        .sql(
            "SELECT endpoint, count(*), count(*) FILTER (WHERE event = 1), count(*) FILTER (WHERE event = 2)"
            " FROM endpoints GROUP BY endpoint ORDER BY endpoint"
        )
        .rows
    )
    return tuple(EndpointSummary(str(name), *(int(str(count)) for count in counts)) for name, *counts in rows)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def attrition(source: Source) -> tuple[AttritionStep, ...]:
    """Follow the patients from registration to the measured tumour; then features and endpoints, each on its own."""
    opened = snapshot(source)
    protocol = details(source).default_protocol_id
    flags = ", ".join(f"{condition} AS s{number}" for number, (_, condition) in enumerate(_STEPS))
    rows = opened.sql(
        f"SELECT patient_id, {flags} FROM patients ORDER BY patient_id",
        {"protocol": protocol},
    ).rows
    steps = []
    left = [str(row[0]) for row in rows]
    reached = {str(row[0]): row[1:] for row in rows}
    for number, (name, _) in enumerate(_STEPS):
        kept = [patient for patient in left if reached[patient][number]]
        steps.append(_step(name, left, kept))
        left = kept
    with_features = {str(patient) for (patient,) in opened.sql(_WITH_FEATURES, {"protocol": protocol}).rows}
    steps.append(_step("Radiomic features", left, [patient for patient in left if patient in with_features]))
    for name in endpoints(source):
        patients = set(opened.endpoint(name).patient_ids)
        steps.append(_step(f"Endpoint {name}", left, [patient for patient in left if patient in patients]))
    return tuple(steps)


def _step(name: str, before: list[str], kept: list[str]) -> AttritionStep:
    return AttritionStep(name, len(kept), tuple(sorted(set(before) - set(kept))))


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def refusals(source: Source) -> pd.DataFrame:
    """Return what could not be computed: Patient, Table, Code, Reason (a sentence with the facts)."""
    rows = (
        snapshot(source)
        .sql(
            "SELECT patient_id, table_name, code, message, series_instance_uid, keyword, found, expected, hint"
            " FROM refusals ORDER BY patient_id, table_name, code"
        )
        .rows
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
def conformance(source: Source) -> pd.DataFrame:
    """Return the lines of the external exams: Exam, Case, Quantity, Expected, Found, Tolerance, Verdict, Note."""
    return snapshot(source).frame(
        'SELECT exam AS "Exam", case_id AS "Case", quantity AS "Quantity", expected AS "Expected", found AS "Found",'
        ' tolerance AS "Tolerance", verdict AS "Verdict", note AS "Note" FROM conformance'
        " ORDER BY exam, case_id, quantity"
    )


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def findings(source: Source) -> pd.DataFrame:
    """Return findings that did not stop the work: Patient, Table, Severity, Code, Finding."""
    return snapshot(source).frame(
        'SELECT patient_id AS "Patient", table_name AS "Table", severity AS "Severity", code AS "Code",'
        ' message AS "Finding" FROM qc_events ORDER BY severity DESC, patient_id, code'
    )
