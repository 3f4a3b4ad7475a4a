"""Asset checks: what must hold of every table, whatever it was computed from."""

from collections.abc import Callable, Collection, Iterator, Sequence

import dagster as dg

from assets.settings import StudySettings
from assets.steps.order import PATIENT_TABLES
from assets.steps.table import Check
from records.cohort import ProvenanceRecord
from warehouse.storage.lake import Lake


def _digest_differs(table: str) -> Callable[[Lake, str], bool]:
    def differs(lake: Lake, patient_id: str) -> bool:
        recorded = [
            row.data_sha256
            for row in lake.read_if_computed("provenance", patient_id, ProvenanceRecord)
            if row.table_name == table
        ]
        return lake.exists(table, patient_id) and recorded != [lake.digest(table, patient_id)]

    return differs


def _checks(table: str) -> tuple[Check, ...]:
    """The checks of the content of a table, and one of its digest."""
    description = "What is in the lake is what its provenance says was written."
    return (*PATIENT_TABLES[table].checks, Check("as_recorded", description, _digest_differs(table)))


def check_specs(tables: Sequence[str]) -> list[dg.AssetCheckSpec]:
    """The checks of these tables."""
    return [
        dg.AssetCheckSpec(check.name, asset=table, description=check.description)
        for table in tables
        for check in _checks(table)
    ]


def check_results(
    settings: StudySettings, tables: Sequence[str], selected: Collection[dg.AssetCheckKey]
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate the selected checks over every patient in the lake that has the table."""
    lake = Lake(settings.lake)
    for table in tables:
        patients = list(lake.patients(table))
        for check in _checks(table):
            if dg.AssetCheckKey(dg.AssetKey(table), check.name) not in selected:
                continue
            failing = [patient_id for patient_id in patients if check.violated(lake, patient_id)]
            yield dg.AssetCheckResult(
                asset_key=table,
                check_name=check.name,
                passed=not failing,
                metadata={
                    "patients checked": len(patients),
                    "patients failing": len(failing),
                    **({"failing": ", ".join(failing[:50])} if failing else {}),
                },
            )
