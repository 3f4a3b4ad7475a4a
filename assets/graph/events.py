"""What Dagster is told of a patient's table: counts, units, versions and digests; never images, names or dates."""

import re
from collections.abc import Sequence

import dagster as dg

from assets.settings import StudySettings
from assets.sources import SOURCES
from assets.steps.order import INPUTS, PATIENT_TABLES
from assets.work import PatientOutcome, TableOutcome
from records.imaging import RefusalRecord

# The tags by which Dagster tells fresh from stale (docs: asset versioning).
CODE_VERSION_TAG = "dagster/code_version"
DATA_VERSION_TAG = "dagster/data_version"
_INPUT_DATA_VERSION_TAG = "dagster/input_data_version/{}"
_INPUT_EVENT_POINTER_TAG = "dagster/input_event_pointer/{}"

_NOT_REPORTED = "not reported"

_MOST_REASONS = 50

# A scan id begins with the day of the scan, which belongs in the lake and not in an event log.
_DAY_OF_SCAN = re.compile(r"\b[0-9]{8}-(?=[0-9a-f]{8}\b)")


def materialization(
    instance: dg.DagsterInstance, study: StudySettings, patient_id: str, result: TableOutcome
) -> dg.AssetMaterialization:
    """The event for one complete table of one patient.

    The tags name the code version, the data version and the versions of what it was computed from. Dagster writes them
    itself for a step's own outputs, but not for events logged while the step runs, and without them it would call the
    table fresh whatever changes.
    """
    tags = {CODE_VERSION_TAG: PATIENT_TABLES[result.table].version(study), DATA_VERSION_TAG: result.data_version}
    for upstream in INPUTS[result.table]:
        key = dg.AssetKey(upstream)
        record = instance.get_latest_data_version_record(key, is_source=upstream in SOURCES, partition_key=patient_id)
        version = _data_version(record.event_log_entry) if record else None
        # A table that is there only in part was never reported: whatever is reported of it from now on is news.
        pointer = record.storage_id if record else instance.event_log_storage.get_maximum_record_id()
        tags[_INPUT_DATA_VERSION_TAG.format(upstream)] = version or _NOT_REPORTED
        tags[_INPUT_EVENT_POINTER_TAG.format(upstream)] = str(pointer)
    return dg.AssetMaterialization(
        result.table,
        partition=patient_id,
        tags=tags,
        metadata={
            "rows": result.n_rows,
            **{
                f"{measure.name} [{measure.unit}]" if measure.unit else measure.name: measure.value
                for measure in result.measures
            },
            "path": result.relative_path,
            **{name: dg.MetadataValue.path(path) for name, path in result.paths},
        },
    )


def failure(outcomes: Sequence[PatientOutcome]) -> dg.Failure:
    """The failure of a run in which patients failed, with the coded reasons."""
    refusals = [refusal for outcome in outcomes for table in outcome.tables for refusal in table.refusals]
    patients = sorted({outcome.patient_id for outcome in outcomes if not outcome.complete})
    rows = [
        dg.TableRecord({"patient": r.patient_id, "table": r.table_name, "code": r.code, "reason": reason(r)})
        for r in refusals[:_MOST_REASONS]
    ]
    return dg.Failure(
        description=(
            f"{len(patients)} of {len(outcomes)} patients failed in at least one table; "
            "all others are materialised. The reasons are in the table `refusals`."
        ),
        metadata={
            "patients failed": len(patients),
            "patients": len(outcomes),
            "reasons": dg.MetadataValue.table(rows),
        },
        allow_retries=False,
    )


def reason(refusal: RefusalRecord) -> str:
    """The sentence of a refusal, without the date of a scan."""
    return _DAY_OF_SCAN.sub("", refusal.message)


def _data_version(entry: dg.EventLogEntry) -> str | None:
    event = entry.asset_materialization or entry.asset_observation
    return None if event is None or event.tags is None else event.tags.get(DATA_VERSION_TAG)
