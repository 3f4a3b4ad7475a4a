"""Cohort: which code made what from which input, and what external exams say of that code."""

from dataclasses import dataclass
from typing import Annotated

from records.columns import About, own
from records.keys import PatientId
from records.table import Table


@dataclass(frozen=True)
class ProvenanceRecord:
    """Which code made each table of each patient, from which input."""

    patient_id: PatientId
    table_name: Annotated[str, own("The table")]
    code_version: Annotated[str, own("Version of the code that computes it")]
    settings_sha256: Annotated[str, own("Digest of the settings that apply to it")]
    input_sha256: Annotated[str, own("Digest of what it was computed from")]
    data_sha256: Annotated[str, own("Digest of its rows")]
    petlake_version: Annotated[str | None, own("Version of petlake that computed it", identity=False)]
    petlake_commit: Annotated[str | None, own("Commit of its code, where it is known", identity=False)]
    petlake_modified: Annotated[
        bool | None, About("Whether a file of the code was another one than in the commit", identity=False)
    ]


@dataclass(frozen=True)
class ConformanceRow:
    """External exams of the code that computed this study: every number against the value that others published."""

    exam: Annotated[str, own("Exam: suv, masks, radiomics or survival")]
    case_id: Annotated[str, own("What was examined, for example a reference object")]
    quantity: Annotated[str, own("What was compared there")]
    expected: Annotated[str | None, own("Published value or code")]
    found: Annotated[str | None, own("Value or code that petlake gave")]
    tolerance: Annotated[str | None, own("How far the values may lie apart")]
    verdict: Annotated[
        str, own("pass, known_difference, not_computed, fail; not_run for an exam without reference data")
    ]
    note: Annotated[str | None, own("Why, where it is neither a plain pass nor a plain fail")]
    run_sha256: Annotated[str, own("Digest of the code versions and the reference data that the exam ran with")]


TABLES = (
    Table("provenance", ProvenanceRecord, "cohort", "patient and table", ("patient_id", "table_name")),
    Table("conformance", ConformanceRow, "cohort", "comparison", ("exam", "case_id", "quantity"), per_patient=False),
)
