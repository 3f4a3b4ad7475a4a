"""Clinical data: cells, typed values, survival times."""

from __future__ import annotations

from warehouse.registry import keys
from warehouse.registry.schema import Table, date, integer, number, text

TABLES = (
    Table(
        "clinical_cells",
        "clinical",
        "cell",
        "The cells of the clinical table that study.yaml gives a role, as text: the input of clinical and endpoints.",
        ("patient_id", "row", "column"),
        (
            keys.PATIENT,
            integer("row", "1 for the patient's first row of the file, 2 for a second one, ..."),
            text("column", "Column of the file"),
            text("value", "The cell, as it stands in the file"),
        ),
    ),
    Table(
        "suv_override_cells",
        "clinical",
        "cell",
        "The cells of the clinical table that override the header of the PET, as text: an input of suv.",
        ("patient_id", "row", "column"),
        (
            keys.PATIENT,
            integer("row", "1 for the patient's first row of the file, 2 for a second one, ..."),
            text("column", "Column of the file"),
            text("value", "The cell, as it stands in the file"),
        ),
    ),
    Table(
        "clinical",
        "clinical",
        "patient and variable",
        "The clinical table, long: one row a patient and declared variable, typed.",
        ("patient_id", "variable"),
        (
            keys.PATIENT,
            text("variable", "Name of the variable, as declared in study.yaml"),
            text("kind", "number, category or date"),
            number("value_number", "Value of a number", nullable=True),
            text("value_text", "Value of a category", nullable=True),
            date("value_date", "Value of a date", nullable=True),
            text("unit", "Unit as declared", nullable=True),
            text("status", "RECORDED, or MISSING"),
        ),
    ),
    Table(
        "endpoints",
        "clinical",
        "patient and endpoint",
        "Survival times: from the origin to the event or to censoring.",
        ("patient_id", "endpoint"),
        (
            keys.PATIENT,
            text("endpoint", "Name of the endpoint, for example OS"),
            date("origin_date", "Day 0"),
            date("end_date", "Day of the event or of censoring"),
            integer("duration_days", "From origin to end", unit="day"),
            number("duration", "The same in the unit of the endpoint"),
            text("unit", "Unit of duration: day, week (7 days), month (30.4375 days) or year (365.25 days)"),
            integer("event", "0 censored, 1 event, 2 competing event"),
            text("baseline_scan_id", "Nearest scan before the origin within the window", nullable=True),
            integer("scan_to_origin_days", "From the baseline scan to the origin", unit="day", nullable=True),
        ),
    ),
)
