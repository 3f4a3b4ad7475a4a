"""Publishing: the tables that describe the settings, and the snapshot; without Dagster, which is slow to load."""

from assets.robustness_rows import ROBUSTNESS, write_robustness
from assets.settings import StudySettings
from assets.tables import code_versions, snapshot_settings_json
from petct.lesions.protocol import protocol_record
from petct.radiomics.definitions import definitions_of_all
from petct.radiomics.feature_sets import feature_set_record
from warehouse.errors import WarehouseError
from warehouse.snapshots.publish import Published, SnapshotSettings, publish
from warehouse.storage.lake import Lake

DEFINITION_TABLES = ("protocols", "feature_sets", "feature_definitions")
"""Tables that describe the study's settings; they hold no patient."""


def cohort_tables(settings: StudySettings | None) -> tuple[str, ...]:
    """The tables that are not of a patient; robustness only of a study that asks for it, or without a study."""
    asked = settings is None or settings.robustness is not None
    return (*DEFINITION_TABLES, *((ROBUSTNESS.name,) if asked else ()))


def write_definitions(settings: StudySettings) -> dict[str, int]:
    """Write the tables that describe the settings; the number of rows of each."""
    lake = Lake(settings.lake)
    return {
        "protocols": lake.write("protocols", None, [protocol_record(p) for p in settings.protocols]).n_rows,
        "feature_sets": lake.write("feature_sets", None, [feature_set_record(f) for f in settings.feature_sets]).n_rows,
        "feature_definitions": lake.write(
            "feature_definitions", None, definitions_of_all(settings.feature_sets)
        ).n_rows,
    }


def publish_snapshot(settings: StudySettings) -> Published:
    """Publish what is in the lake under the settings of the study.

    Raises
    ------
    WarehouseError
        LAKE_EMPTY when no patient is registered, and those of ``warehouse.snapshots.publish.publish``.
    """
    lake = Lake(settings.lake)
    if not lake.patients("patients"):
        raise WarehouseError(
            "LAKE_EMPTY",
            "There is no patient to publish",
            found=str(settings.lake),
            hint="Run `petlake ingest` and `petlake materialize` first.",
        )
    write_definitions(settings)
    write_robustness(settings)
    return publish(
        lake,
        SnapshotSettings(
            settings_json=snapshot_settings_json(settings),
            code_versions=code_versions(),
            aggregations=settings.aggregations,
            organ_aggregations=settings.organ_aggregations,
            with_reliability=settings.robustness is not None,
            default_protocol_id=settings.protocols[0].protocol_id,
        ),
    )
