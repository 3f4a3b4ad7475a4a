"""An asset's specification out of the registry: the same words for asset, table and page."""

import dagster as dg

from assets.graph.partitions import patients_partitions
from assets.inputs import CLINICAL_TABLE, DICOM_FILES, SUV_OVERRIDES
from assets.settings import CODE_VERSIONS, UPSTREAM, StudySettings
from warehouse.registry.tables import table


def patient_spec(name: str, settings: StudySettings | None) -> dg.AssetSpec:
    """The specification of the per-patient table ``name``; without a study its version is that of the code alone."""
    declared = table(name)
    return dg.AssetSpec(
        name,
        group_name=declared.group,
        description=_description(name),
        deps=[dg.AssetKey(upstream) for upstream in UPSTREAM[name]],
        code_version=settings.code_version(name) if settings else CODE_VERSIONS[name],
        partitions_def=patients_partitions,
        skippable=True,
        kinds={"parquet"},
        metadata=column_metadata(name),
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
            DICOM_FILES,
            group_name="imaging",
            description=(
                "A patient's DICOM files as `petlake ingest` found them; the data version is a digest of their bytes."
            ),
            partitions_def=patients_partitions,
            kinds={"dicom"},
        ),
        dg.AssetSpec(
            CLINICAL_TABLE,
            group_name="clinical",
            description="A patient's row of the clinical table; the data version is the digest of its cells.",
            partitions_def=patients_partitions,
            kinds={"csv"},
        ),
        dg.AssetSpec(
            SUV_OVERRIDES,
            group_name="clinical",
            description=(
                "The cells of a patient's row that override the header of the PET (syringe, weight, height); the data "
                "version is their digest."
            ),
            partitions_def=patients_partitions,
            kinds={"csv"},
        ),
    ]


def _description(name: str) -> str:
    declared = table(name)
    return f"{declared.description} One row a {declared.grain}."
