"""Cohort: which code made what from which input."""

from __future__ import annotations

from warehouse.schema import Table, text
from warehouse.table_groups import keys

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
)
