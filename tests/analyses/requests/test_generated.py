"""Any request comes back equal from its words, from its JSON, and from the options of its command."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyses.requests.known import REQUESTS, parse, request_of, request_of_json
from analyses.requests.request import Request
from orchestration.commands.options import request_of_options, request_options
from tests.analyses.requests.generated import requests

COMMANDS = sorted(REQUESTS)
_SETTINGS = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def by_click(kind: type[Request], words: Sequence[str]) -> Request:
    @click.command()
    @request_options(kind)
    def command(request: Request) -> None:
        raise AssertionError(f"only its options are read, not {request}")

    return request_of_options(kind, command.make_context(kind.command, list(words)).params)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_request_comes_back_equal(command: str) -> None:
    kind, seen = REQUESTS[command], set()

    @_SETTINGS
    @given(requests(kind))
    def comes_back(request: Request) -> None:
        seen.add(request)
        assert parse(request.words()) == request
        assert request_of(command, request.pairs) == request
        assert request_of_json(json.loads(json.dumps(request.as_json()))) == request
        assert by_click(kind, request.words()[1:]) == request

    comes_back()
    assert len(seen) >= 100


@_SETTINGS
@given(st.text(max_size=20))
def test_a_split_is_refused_by_every_way_in_or_by_none(split: str) -> None:
    kind, accepted = REQUESTS["km"], set()
    for way in (
        lambda: kind(variable="x", split=split),  # type: ignore[call-arg]
        lambda: request_of_json({"command": "km", "variable": "x", "split": split}),
        lambda: request_of("km", [("by", "x"), ("split", split)]),
        lambda: by_click(kind, ["--by", "x", f"--split={split}"]),
    ):
        try:
            accepted.add(way())
        except Exception as refusal:
            accepted.add(getattr(refusal, "code", refusal))
    # Said with no text at all, an option is not given.
    assert len(accepted) == 1 or not split
