"""Scans that stand out of their cohort: a table of robust z, and a finding in ``qc_events`` for each that is large."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from records.columns import Kind
from warehouse.snapshots.derived import ColumnDefinition, Role

if TYPE_CHECKING:
    import duckdb

LARGEST_ROBUST_Z = 3.5
"""Beyond this a scan is an outlier (Iglewicz and Hoaglin 1993)."""

QUANTITIES = {
    "uptake_duration_s": "from administration to the reference time, s",
    "injected_dose_bq_per_kg": "injected activity over the patient's weight, Bq/kg",
    "dose_share_in_field": "activity in the field of view over the injected one",
    "ln_suv_max": "natural logarithm of the largest SUV of the image",
}
"""What is compared between the scans of a cohort that have one nuclide."""

_TABLE = "scan_outliers"
_COLUMNS = (
    ("patient_id", Kind.TEXT, "Patient key", Role.KEY),
    ("scan_id", Kind.TEXT, "Scan of the patient", Role.KEY),
    ("series_instance_uid", Kind.TEXT, "The PET series", Role.OTHER),
    ("radionuclide", Kind.TEXT, "The nuclide whose scans are compared", Role.OTHER),
    ("quantity", Kind.TEXT, "; ".join(f"{name}: {meaning}" for name, meaning in QUANTITIES.items()), Role.KEY),
    ("value", Kind.NUMBER, "The quantity of this scan", Role.OTHER),
    ("n_scans", Kind.INTEGER, "Scans that are compared", Role.OTHER),
    ("cohort_median", Kind.NUMBER, "Their median", Role.OTHER),
    ("robust_z", Kind.NUMBER, "0.6745 (value - median) / MAD; null below 10 scans or where all are equal", Role.OTHER),
)


def build_outliers(connection: duckdb.DuckDBPyConnection) -> tuple[ColumnDefinition, ...]:
    """Build ``scan_outliers``, add its findings to ``qc_events``, and return the definitions of its columns."""
    connection.execute(files("warehouse.sql").joinpath(f"{_TABLE}.sql").read_text(encoding="utf-8"))
    connection.execute(
        "INSERT INTO qc_events (patient_id, scan_id, series_instance_uid, table_name, code, severity, message)"
        " SELECT patient_id, scan_id, series_instance_uid, 'scan_outliers', 'QC_COHORT_OUTLIER', 'warning',"
        " format('{} is {:.4g}, the median of {} {} scans is {:.4g}: robust z {:.1f}',"
        " quantity, value, n_scans, radionuclide, cohort_median, robust_z)"
        " FROM scan_outliers WHERE abs(robust_z) > $1 ORDER BY patient_id, scan_id, quantity",
        [LARGEST_ROBUST_Z],
    )
    return tuple(ColumnDefinition(_TABLE, name, kind, None, text, role) for name, kind, text, role in _COLUMNS)
