"""What a snapshot knows of one patient: scans, lesions, times, and what each of its tables was made from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard.data import Source, details, parsed, rows_of, snapshot
from figures.time_line import Kind, Moment
from petct.lesions.lesion_map import UNKNOWN_ORGAN

_ENTRIES = 128
_OUTCOMES: dict[int, tuple[Kind, str]] = {
    0: ("censored", "censored"),
    1: ("event", "event"),
    2: ("competing", "competing event"),
}


@dataclass(frozen=True)
class Scan:
    """A scan of the patient, and where its images are; None for one that was not computed."""

    scan_id: str
    time_point: int | None
    is_baseline: bool
    suv_image_sha256: str | None
    ct_image_sha256: str | None
    suv_max: float | None

    @property
    def label(self) -> str:
        """What the scan is called in a choice."""
        number = self.scan_id if self.time_point is None else f"Scan {self.time_point}"
        return f"{number} (baseline)" if self.is_baseline else number


@dataclass(frozen=True)
class Delineated:
    """The lesions of a scan by one protocol.

    Attributes
    ----------
    label_map_sha256
        None where there is no lesion.
    picture_sha256
        The projection; None where none was drawn.
    suv_window
        That of the projection.
    """

    protocol_id: str
    n_lesions: int
    label_map_sha256: str | None
    picture_sha256: str | None
    suv_window: tuple[float, float] | None


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def scans(source: Source, patient_id: str) -> tuple[Scan, ...]:
    """Return the scans of a patient, the baseline scan first."""
    rows = rows_of(
        source,
        "SELECT scans.scan_id, time_point, baseline_scans.scan_id IS NOT NULL, suv_image_sha256, ct_image_sha256,"
        " suv_max FROM scans LEFT JOIN suv USING (patient_id, scan_id)"
        " LEFT JOIN baseline_scans USING (patient_id, scan_id)"
        " WHERE patient_id = $patient ORDER BY baseline_scans.scan_id IS NULL, time_point, scans.scan_id",
        {"patient": patient_id},
    )
    return tuple(Scan(*row) for row in rows)  # type: ignore[arg-type]


def has_pictures(source: Source) -> bool:
    """Whether the snapshot knows pictures; one of an earlier version of petlake does not."""
    return "pictures" in {table.name for table in snapshot(source).tables()}


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def delineations(source: Source, patient_id: str, scan_id: str) -> tuple[Delineated, ...]:
    """Return the protocols under which the lesions of a scan are known, the default one first."""
    rows = rows_of(
        source,
        "SELECT d.protocol_id, d.n_lesions, any_value(lesions.label_map_sha256), any_value(picture_sha256),"
        " any_value(suv_window_low), any_value(suv_window_high) FROM delineations AS d"
        " LEFT JOIN lesions USING (patient_id, scan_id, protocol_id, modality)"
        " LEFT JOIN pictures USING (patient_id, scan_id, protocol_id)"
        " WHERE d.patient_id = $patient AND d.scan_id = $scan AND d.modality = 'PT'"
        " GROUP BY d.protocol_id, d.n_lesions ORDER BY d.protocol_id <> $protocol, d.protocol_id",
        {"patient": patient_id, "scan": scan_id, "protocol": details(source).default_protocol_id or ""},
    )
    return tuple(
        Delineated(
            str(protocol),
            int(str(count)),
            None if labels is None else str(labels),
            None if picture is None else str(picture),
            None if low is None or high is None else (float(str(low)), float(str(high))),
        )
        for protocol, count, labels, picture, low, high in rows
    )


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def lesions(source: Source, patient_id: str, scan_id: str, protocol_id: str) -> pd.DataFrame:
    """Return the lesions on the PET grid, largest first, with volume, uptake, label and centre (LPS, mm)."""
    return snapshot(source).frame(
        "SELECT lesion_id, lesions.organ, lesions.volume_ml, suv_max, suv_mean, suv_peak_global, suv_peak_percist,"
        " label, centroid_x_mm, centroid_y_mm, centroid_z_mm FROM lesions"
        " LEFT JOIN pet_metrics AS m ON m.patient_id = lesions.patient_id AND m.scan_id = lesions.scan_id"
        " AND m.protocol_id = lesions.protocol_id AND m.grain = 'lesion' AND m.region = lesion_id"
        " WHERE lesions.patient_id = $patient AND lesions.scan_id = $scan AND lesions.protocol_id = $protocol"
        " AND modality = 'PT' ORDER BY lesions.volume_ml DESC, lesion_id",
        {"patient": patient_id, "scan": scan_id, "protocol": protocol_id},
    )


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def refusals(source: Source, patient_id: str) -> tuple[str, ...]:
    """Return why tables of the patient are not there or not whole, as sentences."""
    rows = rows_of(
        source,
        "SELECT table_name, code, message, found, hint FROM refusals WHERE patient_id = $patient"
        " ORDER BY table_name, code",
        {"patient": patient_id},
    )
    return tuple(
        f"{table}: {code}: {str(message).rstrip('.')}{f' (found {found})' if found else ''}.{f' {hint}' * bool(hint)}"
        for table, code, message, found, hint in rows
    )


def organs(source: Source) -> tuple[str, ...]:
    """Return every organ that a lesion may lie in, as the study's settings and its rows name them."""
    tables = parsed(details(source).settings_json.get("tables", "{}"))
    masks = tables.get("lesions", {}).get("masks", {})
    declared = (*masks.get("organs", {}), *filter(None, [masks.get("elsewhere")]))
    return tuple(sorted({*declared, UNKNOWN_ORGAN, *_organs_of_rows(source)}))


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def _organs_of_rows(source: Source) -> tuple[str, ...]:
    return tuple(str(organ) for (organ,) in snapshot(source).sql("SELECT DISTINCT organ FROM lesions").rows)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def moments(source: Source, patient_id: str) -> tuple[Moment, ...]:
    """Return scans, recorded dates and endpoints in days since the origin of the first endpoint; none without one."""
    first = rows_of(
        source,
        "SELECT endpoint, origin_date FROM endpoints WHERE patient_id = $patient ORDER BY endpoint LIMIT 1",
        {"patient": patient_id},
    )
    if not first:
        return ()
    of_patient = {"patient": patient_id, "origin": first[0][1]}
    found = [Moment("Origin", 0, "origin", _origin_name(source, str(first[0][0])))]
    for number, day in rows_of(
        source,
        "SELECT time_point, date_diff('day', $origin::DATE, scan_date) FROM scans"
        " WHERE patient_id = $patient AND scan_date IS NOT NULL ORDER BY scan_date, scan_id",
        of_patient,
    ):
        found.append(Moment("PET/CT", int(str(day)), "scan", f"scan {number}" if number is not None else "scan"))
    for variable, day in rows_of(
        source,
        "SELECT variable, date_diff('day', $origin::DATE, value_date) FROM clinical"
        " WHERE patient_id = $patient AND value_date IS NOT NULL ORDER BY value_date, variable",
        of_patient,
    ):
        found.append(Moment(str(variable).replace("_", " "), int(str(day)), "date", f"day {day}"))
    for endpoint, day, event in rows_of(
        source,
        "SELECT endpoint, date_diff('day', $origin::DATE, end_date), event FROM endpoints WHERE patient_id = $patient"
        " ORDER BY endpoint",
        of_patient,
    ):
        kind, words = _OUTCOMES[int(str(event))]
        found.append(Moment(str(endpoint), int(str(day)), kind, f"{words}, day {day}"))
    return tuple(found)


def _origin_name(source: Source, endpoint: str) -> str:
    """The column of the clinical table that is day 0 of an endpoint, as words."""
    tables = parsed(details(source).settings_json.get("tables", "{}"))
    for declared in tables.get("endpoints", {}).get("endpoints", []):
        if declared[0] == endpoint:
            return str(declared[1]).removesuffix("_date").replace("_", " ")
    return "day 0"
