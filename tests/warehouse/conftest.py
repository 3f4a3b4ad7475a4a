"""A small study, written once and copied for each test that changes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.warehouse.study_rows import write_study
from warehouse.lake import Lake


@pytest.fixture(scope="session")
def written_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("written") / "lake"
    write_study(Lake(root))
    return root


@pytest.fixture
def study(written_study: Path, tmp_path: Path) -> Lake:
    """Return the lake of ``write_study``, for this test alone."""
    return Lake(shutil.copytree(written_study, tmp_path / "study" / "lake"))
