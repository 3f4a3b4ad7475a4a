"""Organs of the synthetic patients: plausible as they are, and findings when the tracer would give them less."""

from __future__ import annotations

import csv
import re
from dataclasses import replace

import pytest

from assets.steps.drawings import drawings_of, grids_of
from assets.steps.patient_data import PatientData, StepOutput
from assets.steps.plausibility import organ_findings
from petct.suv.plausibility import LIMITS, Tracer
from records.imaging import Finding, RefusalRecord, SuvRecord
from tests.assets.conftest import PATIENTS, Study
from tests.some import some
from warehouse.storage.lake import Lake


def _findings(study: Study, **changes: object) -> list[Finding]:
    """The findings about the organs of the first patient, with changes to the row of its SUV."""
    data = PatientData(PATIENTS[0], study.settings, Lake(study.settings.lake))
    (suv,) = data.rows("suv", SuvRecord)
    data.remember("suv", StepOutput([replace(suv, **changes)]))
    (scan,) = data.scan_series()
    refusals: list[RefusalRecord] = []
    drawings = drawings_of(data, scan, grids_of(data, scan, refusals), refusals).drawings
    assert not refusals
    return organ_findings(data, scan.scan_id, drawings)


def test_synthetic_patients_are_plausible(computed: Study) -> None:
    lake = Lake(computed.settings.lake)
    for patient in some(PATIENTS):
        codes = {finding.code for finding in lake.read("qc_events", patient, Finding)}
        assert not {code for code in some(codes) if code.startswith(("QC_", "INDEX_", "SUV_"))}
    assert _findings(computed) == []


def test_an_organ_beyond_its_range_is_a_finding(computed: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = replace(LIMITS[Tracer.GA68_SSTR], organ_suv_mean=(("liver", (0.0, 0.1)), ("spleen", (0.0, 0.1))))
    monkeypatch.setitem(LIMITS, Tracer.GA68_SSTR, limits)
    with (computed.folder / "truth" / "organs.csv").open(encoding="utf-8") as stream:
        truth = {row["organ"]: row for row in csv.DictReader(stream) if row["patient_id"] == PATIENTS[0]}
    findings = _findings(computed)
    assert [finding.code for finding in findings] == ["QC_ORGAN_UPTAKE"] * 2
    for finding, organ in some(zip(findings, ("liver", "spleen"), strict=True)):
        found = re.search(r"is ([\d.]+)", finding.message)
        assert found is not None
        # Blurring at the border takes a little from the truth of 8 mm voxels.
        assert float(found[1]) == pytest.approx(float(truth[organ]["suv"]), rel=0.25)


def test_the_ranges_hold_for_no_other_tracer(computed: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = replace(LIMITS[Tracer.GA68_SSTR], organ_suv_mean=(("liver", (0.0, 0.1)),))
    monkeypatch.setitem(LIMITS, Tracer.GA68_SSTR, limits)
    assert len(_findings(computed)) == 1
    assert _findings(computed, radionuclide="64Cu") == []
