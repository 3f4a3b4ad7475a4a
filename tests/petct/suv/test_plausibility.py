"""Plausibility of a scan: a finding beyond each limit, none within, and the limits of a tracer only for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from petct.image.volume import Geometry, Volume
from petct.suv.compute import compute_suv
from petct.suv.plausibility import Tracer, maximum_at_edge, organ_finding, scan_findings, tracer_of
from petct.suv.result import SuvResult
from tests.petct.suv.suv_series import SCAN, suv_series

GALLIUM = {
    "half_life_s": 4057.7,
    "nuclide_code": "C-131A3",
    "nuclide_meaning": "^68^Gallium",
    "radiopharmaceutical": "68Ga-DOTATOC",
    "total_dose": 150e6,
}


def _result(uptake_min: float = 60.0, **changes: object) -> SuvResult:
    result = compute_suv(
        suv_series(start_datetime=SCAN - timedelta(minutes=uptake_min), start_time=None, **changes), "s"
    )
    inside = np.ones((5, 5, 5), dtype=np.float32)
    inside[2, 2, 2] = 2
    return replace(result, volume=Volume(inside, Geometry((5, 5, 5), (4, 4, 4), (0, 0, 0))))


def _codes(result: SuvResult, tracer: str | None = None) -> list[str]:
    return [finding.code for finding in scan_findings(result, tracer)]


@pytest.mark.parametrize(
    ("declared", "stated", "nuclide", "expected"),
    [
        ("68Ga-DOTATOC", None, "68Ga", Tracer.GA68_SSTR),
        (None, "Ga-68 DOTA-TATE", "68Ga", Tracer.GA68_SSTR),
        ("68Ga-DOTATATE", None, None, Tracer.GA68_SSTR),
        # The ranges were measured with 68Ga.
        (None, "Cu-64 DOTATATE", "64Cu", Tracer.OTHER),
        (None, "DOTATATE", "64Cu", Tracer.OTHER),
        (None, "FDG -- fluorodeoxyglucose", "18F", Tracer.F18_FDG),
        (None, "Fluorodeoxyglucose", "18F", Tracer.F18_FDG),
        (None, "PSMA-1007", "18F", Tracer.OTHER),
        (None, None, None, Tracer.OTHER),
    ],
)
def test_the_tracer(declared: str | None, stated: str | None, nuclide: str | None, expected: Tracer) -> None:
    assert tracer_of(declared, stated, nuclide) is expected


@pytest.mark.parametrize(
    ("minutes", "changes", "expected"),
    [
        (60, {}, []),
        (39, GALLIUM, ["QC_UPTAKE_DURATION"]),
        (91, GALLIUM, ["QC_UPTAKE_DURATION"]),
        (60, GALLIUM, []),
        (100, {"radiopharmaceutical": "FDG"}, ["QC_UPTAKE_DURATION"]),
        # Without a known tracer only what no tracer does.
        (100, {}, []),
        (-30, {}, ["QC_UPTAKE_DURATION"]),
        (60, {**GALLIUM, "total_dose": 400e6}, ["QC_ACTIVITY_PER_WEIGHT"]),
        (60, {**GALLIUM, "total_dose": 40e6}, ["QC_ACTIVITY_PER_WEIGHT"]),
        (60, {"total_dose": 3.7e9}, ["QC_ACTIVITY_PER_WEIGHT"]),
    ],
)
def test_times_and_activity(minutes: float, changes: dict[str, object], expected: list[str]) -> None:
    assert _codes(_result(minutes, **changes)) == expected


def test_a_finding_names_scan_series_and_numbers() -> None:
    (finding,) = scan_findings(_result(39, **GALLIUM), None)
    assert (finding.patient_id, finding.scan_id, finding.series_instance_uid) == ("P1", "s", "1.2.3")
    assert (finding.table_name, finding.severity) == ("suv", "warning")
    assert "39 minutes" in finding.message
    assert "doi" in finding.message


def test_more_activity_than_was_injected_means_a_wrong_scale() -> None:
    result = _result()
    # 126 voxel-equivalents of SUV 1 and 0.064 ml are 8.064 g of 70 kg.
    assert result.dose_share_in_field == pytest.approx(126 * 0.064 / 70000)
    assert result.record("digest").dose_share_in_field == result.dose_share_in_field
    hot = replace(result, volume=Volume(result.volume.array * 10000, result.volume.geometry))
    assert _codes(hot) == ["QC_ACTIVITY_EXCEEDS_DOSE"]
    unknown = replace(hot, facts=replace(hot.facts, patient_weight_kg=None))
    assert unknown.dose_share_in_field is None
    assert _codes(unknown) == []


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ((0, 2, 2), "slice"),
        ((4, 2, 2), "slice"),
        ((2, 0, 2), "transaxial"),
        ((2, 2, 4), "transaxial"),
        ((2, 2, 2), None),
    ],
)
def test_a_maximum_at_the_edge(place: tuple[int, int, int], says: str | None) -> None:
    array = np.ones((5, 5, 5))
    array[place] = 3
    found = maximum_at_edge(Volume(array, Geometry((5, 5, 5), (1, 1, 1), (0, 0, 0))))
    assert (found is None) if says is None else (found is not None and says in found)


def test_the_edge_of_the_reconstructed_circle() -> None:
    y, x = np.mgrid[:21, :21]
    array = np.where(np.hypot(y - 10, x - 10) <= 9, 1.0, 0.0)[None].repeat(5, axis=0)
    array[2, 10, 1] = 3
    assert maximum_at_edge(Volume(array, Geometry((5, 21, 21), (1, 1, 1), (0, 0, 0)))) is not None
    array[2, 10, 1], array[2, 10, 5] = 1, 3
    assert maximum_at_edge(Volume(array, Geometry((5, 21, 21), (1, 1, 1), (0, 0, 0)))) is None


@pytest.mark.parametrize(
    ("organ", "mean", "tracer", "found"),
    [
        ("liver", 4.8, Tracer.GA68_SSTR, False),
        ("Liver", 2.2, Tracer.GA68_SSTR, True),
        ("liver", 12.5, Tracer.GA68_SSTR, True),
        ("spleen", 16.0, Tracer.GA68_SSTR, False),
        ("spleen", 5.3, Tracer.GA68_SSTR, True),
        ("spleen", 34.1, Tracer.GA68_SSTR, True),
        ("kidneys", 100.0, Tracer.GA68_SSTR, False),
        ("liver", 2.0, Tracer.F18_FDG, False),
        ("liver", 2.0, Tracer.OTHER, False),
    ],
)
def test_organs(organ: str, mean: float, tracer: Tracer, found: bool) -> None:
    finding = organ_finding("P1", "s", organ, np.full(10, mean), tracer)
    assert (finding is not None) is found
    if finding is not None:
        assert (finding.code, finding.table_name) == ("QC_ORGAN_UPTAKE", "lesions")
    assert organ_finding("P1", "s", organ, np.empty(0), tracer) is None


def test_a_half_life_that_does_not_fit_an_image_in_suv_is_a_finding() -> None:
    series = suv_series(2.5, **{**GALLIUM, "half_life_s": 2.34e7, "units": "GML"})
    result = compute_suv(series, "s")
    assert [finding.code for finding in result.findings] == ["SUV_HALF_LIFE_MISMATCH"]
    assert result.volume.array == pytest.approx(2.5)
    assert result.facts.half_life_s is None
