"""Survival endpoints and the logic of their dates.

Rules follow the study this store is modelled on: time runs from the origin (first therapy cycle for overall survival)
to the event, a competing event, or censoring; the baseline scan lies before the origin within a window; a data-lock
date censors administratively. What contradicts itself is refused with a code, patient by patient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from petct.clinical.spec import DAYS_OF_UNIT, ClinicalSpec, EndpointSpec
from petct.clinical.text import located, read_date
from petct.errors import ClinicalError
from records.clinical import EndpointRecord


@dataclass(frozen=True)
class ClinicalFinding:
    """Something about one patient's dates that does not stop the work but that a reader should know."""

    patient_id: str
    column: str
    code: str
    severity: str
    message: str


@dataclass(frozen=True)
class _Dates:
    """The dates of one endpoint as they stand in the row, whatever the data lock says."""

    origin: date | None
    event: date | None
    event_column: str
    competing: date | None
    censor: date | None


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

    dates = _read_dates(row, spec, endpoint_spec)
    origin = _checked_origin(dates, spec, endpoint_spec, refusal)
    _check_order(dates, endpoint_spec, scans, refusal)
    if dates.event is not None:
        end, kind = dates.event, 1
    elif dates.competing is not None:
        end, kind = dates.competing, 2
    elif dates.censor is not None:
        end, kind = dates.censor, 0
    else:
        raise refusal(
            "FOLLOW_UP_MISSING",
            "neither an event nor an end of follow-up is recorded",
            endpoint_spec.censor_column,
            None,
            "a date in one of them",
        )
    if spec.data_lock is not None and end > spec.data_lock:
        end, kind = spec.data_lock, 0
    baseline_id, gap = _baseline(origin, scans, baseline_window_days, refusal, endpoint_spec.origin_column)
    days, unit = (end - origin).days, endpoint_spec.unit
    return EndpointRecord(
        patient_id, endpoint_spec.name, origin, end, days, days / DAYS_OF_UNIT[unit], unit, kind, baseline_id, gap
    )


def endpoint_findings(
    row: Mapping[str, str], spec: ClinicalSpec, endpoint_spec: EndpointSpec, record: EndpointRecord
) -> tuple[ClinicalFinding, ...]:
    """What a reader should know of the dates behind ``record``, which were all usable.

    Codes: CLINICAL_DATE_FORMAT (a date was not written as YYYY-MM-DD); EVENT_AFTER_DATA_LOCK,
    COMPETING_AFTER_DATA_LOCK and FOLLOW_UP_AFTER_DATA_LOCK (censored at the lock); FOLLOW_UP_BEFORE_EVENT (an event
    other than death after the patient was last seen); EVENT_AND_COMPETING_SAME_DAY; COVARIATE_AFTER_ORIGIN (a variable
    with a day of measurement, which is later than the origin); NO_FOLLOW_UP_TIME (0 days).
    """
    patient_id = record.patient_id
    dates, lock, name = _read_dates(row, spec, endpoint_spec), spec.data_lock, endpoint_spec.name
    found = []
    for column in endpoint_spec.columns:
        text = row[column]
        if not spec.is_missing(text) and (reading := read_date(text)).adaptation is not None:
            message = f"{column}: '{text.strip()}' was read as {reading.value}"
            found.append(ClinicalFinding(patient_id, column, reading.adaptation, "info", message))

    def note(code: str, severity: str, column: str, message: str) -> None:
        found.append(ClinicalFinding(patient_id, column, code, severity, f"{name}: {message}"))

    ends = (
        ("EVENT_AFTER_DATA_LOCK", "warning", dates.event_column, "the event", dates.event),
        ("COMPETING_AFTER_DATA_LOCK", "warning", endpoint_spec.competing_column or "", "it", dates.competing),
        ("FOLLOW_UP_AFTER_DATA_LOCK", "info", endpoint_spec.censor_column, "the follow-up", dates.censor),
    )
    for code, severity, column, what, day in ends:
        if lock is not None and day is not None and day > lock:
            note(code, severity, column, f"{what} on {day} is after the data lock, {lock}, and is not used")
    is_seen = dates.event is not None and (lock is None or dates.event <= lock)
    if is_seen and dates.event == dates.competing:
        message = f"event and competing event are on one day, {dates.event}; the event counts"
        note("EVENT_AND_COMPETING_SAME_DAY", "info", dates.event_column, message)
    is_death = endpoint_spec.ends_observation or dates.event == dates.competing
    if is_seen and not is_death and dates.censor is not None and dates.event is not None and dates.censor < dates.event:
        message = f"the event on {dates.event} is after the patient was last seen, {dates.censor}"
        note("FOLLOW_UP_BEFORE_EVENT", "warning", endpoint_spec.censor_column, message)
    for variable in spec.variables:
        measured = _day_of(row, spec, variable.measured_on)
        if measured is not None and measured > record.origin_date and not spec.is_missing(row[variable.column]):
            days = (measured - record.origin_date).days
            message = f"{variable.name} was measured {days} days after the origin; as a covariate it needs a landmark"
            note("COVARIATE_AFTER_ORIGIN", "warning", variable.measured_on or "", message)
    if record.duration_days == 0:
        note("NO_FOLLOW_UP_TIME", "warning", endpoint_spec.origin_column, "the time from origin to end is 0 days")
    return tuple(found)


