"""Cohort: which code made what from which input, and what external exams say of that code."""

from __future__ import annotations

from warehouse.registry import keys
from warehouse.registry.schema import Table, text

TABLES = (
    Table(
        "provenance",
        "cohort",
        "patient and table",
        "Which code made each table of each patient, from which input.",
        ("patient_id", "table_name"),
        (
            keys.PATIENT,
            text("table_name", "The table"),
            text("code_version", "Version of the code that computes it"),
            text("settings_sha256", "Digest of the settings that apply to it"),
            text("input_sha256", "Digest of what it was computed from"),
            text("data_sha256", "Digest of its rows"),
        ),
    ),
    Table(
        "conformance",
        "cohort",
        "comparison",
        "External exams of the code that computed this study: every number against the value that others published.",
        ("exam", "case_id", "quantity"),
        (
            text("exam", "Exam: suv, masks, radiomics or survival"),
            text("case_id", "What was examined, for example a reference object"),
            text("quantity", "What was compared there"),
            text("expected", "Published value or code", nullable=True),
            text("found", "Value or code that petlake gave", nullable=True),
            text("tolerance", "How far the values may lie apart", nullable=True),
            text("verdict", "pass, known_difference, not_computed, fail; not_run for an exam without reference data"),
            text("note", "Why, where it is neither a plain pass nor a plain fail", nullable=True),
            text("run_sha256", "Digest of the code versions and the reference data that the exam ran with"),
        ),
        per_patient=False,
    ),
)
