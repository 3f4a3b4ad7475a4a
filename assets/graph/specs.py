"""An asset's specification out of the registry: the same words for asset, table and page."""

import dagster as dg

from assets.graph.partitions import patients_partitions
from assets.settings import StudySettings
from assets.sources import SOURCES
from assets.steps.order import INPUTS
from assets.steps.table import PatientTable
from warehouse.registry.tables import table


def patient_spec(computed: PatientTable, settings: StudySettings | None) -> dg.AssetSpec:
    """The specification of a per-patient table; without a study its version is that of the code alone."""
    declared = table(computed.name)
    return dg.AssetSpec(
        computed.name,
        group_name=declared.group,
        description=f"{declared.description} One row per {declared.grain}.",
        deps=[dg.AssetKey(upstream) for upstream in INPUTS[computed.name]],
        code_version=computed.version(settings),
        partitions_def=patients_partitions,
        skippable=True,
        kinds={"parquet"},
        metadata=column_metadata(computed.name),
    )


def column_metadata(name: str) -> dict[str, dg.TableColumnLineage | dg.MetadataValue]:
    """The columns of a table with their units and descriptions, as the Dagster UI shows them."""
    return {
        "dagster/column_schema": dg.MetadataValue.table_schema(
            dg.TableSchema(
                columns=[
                    dg.TableColumn(
                        column.name,
                        column.kind.value,
                        f"{column.description} [{column.unit}]" if column.unit else column.description,
                        dg.TableColumnConstraints(nullable=column.nullable),
                    )
                    for column in table(name).columns
                ]
            )
        )
    }


def external_specs() -> list[dg.AssetSpec]:
    """The outside world: `petlake ingest` observes its content, patient by patient."""
    return [
        dg.AssetSpec(
            source.name,
            group_name=source.group,
            description=source.description,
            partitions_def=patients_partitions,
            kinds={source.kind},
        )
        for source in SOURCES.values()
    ]