_Refusal = Callable[[str, str, str, date | str | None, str], ClinicalError]


def _read_dates(row: Mapping[str, str], spec: ClinicalSpec, endpoint_spec: EndpointSpec) -> _Dates:
    """The dates of the endpoint's columns; of several events the first, with its column."""
    events = [
        (day, column) for column in endpoint_spec.event_columns if (day := _day_of(row, spec, column)) is not None
    ]
    event, event_column = min(events) if events else (None, endpoint_spec.event_columns[0])
    return _Dates(
        _day_of(row, spec, endpoint_spec.origin_column),
        event,
        event_column,
        _day_of(row, spec, endpoint_spec.competing_column),
        _day_of(row, spec, endpoint_spec.censor_column),
    )


def _day_of(row: Mapping[str, str], spec: ClinicalSpec, column: str | None) -> date | None:
    """The date in a cell, None where it is missing or there is no such column; refused with patient and column."""
    if column is None or spec.is_missing(row[column]):
        return None
    try:
        return read_date(row[column]).value
    except ClinicalError as error:
        raise located(error, row[spec.patient_id_column].strip(), column) from None


def _checked_origin(dates: _Dates, spec: ClinicalSpec, endpoint_spec: EndpointSpec, refusal: _Refusal) -> date:
    column, origin, lock = endpoint_spec.origin_column, dates.origin, spec.data_lock
    if origin is None:
        raise refusal("ORIGIN_MISSING", "the day of origin is missing", column, None, "a date")
    if lock is not None and origin > lock:
        raise refusal("ORIGIN_AFTER_DATA_LOCK", "the origin is after the data lock", column, origin, f"<= {lock}")
    for code, message, of, found in (
        ("EVENT_BEFORE_ORIGIN", "the event is before the origin", dates.event_column, dates.event),
        (
            "COMPETING_BEFORE_ORIGIN",
            "the competing event is before the origin",
            endpoint_spec.competing_column or "",
            dates.competing,
        ),
        ("FOLLOW_UP_BEFORE_ORIGIN", "the follow-up ends before the origin", endpoint_spec.censor_column, dates.censor),
    ):
        if found is not None and found < origin:
            raise refusal(code, message, of, found, f">= {origin}")
    return origin


def _check_order(
    dates: _Dates, endpoint_spec: EndpointSpec, scans: Sequence[tuple[str, date | None]], refusal: _Refusal
) -> None:
    """Refuse what cannot be: an event after the one that makes it impossible, follow-up or a scan after death."""
    event, competing, censor = dates.event, dates.competing, dates.censor
    if event is None:
        return
    if competing is not None and competing < event:
        raise refusal(
            "EVENT_AFTER_COMPETING",
            "the event is after the competing event that makes it impossible",
            dates.event_column,
            event,
            f"<= {competing}",
        )
    if not endpoint_spec.ends_observation:
        return
    if censor is not None and censor > event:
        raise refusal(
            "FOLLOW_UP_AFTER_DEATH",
            "the patient was followed after death",
            endpoint_spec.censor_column,
            censor,
            f"<= {event}",
        )
    for scan_id, scan_date in scans:
        if scan_date is not None and scan_date > event:
            raise refusal(
                "SCAN_AFTER_DEATH",
                f"scan {scan_id} is after death",
                dates.event_column,
                f"scan {scan_date}, death {event}",
                "a scan before death",
            )


def _baseline(
    origin: date,
    scans: Sequence[tuple[str, date | None]],
    window_days: int,
    refusal: _Refusal,
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
