"""Everything that is computed, of patients and of the cohort: the versions of its code, and a study's settings."""

from assets.robustness_rows import ROBUSTNESS
from assets.settings import StudySettings
from assets.steps.order import PATIENT_TABLES, asked_tables
from assets.steps.table import ComputedTable
from petct.settings_digest import canonical_json

SNAPSHOT = ComputedTable("snapshot", "1")


def computed_tables() -> tuple[ComputedTable, ...]:
    """All that has a version of its own."""
    return (*PATIENT_TABLES.values(), ROBUSTNESS, SNAPSHOT)


def code_versions() -> dict[str, str]:
    """The version of the code of each table."""
    return {table.name: table.code_version for table in computed_tables()}


def snapshot_settings_json(study: StudySettings) -> str:
    """All settings that change a number or its meaning, as canonical JSON."""
    settings = {table.name: table.settings(study) for table in computed_tables()}
    return canonical_json(
        {
            "study": study.name,
            "tracer": study.tracer,
            "tables": {name: found for name, found in settings.items() if found},
            "table_settings_sha256": {table.name: table.settings_sha256(study) for table in asked_tables(study)},
            "aggregations": list(study.aggregations),
            "organ_aggregations": [[item.organ, item.rule] for item in study.organ_aggregations],
            "primary_hypotheses": [[item.endpoint, item.variable] for item in study.primary_hypotheses],
        }
    )
