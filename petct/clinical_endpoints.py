"""Survival endpoints and the logic of their dates.

Rules follow the study this store is modelled on: time runs from the origin (first therapy cycle for overall survival)
to the event, a competing event, or censoring; the baseline scan lies before the origin within a window; a data-lock
date censors administratively. What contradicts itself is refused with a code, patient by patient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from petct.clinical_spec import ClinicalSpec, EndpointSpec
from petct.clinical_text import located, read_date
from petct.errors import ClinicalError


@dataclass(frozen=True)
class EndpointRecord:
    """Survival time of one patient (a row of table ``endpoints``); event 0 censored, 1 event, 2 competing event."""

    patient_id: str
    endpoint: str
    origin_date: date
    end_date: date
    duration_days: int
    event: int
    baseline_scan_id: str | None
    scan_to_origin_days: int | None


def endpoint(
    row: Mapping[str, str],
    spec: ClinicalSpec,
    endpoint_spec: EndpointSpec,
    scans: Sequence[tuple[str, date | None]],
    baseline_window_days: int,
) -> EndpointRecord:
    """Survival time of one patient, and the scan it starts from.

    The first of event and competing event counts; on the same day the event does. What happened after the data lock is
    not known: the patient is censored there. The baseline scan is the nearest before (or on) the day of origin.

    Parameters
    ----------
    row
        Text by column, of one patient.
    spec, endpoint_spec
        What the columns mean.
    scans
        Scan identifiers with their dates; None where the image carries no date.
    baseline_window_days
        A baseline scan lies at most so many days before the origin.

    Returns
    -------
    EndpointRecord
        ``baseline_scan_id`` is None exactly when no scan has a date.

    Raises
    ------
    ClinicalError
        ORIGIN_MISSING, EVENT_BEFORE_ORIGIN, COMPETING_BEFORE_ORIGIN, FOLLOW_UP_BEFORE_ORIGIN, EVENT_AFTER_COMPETING,
        FOLLOW_UP_MISSING, FOLLOW_UP_AFTER_DEATH, ORIGIN_AFTER_DATA_LOCK, SCAN_AFTER_DEATH, SCAN_AFTER_ORIGIN,
        SCAN_OUTSIDE_WINDOW, and the codes of ``read_date``.
    """
    patient_id = row[spec.patient_id_column].strip()

    def refusal(code: str, message: str, column: str, found: date | str | None, expected: str) -> ClinicalError:
        return ClinicalError(
            code,
            f"{endpoint_spec.name}: {message}",
            patient_id=patient_id,
            keyword=column,
            found=None if found is None else str(found),
            expected=expected,
        )

    def day_of(column: str | None) -> date | None:
        if column is None or spec.is_missing(row[column]):
            return None
        try:
            return read_date(row[column]).value
        except ClinicalError as error:
            raise located(error, patient_id, column) from None

    columns = endpoint_spec
    origin, event, censor, competing = (
        day_of(columns.origin_column),
        day_of(columns.event_column),
        day_of(columns.censor_column),
        day_of(columns.competing_column),
    )
    if origin is None:
        raise refusal("ORIGIN_MISSING", "the day of origin is missing", columns.origin_column, None, "a date")
    lock = spec.data_lock
    if lock is not None and origin > lock:
        raise refusal(
            "ORIGIN_AFTER_DATA_LOCK", "the origin is after the data lock", columns.origin_column, origin, f"<= {lock}"
        )
    for code, message, column, found in (
        ("EVENT_BEFORE_ORIGIN", "the event is before the origin", columns.event_column, event),
        (
            "COMPETING_BEFORE_ORIGIN",
            "the competing event is before the origin",
            columns.competing_column or "",
            competing,
        ),
        ("FOLLOW_UP_BEFORE_ORIGIN", "the follow-up ends before the origin", columns.censor_column, censor),
    ):
        if found is not None and found < origin:
            raise refusal(code, message, column, found, f">= {origin}")
    if event is not None and competing is not None and competing < event:
        raise refusal(
            "EVENT_AFTER_COMPETING",
            "the event is after the competing event that makes it impossible",
            columns.event_column,
            event,
            f"<= {competing}",
        )
    if columns.ends_observation and event is not None:
        if censor is not None and censor > event:
            raise refusal(
                "FOLLOW_UP_AFTER_DEATH",
                "the patient was followed after death",
                columns.censor_column,
                censor,
                f"<= {event}",
            )
        for scan_id, scan_date in scans:
            if scan_date is not None and scan_date > event:
                raise refusal(
                    "SCAN_AFTER_DEATH",
                    f"scan {scan_id} is after death",
                    columns.event_column,
                    f"scan {scan_date}, death {event}",
                    "a scan before death",
                )

    if event is not None:
        end, kind = event, 1
    elif competing is not None:
        end, kind = competing, 2
    elif censor is not None:
        end, kind = censor, 0
    else:
        raise refusal(
            "FOLLOW_UP_MISSING",
            "neither an event nor an end of follow-up is recorded",
            columns.censor_column,
            None,
            "a date in one of them",
        )
    if lock is not None and end > lock:
        end, kind = lock, 0

    baseline_id, gap = _baseline(origin, scans, baseline_window_days, refusal, columns.origin_column)
    return EndpointRecord(patient_id, endpoint_spec.name, origin, end, (end - origin).days, kind, baseline_id, gap)


def _baseline(
    origin: date,
    scans: Sequence[tuple[str, date | None]],
    window_days: int,
    refusal: Callable[[str, str, str, date | str | None, str], ClinicalError],
    column: str,
) -> tuple[str | None, int | None]:
    """Nearest scan not after the origin, with the days between; of two on one day the smaller identifier."""
    gaps = sorted(((origin - day).days, scan_id) for scan_id, day in scans if day is not None)
    if not gaps:
        return None, None
    before = [(gap, scan_id) for gap, scan_id in gaps if gap >= 0]
    if not before:
        gap, scan_id = gaps[-1]
        raise refusal(
            "SCAN_AFTER_ORIGIN",
            f"scan {scan_id} is {-gap} days after the origin and none is before it",
            column,
            origin,
            "a scan before the origin",
        )
    gap, scan_id = before[0]
    if gap > window_days:
        raise refusal(
            "SCAN_OUTSIDE_WINDOW",
            f"scan {scan_id} is {gap} days before the origin and none is nearer",
            column,
            origin,
            f"a scan at most {window_days} days before the origin",
        )
    return scan_id, gap
