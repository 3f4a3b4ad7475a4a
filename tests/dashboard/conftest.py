"""Small published studies, made row by row: 44 patients whose survival depends on their tumour volume."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import make_dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from streamlit.components.v2 import manifest_scanner

from records.columns import Kind
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.registry.tables import TABLES
from warehouse.snapshots.publish import Published, SnapshotSettings, publish
from warehouse.storage.lake import Lake

PROTOCOL = "contours-1"
SETTINGS = '{"connectivity": 26, "minimum_volume_ml": 0.0}'
FEATURE_SETS = {"pet_original": "PT", "ct_original": "CT"}
FEATURES = (
    *("original_shape_MeshVolume", "original_shape_Sphericity", "original_shape_Elongation"),
    *("original_firstorder_Mean", "original_firstorder_Entropy", "original_firstorder_Kurtosis"),
    *("original_glcm_JointEntropy", "original_glcm_Contrast", "original_glszm_ZonePercentage"),
    *("original_gldm_DependenceVariance", "original_ngtdm_Coarseness"),
)
N_PATIENTS = 44
NewStudy = tuple[Path, Callable[[int], Published]]
"""A folder, and a function that writes so many patients into it and publishes them."""
WITHOUT_SCAN, WITHOUT_SUV, WITHOUT_TUMOUR, WITHOUT_ENDPOINT = "P041", "P042", "P043", "P044"

_TYPES = {
    name: make_dataclass(name.title(), [column.name for column in table.columns], frozen=True)
    for name, table in TABLES.items()
}
_FILLERS = {
    Kind.TEXT: "-",
    Kind.INTEGER: 1,
    Kind.NUMBER: 1.0,
    Kind.BOOLEAN: True,
    Kind.DATE: dt.date(2020, 1, 1),
    Kind.DATETIME: dt.datetime(2020, 1, 1),
}


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Put `__main__` back: Streamlit replaces it by the page it runs, and worker processes would import that."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="session", autouse=True)
def one_look_for_components() -> Iterator[None]:
    """Look for installed components once: Streamlit reads about all packages whenever a test opens a page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


def row(table: str, **values: object) -> object:
    """Make a row of a table; columns that are not given are empty where they may be, and filled where not."""
    columns = TABLES[table].columns
    return _TYPES[table](
        **{c.name: values.pop(c.name, None if c.nullable else _FILLERS[c.kind]) for c in columns}, **values
    )


CONFORMANCE = [
    row("conformance", exam="suv", case_id="DRO_0_0", expected="0.2/1/4", found="0.2/1/4", verdict="pass"),
    row("conformance", exam="suv", case_id="DRO_1_0", expected="0.2/1/4", found="0.3/1/4", verdict="fail"),
    row("conformance", exam="survival", case_id="all", verdict="not_run", note="The data are not there."),
]


def write_study(folder: Path, n_patients: int = N_PATIENTS) -> None:
    """Write the lake of a study, and a study.yaml that the command line finds it by."""
    (folder / "study.yaml").write_text("study: {name: s}\nmasks: {tumour: [x]}\n", encoding="utf-8")
    others = [f"patient_id={_patient(number)}" for number in range(n_patients + 1, N_PATIENTS + 1)]
    shutil.copytree(_written(), folder / "lake", ignore=shutil.ignore_patterns(*others), dirs_exist_ok=True)


def _patient(number: int) -> str:
    return f"P{number:03}"


@cache
def _written() -> Path:
    """A lake with all patients, written once in each process; a study takes what it needs of it."""
    lake, rng = Lake(Path(tempfile.mkdtemp(dir=Path.home())) / "lake"), np.random.default_rng(1)
    lake.write("protocols", None, [row("protocols", protocol_id=PROTOCOL, name="contours", settings_json=SETTINGS)])
    lake.write(
        "feature_sets",
        None,
        [row("feature_sets", feature_set_id=f"{name}-1", name=name, modality=m) for name, m in FEATURE_SETS.items()],
    )
    lake.write("conformance", None, CONFORMANCE)
    definitions = [row("feature_definitions", feature_name=name, name=name.split("_")[-1]) for name in FEATURES]
    lake.write("feature_definitions", None, definitions)
    for number in range(1, N_PATIENTS + 1):
        _write_patient(lake, _patient(number), rng)
    return lake.root


def publish_study(folder: Path) -> Published:
    """Publish the lake of a study."""
    settings = {
        "study": "Synthetic 68Ga-DOTATOC cohort",
        "tracer": "68Ga-DOTATOC",
        "primary_hypotheses": [["OS", "tumour_volume_ml"]],
    }
    return publish(
        Lake(folder / "lake"),
        SnapshotSettings(json.dumps(settings), {"suv": "1"}, ("largest", "volume_weighted_mean"), PROTOCOL),
    )


