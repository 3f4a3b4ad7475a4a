"""Organs of the synthetic patients: plausible as they are, and findings when the tracer would give them less."""

from __future__ import annotations

import csv
import re
from dataclasses import replace

import pytest

from assets.patient_data import PatientData
from assets.plausibility_steps import organ_findings
from petct.dicom.index import Finding
from petct.plausibility import LIMITS, Tracer
from petct.suv import SuvRecord
from tests.assets.conftest import PATIENTS, Study
from warehouse.lake import Lake


def _data(study: Study, patient: str) -> tuple[PatientData, SuvRecord]:
    data = PatientData(patient, study.settings, Lake(study.settings.lake))
    (suv,) = data.rows("suv", SuvRecord)
    return data, suv


def test_synthetic_patients_are_plausible(computed: Study) -> None:
    lake = Lake(computed.settings.lake)
    for patient in PATIENTS:
        codes = {finding.code for finding in lake.read("qc_events", patient, Finding)}
        assert not {code for code in codes if code.startswith(("QC_", "INDEX_", "SUV_"))}
        assert organ_findings(*_data(computed, patient)) == []


def test_an_organ_beyond_its_range_is_a_finding(computed: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = replace(LIMITS[Tracer.GA68_SSTR], organ_suv_mean=(("liver", (0.0, 0.1)), ("spleen", (0.0, 0.1))))
    monkeypatch.setitem(LIMITS, Tracer.GA68_SSTR, limits)
    with (computed.folder / "truth" / "organs.csv").open(encoding="utf-8") as stream:
        truth = {row["organ"]: row for row in csv.DictReader(stream) if row["patient_id"] == PATIENTS[0]}
    findings = organ_findings(*_data(computed, PATIENTS[0]))
    assert [finding.code for finding in findings] == ["QC_ORGAN_UPTAKE"] * 2
    for finding, organ in zip(findings, ("liver", "spleen"), strict=True):
        found = re.search(r"is ([\d.]+)", finding.message)
        assert found is not None
        # Blurring at the border takes a little from the truth of 8 mm voxels.
        assert float(found[1]) == pytest.approx(float(truth[organ]["suv"]), rel=0.25)


def test_the_ranges_hold_for_no_other_tracer(computed: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    data, suv = _data(computed, PATIENTS[0])
    other = replace(suv, radionuclide="64Cu")
    limits = replace(LIMITS[Tracer.GA68_SSTR], organ_suv_mean=(("liver", (0.0, 0.1)),))
    monkeypatch.setitem(LIMITS, Tracer.GA68_SSTR, limits)
    assert organ_findings(data, other) == []
