"""From lesion to patient: the SQL against the same rules written in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.some import some
from tests.warehouse.study_rows import SETTINGS, row
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots.publish import publish
from warehouse.storage.lake import Lake

FEATURES = ("original_a", "original_b", "original_c")
SET_MODALITY = {"pet": "PT", "ct": "CT"}
WHERE = {"scan_id": "S1", "protocol_id": "suv4"}

VALUES = st.floats(-1e6, 1e6, allow_subnormal=False)
# Few different volumes, so that ties occur.
VOLUMES = st.sampled_from([0.1, 0.5, 2.0, 2.0, 7.25, 40.0])


@dataclass(frozen=True)
class Lesion:
    """A lesion with its volume in each modality (None: not there) and its values by set and feature."""

    lesion_id: str
    volumes: dict[str, float | None]
    values: dict[tuple[str, str], float | None]


@st.composite
def lesions(draw: st.DrawFn) -> tuple[Lesion, ...]:
    count = draw(st.integers(0, 4))
    found = []
    for number in range(count):
        # A lesion may have no PET volume; the modality in which a set is computed always has one.
        volumes = {"PT": draw(st.none() | VOLUMES), "CT": draw(VOLUMES)}
        sets = [name for name, modality in SET_MODALITY.items() if volumes[modality] is not None]
        values = {(name, feature): draw(st.none() | VALUES) for name in sets for feature in FEATURES}
        found.append(Lesion(f"L{number:02d}", volumes, values))
    return tuple(draw(st.permutations(found)))


def expected(patient: tuple[Lesion, ...], set_name: str, feature: str) -> dict[str, float]:
    """The seven aggregations of one feature, NaN where there is none."""
    modality = SET_MODALITY[set_name]
    used = [lesion for lesion in patient if (set_name, feature) in lesion.values]

    def size(lesion: Lesion) -> tuple[float, float]:
        pet, own = lesion.volumes["PT"], lesion.volumes[modality]
        return (-np.inf if pet is None else pet, -np.inf if own is None else own)

    largest = sorted(used, key=lambda lesion: lesion.lesion_id)
    largest.sort(key=size, reverse=True)
    computed = [lesion for lesion in used if lesion.values[set_name, feature] is not None]
    values = np.array([lesion.values[set_name, feature] for lesion in computed], dtype=float)
    weights = np.array([lesion.volumes[modality] for lesion in computed], dtype=float)
    none = float("nan")
    top = largest[0].values[set_name, feature] if largest else None
    some = len(values) > 0
    return {
        "largest": none if top is None else top,
        "volume_weighted_mean": float(np.average(values, weights=weights)) if some else none,
        "mean": float(values.mean()) if some else none,
        "max": float(values.max()) if some else none,
        "min": float(values.min()) if some else none,
        "sd": float(values.std(ddof=1)) if len(values) > 1 else none,
        "sum": float(values.sum()) if some else none,
    }


def write(lake: Lake, patients: dict[str, tuple[Lesion, ...]]) -> None:
    sets = [row("feature_sets", feature_set_id=f"{n}-1", name=n, modality=m) for n, m in SET_MODALITY.items()]
    lake.write("feature_sets", None, sets)
    for patient, found in patients.items():
        where = {"patient_id": patient, **WHERE}
        lake.write("patients", patient, [row("patients", patient_id=patient)])
        lake.write("scans", patient, [row("scans", patient_id=patient, scan_id="S1")])
        rows = [
            row("lesions", **where, lesion_id=lesion.lesion_id, modality=modality, volume_ml=volume)
            for lesion in found
            for modality, volume in lesion.volumes.items()
            if volume is not None
        ]
        decoys = [
            row("lesions", **(where | other), lesion_id="L00", modality="PT", volume_ml=1e6)
            for other in ({"scan_id": "S2"}, {"protocol_id": "p41"})
        ]
        lake.write("lesions", patient, rows + decoys)
        rows = [
            row(
                "radiomic_features",
                **where,
                lesion_id=lesion.lesion_id,
                feature_set_id=f"{set_name}-1",
                feature_name=feature,
                value=value,
                status="TOO_SMALL" if value is None else "COMPUTED",
            )
            for lesion in found
            for (set_name, feature), value in lesion.values.items()
        ]
        decoys = [
            row(
                "radiomic_features",
                **({"feature_set_id": "pet-1"} | where | other),
                lesion_id="L00",
                feature_name=FEATURES[0],
                value=1e9,
                status="COMPUTED",
            )
            for other in ({"scan_id": "S2"}, {"protocol_id": "p41"}, {"feature_set_id": "removed-1"})
        ]
        lake.write("radiomic_features", patient, rows + decoys)


@settings(max_examples=12)
@given(st.lists(lesions(), min_size=1, max_size=6))
def test_every_aggregation_agrees_with_numpy(
    tmp_path_factory: pytest.TempPathFactory, cohort: list[tuple[Lesion, ...]]
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    patients = {f"P{number}": found for number, found in enumerate(cohort)}
    write(lake, patients)
    publish(lake, SETTINGS)

    with open_snapshot(lake.root) as snapshot:
        known = {column.name for column in snapshot.columns()}
        for set_name in SET_MODALITY:
            measured = [p for p, found in patients.items() if any(s == set_name for le in found for s, _ in le.values)]
            for aggregation in some(SETTINGS.aggregations):
                frame = snapshot.features(set_name, aggregation)
                assert frame["patient_id"].tolist() == measured
                names = [f"{set_name}__{aggregation}:{feature}" for feature in FEATURES if measured]
                assert known.issuperset(names)
                values = snapshot.values(names)
                assert values.patient_ids == tuple(patients)
                for feature in FEATURES:
                    # A cohort without a lesion has no column.
                    if measured:
                        right = [expected(found, set_name, feature)[aggregation] for found in patients.values()]
                        column = values.columns[f"{set_name}__{aggregation}:{feature}"]
                        np.testing.assert_allclose(column, right, rtol=1e-9, atol=1e-9)


def test_the_largest_lesion_is_one_for_all_features(tmp_path: Path) -> None:
    large = Lesion("L02", {"PT": 9.0, "CT": 1.0}, {("pet", "original_a"): None, ("pet", "original_b"): 2.0})
    small = Lesion("L01", {"PT": 1.0, "CT": 9.0}, {("pet", "original_a"): 3.0, ("pet", "original_b"): 4.0})
    write(lake := Lake(tmp_path), {"001": (large, small)})
    publish(lake, SETTINGS)

    with open_snapshot(tmp_path) as snapshot:
        values = snapshot.values(["pet__largest:original_a", "pet__largest:original_b"]).columns
    assert np.isnan(values["pet__largest:original_a"]).all()
    assert values["pet__largest:original_b"].tolist() == [2.0]


def test_a_weighted_mean_without_a_weight_is_no_mean(tmp_path: Path) -> None:
    found = (
        Lesion("L01", {"PT": 1.0, "CT": None}, {("ct", "original_a"): 3.0}),
        Lesion("L02", {"PT": 2.0, "CT": 2.0}, {("ct", "original_a"): 5.0}),
    )
    write(lake := Lake(tmp_path), {"001": found})
    publish(lake, SETTINGS)

    with open_snapshot(tmp_path) as snapshot:
        values = snapshot.values(["ct__volume_weighted_mean:original_a", "ct__mean:original_a"]).columns
    assert np.isnan(values["ct__volume_weighted_mean:original_a"]).all()
    assert values["ct__mean:original_a"].tolist() == [4.0]


def test_two_builds_give_the_same_last_digit(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    patients = {
        f"P{number}": tuple(
            Lesion(
                f"L{i:02d}",
                {"PT": float(rng.uniform(0.1, 50)), "CT": 1.0},
                {("pet", f): float(rng.normal(0, 1e3)) for f in FEATURES},
            )
            for i in range(30)
        )
        for number in range(10)
    }
    found = []
    for name in ("one", "two"):
        write(lake := Lake(tmp_path / name), patients)
        publish(lake, SETTINGS)
        with open_snapshot(lake.root) as snapshot:
            names = [column.name for column in snapshot.columns() if column.table.startswith("features__")]
            found.append(np.column_stack(list(snapshot.values(names).columns.values())).tobytes())
    assert found[0] == found[1]
