"""Cohort assets: the settings' own tables, and the published snapshot."""

import hashlib
from collections.abc import Iterator

import dagster as dg

from assets.exams import CONFORMANCE, write_conformance
from assets.graph.events import DATA_VERSION_TAG
from assets.graph.specs import column_metadata
from assets.publishing import DEFINITION_TABLES, cohort_tables, publish_snapshot, write_definitions
from assets.settings import StudySettings
from assets.steps.order import asked_names
from assets.tables import SNAPSHOT, snapshot_settings_json
from petct.conformance.exam import Verdict
from warehouse.registry.tables import table
from warehouse.snapshots.publish import Published


def definitions_asset(settings: StudySettings | None) -> dg.AssetsDefinition:
    """The tables that describe the settings of the study."""
    version = snapshot_settings_json(settings) if settings else "1"

    @dg.multi_asset(
        name="definition_tables",
        specs=[
            dg.AssetSpec(
                name,
                group_name=table(name).group,
                description=table(name).description,
                code_version=_short_digest(version),
                kinds={"parquet"},
                metadata=column_metadata(name),
            )
            for name in DEFINITION_TABLES
        ],
        check_specs=[
            dg.AssetCheckSpec("not_empty", asset=name, description="There is at least one row.")
            for name in DEFINITION_TABLES
        ],
        required_resource_keys={"study"},
    )
    def definition_tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        for name, n_rows in write_definitions(context.resources.study.settings()).items():
            yield dg.MaterializeResult(
                asset_key=name,
                metadata={"rows": n_rows},
                check_results=[dg.AssetCheckResult(passed=n_rows > 0, check_name="not_empty", asset_key=name)],
            )

    return definition_tables


def conformance_asset() -> dg.AssetsDefinition:
    """What external exams say of the code."""

    @dg.asset(
        name=CONFORMANCE,
        group_name="cohort",
        description=table(CONFORMANCE).description,
        kinds={"parquet"},
        metadata=column_metadata(CONFORMANCE),
        check_specs=[
            dg.AssetCheckSpec("nothing_fails", asset=CONFORMANCE, description="No line of an exam that ran has failed.")
        ],
        required_resource_keys={"study"},
    )
    def conformance(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        counts = write_conformance(context.resources.study.settings())
        yield dg.MaterializeResult(
            metadata={"rows": sum(counts.values()), **counts},
            check_results=[
                dg.AssetCheckResult(
                    passed=not counts.get(Verdict.FAIL.value), check_name="nothing_fails", metadata=counts
                )
            ],
        )

    return conformance


def snapshot_asset(settings: StudySettings | None) -> dg.AssetsDefinition:
    """The published snapshot: immutable, named by its content."""

    @dg.asset(
        name=SNAPSHOT.name,
        group_name="cohort",
        description=(
            "An immutable DuckDB file with every table, the cohort table and the wide feature matrices. Its id is the "
            "digest of rows, settings and code versions; publishing what exists changes nothing."
        ),
        deps=[dg.AssetKey(name) for name in (*asked_names(settings), *cohort_tables(settings), CONFORMANCE)],
        code_version=SNAPSHOT.code_version,
        check_specs=[
            dg.AssetCheckSpec(
                "holds_patients", asset="snapshot", description="The cohort table has a patient or more."
            ),
        ],
        kinds={"duckdb"},
        required_resource_keys={"study"},
    )
    def snapshot(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        published = publish_snapshot(context.resources.study.settings())
        yield dg.MaterializeResult(
            metadata=_summary(published),
            data_version=dg.DataVersion(published.snapshot_id),
            check_results=[dg.AssetCheckResult(passed=published.n_patients > 0, check_name="holds_patients")],
        )

    return snapshot


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def record_snapshot(instance: dg.DagsterInstance, published: Published) -> None:
    """Tell Dagster of a snapshot that the command line published."""
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            "snapshot", metadata=_summary(published), tags={DATA_VERSION_TAG: published.snapshot_id}
        )
    )


def _summary(published: Published) -> dict[str, str | int | bool]:
    return {
        "snapshot id": published.snapshot_id,
        "new": published.created,
        "patients": published.n_patients,
        "rows": sum(published.tables.values()),
        "path": f"snapshots/{published.path.name}",
    }
