"""The 20 sarcoma patients, and how the tests ask their snapshots."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

PATIENTS = [f"STS_{number:03d}" for number in range(1, 21)]
SMALL = ["STS_002", "STS_003", "STS_008", "STS_012", "STS_015", "STS_019"]
# What takes minutes for all 20 patients is done for these; for all of them by `make sts`.
SAMPLE = PATIENTS if os.environ.get("PETLAKE_STS") else [*SMALL, "STS_004"]
TABLES = ["series", "scans", "suv", "lesions", "pictures", "pet_metrics", "radiomic_features", "clinical", "endpoints"]
Petlake = Callable[..., "object"]


def query(petlake: Petlake, study: Path, sql: str) -> list[dict[str, object]]:
    return petlake("sql", sql, "--study", study, "--format", "json").json


def current_id(petlake: Petlake, study: Path) -> str:
    listed = petlake("snapshot", "list", "--json", "--study", study).json
    return next(row["snapshot_id"] for row in listed if row["current"])
