"""The tables of a patient in the order in which they build on one another, and what each is computed from."""

from collections import defaultdict

from assets.settings import StudySettings
from assets.sources import SOURCES
from assets.steps.clinical import CLINICAL, ENDPOINTS
from assets.steps.imaging import SCANS, SERIES, SUV
from assets.steps.masks import LESIONS
from assets.steps.metrics import PET_METRICS
from assets.steps.pictures import PICTURES
from assets.steps.radiomics import RADIOMIC_FEATURES
from assets.steps.robustness import PERTURBED_FEATURES
from assets.steps.table import PatientTable

PATIENT_TABLES: dict[str, PatientTable] = {
    table.name: table
    for table in (
        SERIES,
        SCANS,
        SUV,
        LESIONS,
        PICTURES,
        PET_METRICS,
        RADIOMIC_FEATURES,
        PERTURBED_FEATURES,
        CLINICAL,
        ENDPOINTS,
    )
}
_OWNERS = {name: table.name for table in PATIENT_TABLES.values() for name in (table.name, *table.companions)}


def _inputs(table: PatientTable) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in table.upstream:
        if name in SOURCES:
            found[name].append(SOURCES[name].table)
        else:
            found[_OWNERS[name]].append(name)
    return {name: tuple(read) for name, read in found.items()}


INPUTS: dict[str, dict[str, tuple[str, ...]]] = {table.name: _inputs(table) for table in PATIENT_TABLES.values()}
"""What each table is computed from: another table or an input from outside, with the tables of the lake read of it."""


def asked_tables(study: StudySettings | None) -> tuple[PatientTable, ...]:
    """The tables that a study asks for, in order; all without a study."""
    return tuple(table for table in PATIENT_TABLES.values() if study is None or table.is_asked(study))


def asked_names(study: StudySettings | None) -> tuple[str, ...]:
    """Their names."""
    return tuple(table.name for table in asked_tables(study))
