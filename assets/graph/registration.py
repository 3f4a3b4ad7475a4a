"""Registration: a patient becomes a partition, and Dagster learns which version of the inputs there is."""

from collections.abc import Iterator, Mapping

import dagster as dg

from assets.graph.events import DATA_VERSION_TAG
from assets.graph.partitions import PATIENTS
from assets.graph.specs import column_metadata
from assets.ingest import IngestReport, ingest
from assets.sources import SOURCES
from warehouse.registry.tables import table

ABSENT = "absent"


def register(instance: dg.DagsterInstance, report: IngestReport) -> None:
    """Add the partitions of new patients and observe every input whose content has changed."""
    known = set(instance.get_dynamic_partitions(PATIENTS))
    instance.add_dynamic_partitions(
        PATIENTS, [p.record.patient_id for p in report.patients if p.record.patient_id not in known]
    )
    gone = dict.fromkeys(report.gone, ABSENT)
    for source in SOURCES:
        _observe(instance, source, {p.record.patient_id: p.sha256[source] or ABSENT for p in report.patients} | gone)


def record_ingest(instance: dg.DagsterInstance, report: IngestReport) -> None:
    """Tell Dagster of an ingest that the command line made."""
    instance.report_runless_asset_event(dg.AssetMaterialization("patients", metadata=_counts(report)))


def patients_asset() -> dg.AssetsDefinition:
    """The asset that looks at the sources again: the same as `petlake ingest`."""

    @dg.asset(
        name="patients",
        group_name="imaging",
        description=(
            f"{table('patients').description} Materialise this to look at the sources again; "
            "new patients become partitions."
        ),
        check_specs=[
            dg.AssetCheckSpec("some_patients", asset="patients", description="There is at least one patient."),
        ],
        code_version="1",
        kinds={"dicom", "parquet"},
        metadata=column_metadata("patients"),
        required_resource_keys={"study"},
    )
    def patients(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        report = ingest(context.resources.study.settings())
        register(context.instance, report)
        yield dg.MaterializeResult(
            metadata=_counts(report),
            check_results=[dg.AssetCheckResult(passed=bool(report.patients), check_name="some_patients")],
        )

    return patients


def _counts(report: IngestReport) -> dict[str, int]:
    return {
        "patients": len(report.patients),
        "new patients": sum(patient.is_new for patient in report.patients),
        "patients with changed files": sum(patient.files_changed for patient in report.patients),
        "files": sum(patient.record.n_files for patient in report.patients),
        "files set aside": len(report.set_aside),
        "clinical rows set aside": len(report.clinical_set_aside),
    }


def _observe(instance: dg.DagsterInstance, asset: str, versions: Mapping[str, str]) -> None:
    """Tell Dagster of the patients whose version is not the one that it knows."""
    key = dg.AssetKey(asset)
    known = instance.event_log_storage.get_latest_tags_by_partition(
        key, dg.DagsterEventType.ASSET_OBSERVATION, [DATA_VERSION_TAG]
    )
    for patient_id, version in versions.items():
        if known.get(patient_id, {}).get(DATA_VERSION_TAG) != version:
            instance.report_runless_asset_event(
                dg.AssetObservation(key, partition=patient_id, tags={DATA_VERSION_TAG: version})
            )