def _write_patient(lake: Lake, patient: str, rng: np.random.Generator) -> None:
    key = {"patient_id": patient}
    scanned = patient != WITHOUT_SCAN
    measured = scanned and patient != WITHOUT_SUV
    # Drawn for every patient alike, so that the others stay the same when one changes.
    volumes = np.sort(rng.lognormal(3.0, 0.9, size=int(rng.integers(1, 5))))[::-1]
    noise = rng.normal(size=(len(FEATURE_SETS), len(volumes), len(FEATURES)))
    age, grade = rng.normal(67, 8), ("G1", "G2", "G3")[rng.choice(3, p=[0.3, 0.5, 0.2])]
    total = float(volumes.sum())
    duration = rng.exponential(1400 * (total / 50) ** -0.6)
    censoring = rng.uniform(400, 3000)
    if patient == WITHOUT_TUMOUR:
        volumes, total = volumes[:0], 0.0

    lake.write("patients", patient, [row("patients", **key, has_pet=scanned)])
    _write_clinical(lake, patient, float(age), grade)
    end = dt.date(2015, 1, 1) + dt.timedelta(days=int(min(duration, censoring)) + 1)
    endpoint = row(
        "endpoints",
        **key,
        endpoint="OS",
        origin_date=dt.date(2015, 1, 1),
        end_date=end,
        duration_days=(end - dt.date(2015, 1, 1)).days,
        event=int(duration <= censoring),
        baseline_scan_id="S1" if scanned else None,
    )
    lake.write("endpoints", patient, [] if patient == WITHOUT_ENDPOINT else [endpoint])
    refused = _refusals(patient)
    lake.write("refusals", patient, refused)
    if not scanned:
        return
    lake.write("scans", patient, [row("scans", **key, scan_id="S1", manufacturer="SIEMENS", pet_spacing_z_mm=4.0)])
    if not measured:
        return
    lake.write("suv", patient, [row("suv", **key, scan_id="S1", suv_max=20.0, injected_dose_bq=1.5e8)])
    grain = {**key, "scan_id": "S1", "protocol_id": PROTOCOL}
    lesions = [
        row("lesions", **grain, lesion_id=f"L{i:02}", modality=m, organ="liver", volume_ml=float(volume))
        for i, volume in enumerate(volumes, start=1)
        for m in ("PT", "CT")
    ]
    lake.write("lesions", patient, lesions)
    uptake = {"suv_max": 10 + float(noise[0, 0, 0]), "suv_mean": 5.0 + float(noise[0, 0, 1])} if total else {}
    metrics = [
        row(
            "pet_metrics",
            **grain,
            grain=g,
            region=region,
            n_lesions=len(volumes),
            volume_ml=total,
            total_lesion_expression_ml=total * 5,
            **uptake,
        )
        for g, region in (("patient", "all"), *((("organ", "liver"),) if total else ()))
    ]
    lake.write("pet_metrics", patient, metrics)
    features = [
        row(
            "radiomic_features",
            **grain,
            lesion_id=f"L{i + 1:02}",
            feature_set_id=f"{name}-1",
            feature_name=feature,
            value=float(volume if j == 0 else noise[s, i, j] + 0.8 * np.log(volume) * (j % 3)),
            status="COMPUTED",
        )
        for s, name in enumerate(FEATURE_SETS)
        for i, volume in enumerate(volumes)
        for j, feature in enumerate(FEATURES)
    ]
    lake.write("radiomic_features", patient, features)


def _write_clinical(lake: Lake, patient: str, age: float, grade: str) -> None:
    values = [
        row("clinical", patient_id=patient, variable="age", kind="number", value_number=age, unit="year"),
        row("clinical", patient_id=patient, variable="grade", kind="category", value_text=grade),
        row("clinical", patient_id=patient, variable="centre", kind="category", value_text="Uppsala"),
    ]
    lake.write("clinical", patient, values)


def _refusals(patient: str) -> list[object]:
    reasons = {
        WITHOUT_SCAN: ("scans", "PET_SERIES_MISSING", "There is no attenuation-corrected PET series"),
        WITHOUT_SUV: ("suv", "SUV_WEIGHT_MISSING", "The patient's weight is not in the header"),
        WITHOUT_ENDPOINT: ("endpoints", "ENDPOINT_ORIGIN_MISSING", "The origin date is missing"),
    }
    if patient not in reasons:
        return []
    table, code, message = reasons[patient]
    return [
        row("refusals", patient_id=patient, table_name=table, code=code, message=message, hint="Add it and run again.")
    ]


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of a study with a published snapshot; nobody may change it."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    publish_study(folder)
    # Open all the while: opening a snapshot takes longer than a question.
    with open_snapshot(folder / "lake"):
        yield folder


@pytest.fixture
def empty_study(tmp_path: Path) -> Path:
    """Return the folder of a study whose snapshot holds definitions and no patients."""
    write_study(tmp_path, n_patients=0)
    publish_study(tmp_path)
    return tmp_path


@pytest.fixture
def new_study(tmp_path: Path) -> NewStudy:
    """Return the folder of a study, and a function that writes so many patients and publishes."""

    def publish_patients(n_patients: int) -> Published:
        write_study(tmp_path, n_patients)
        return publish_study(tmp_path)

    return tmp_path, publish_patients


@pytest.fixture(scope="session")
def competing_study(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a study whose only endpoint, TTP, has competing events; nobody may change it."""
    folder = tmp_path_factory.mktemp("competing")
    shutil.copytree(study / "lake", folder / "lake", ignore=shutil.ignore_patterns("journal", "snapshots"))
    lake, rng = Lake(folder / "lake"), np.random.default_rng(5)
    for number in range(1, N_PATIENTS + 1):
        patient = _patient(number)
        times = {"duration_days": int(rng.integers(50, 1500)), "event": int(rng.integers(0, 3))}
        lake.write("endpoints", patient, [row("endpoints", patient_id=patient, endpoint="TTP", **times)])
    publish_study(folder)
    (folder / "study.yaml").touch()
    return folder
