"""The numbers of the pages are those of the command line, also on the demo cohort and on the sarcoma patients."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.dashboard.same_numbers import first_views_agree


def snapshots_of(study: Path, copy: Path) -> Path:
    """A copy without images: what is asked of it is entered into its ledger."""
    shutil.copyfile(study / "study.yaml", copy / "study.yaml")
    shutil.copytree(study / "lake" / "snapshots", copy / "lake" / "snapshots")
    return copy


def test_the_demo_cohort(demo: Path, tmp_path: Path) -> None:
    assert first_views_agree(snapshots_of(demo, tmp_path)) > 200


def test_the_sarcoma_patients(sts: Path, tmp_path: Path) -> None:
    assert first_views_agree(snapshots_of(sts, tmp_path)) > 200
