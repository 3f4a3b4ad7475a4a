"""A published study with competing events, late entries, a later therapy, two protocols and missing values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.dashboard.conftest import (
    _TYPES,
    N_PATIENTS,
    PROTOCOL,
    WITHOUT_ENDPOINT,
    publish_study,
    row,
    write_study,
)
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.storage.lake import Lake

ORIGIN = dt.date(2015, 1, 1)
WIDE = "wide-1"


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of a study with a published snapshot; nobody may change the snapshot."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    lake = Lake(folder / "lake")
    rng = np.random.default_rng(3)
    names = {PROTOCOL: "contours", WIDE: "wide"}
    lake.write("protocols", None, [row("protocols", protocol_id=key, name=name) for key, name in names.items()])
    for number in range(1, N_PATIENTS + 1):
        _rewrite(lake, f"P{number:03}", rng)
    publish_study(folder)
    # Open all the while: opening a snapshot takes longer than a question.
    with open_snapshot(folder / "lake"):
        yield folder


def _rewrite(lake: Lake, patient: str, rng: np.random.Generator) -> None:
    age, grade, sex = rng.normal(67, 8), str(rng.choice(["G1", "G2", "G3"])), str(rng.choice(["F", "M"]))
    days = {"OS": int(rng.integers(200, 2500)), "PFS": int(rng.integers(100, 1500))}
    events = {"OS": int(rng.random() < 0.7), "PFS": int(rng.integers(0, 3))}
    numbers = {"age": age, "late_entry": float(rng.integers(0, 90)), "ki67": float(rng.uniform(1, 20))}
    if rng.random() < 0.5:
        numbers["therapy"] = float(rng.integers(10, 150))
    if rng.random() < 0.2:
        del numbers["ki67"]
    clinical = [
        row(
            "clinical",
            patient_id=patient,
            variable=name,
            kind="number",
            value_number=value,
            unit="%" * (name == "ki67"),
        )
        for name, value in numbers.items()
    ]
    clinical += [
        row("clinical", patient_id=patient, variable=name, kind="category", value_text=text)
        for name, text in (("grade", grade), ("sex", sex), ('odd "name"', "a|b"))
    ]
    lake.write("clinical", patient, clinical)
    endpoints = [
        row(
            "endpoints",
            patient_id=patient,
            endpoint=name,
            origin_date=ORIGIN,
            end_date=ORIGIN + dt.timedelta(days=days[name]),
            duration_days=days[name],
            event=events[name],
            baseline_scan_id="S1",
        )
        for name in days
    ]
    metrics = lake.read_if_computed("pet_metrics", patient, _TYPES["pet_metrics"])
    if metrics:
        larger = rng.uniform(1.1, 3.0)
        wide = [replace(each, protocol_id=WIDE, volume_ml=each.volume_ml * larger) for each in metrics]
        lake.write("pet_metrics", patient, [*metrics, *wide])
    lake.write("endpoints", patient, [] if patient == WITHOUT_ENDPOINT else endpoints)
