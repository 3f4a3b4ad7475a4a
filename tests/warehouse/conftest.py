"""A small study, written once and copied for each test that changes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.warehouse.study_rows import SETTINGS, write_study
from warehouse.queries.open_snapshot import Snapshot, open_snapshot
from warehouse.snapshots.publish import publish
from warehouse.storage.lake import Lake


@pytest.fixture(scope="session")
def written_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("written") / "lake"
    write_study(Lake(root))
    return root


@pytest.fixture
def study(written_study: Path, tmp_path: Path) -> Lake:
    """Return the lake of ``write_study``, for this test alone."""
    return Lake(shutil.copytree(written_study, tmp_path / "study" / "lake"))


@pytest.fixture(scope="module")
def lake_root(written_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a lake with one published snapshot; nobody may change it."""
    root = Path(shutil.copytree(written_study, tmp_path_factory.mktemp("published") / "lake"))
    publish(Lake(root), SETTINGS)
    return root


@pytest.fixture
def snapshot(lake_root: Path) -> Iterator[Snapshot]:
    with open_snapshot(lake_root) as opened:
        yield opened
