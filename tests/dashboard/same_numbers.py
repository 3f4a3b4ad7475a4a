"""Comparing what a page computes with what the command line says of the same study."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click
from click.testing import CliRunner

from analyses.requests.cox import CoxRequest
from analyses.requests.kaplan_meier import KaplanMeierRequest
from dashboard import data
from dashboard.answers import answered
from dashboard.data import Source
from dashboard.survival import analysis as analysis_survival
from orchestration.commands.cox import cox
from orchestration.commands.km import km
from petct.survival.cohort.results import JsonValue
from warehouse.snapshots.catalog import current_id


def said_by(command: click.Command, study: Path, *options: str) -> dict[str, JsonValue]:
    arguments = [*options, "--json", "--study", str(study)]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    return json.loads(done.output)  # type: ignore[no-any-return]


def same(found: JsonValue, said: JsonValue, where: str = "") -> int:
    """Assert that all numbers are equal, to the last digit; names differ. How many numbers there were."""
    if isinstance(found, dict):
        assert isinstance(said, dict), where
        return sum(same(value, said[name], f"{where}.{name}") for name, value in found.items())
    if isinstance(found, list):
        assert isinstance(said, list), where
        assert len(found) == len(said), where
        return sum(same(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(found, said, strict=True)))
    if isinstance(found, str):
        assert isinstance(said, str), where
        return 0
    assert found == said, where
    return 1


def source_of(study: Path) -> Source:
    return Source(str(study / "lake"), current_id(study / "lake"))


def curves_agree(study: Path, request: KaplanMeierRequest, options: str, endpoint: str = "OS") -> int:
    """Assert that the page Survival has the numbers of ``petlake km`` with these options; how many they are."""
    said = said_by(km, study, "--endpoint", endpoint, *options.split())
    return same(analysis_survival.survival(source_of(study), replace(request, endpoint=endpoint)).numbers(), said)


def models_agree(study: Path, request: CoxRequest, options: str, endpoint: str = "OS") -> int:
    """Assert that the page Cox has the numbers of ``petlake cox`` with these options; how many they are."""
    said = said_by(cox, study, "--endpoint", endpoint, *options.split())
    return same(answered(source_of(study), replace(request, endpoint=endpoint)).numbers(), said)


def first_views_agree(study: Path) -> int:
    """Assert it of the first views of both pages, and of the search for a cut, in any study with tumour volumes."""
    volume, n = "tumour_volume_ml", 0
    for endpoint in data.endpoints(source_of(study)):
        n += curves_agree(study, KaplanMeierRequest(volume), f"--by {volume}", endpoint)
        n += curves_agree(study, KaplanMeierRequest(volume, "optimal"), f"--by {volume} --split optimal", endpoint)
        n += models_agree(study, CoxRequest((volume,)), f"--covariates {volume}", endpoint)
    return n
