"""The analyses by their commands: from words, or JSON, to a request, and from a request to its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from analyses.requests.aft import AftRequest, answer_aft
from analyses.requests.answer import Answer
from analyses.requests.cox import CoxRequest
from analyses.requests.cox_answer import answer_cox
from analyses.requests.data import AnalysisData
from analyses.requests.kaplan_meier import KaplanMeierRequest, answer_kaplan_meier
from analyses.requests.options import options_of
from analyses.requests.pca import PcaRequest, answer_pca
from analyses.requests.request import FORMER_COMMANDS, Request, fields_of
from analyses.requests.screen import ScreenRequest, answer_screen
from analyses.requests.sensitivity import SensitivityRequest, answer_sensitivity
from petct.errors import SurvivalError

_ANSWERS: Mapping[type[Request], Callable[..., Answer]] = {
    KaplanMeierRequest: answer_kaplan_meier,
    CoxRequest: answer_cox,
    AftRequest: answer_aft,
    PcaRequest: answer_pca,
    ScreenRequest: answer_screen,
    SensitivityRequest: answer_sensitivity,
}
REQUESTS: Mapping[str, type[Request]] = {kind.command: kind for kind in _ANSWERS}
"""The class of the requests of each command."""


def answer(request: Request, data: AnalysisData, **reused: Any) -> Answer:
    """Answer a request: the one computation of page, command, script and bundle.

    Parameters
    ----------
    request
        What is asked.
    data
        What ``load`` read for it.
    reused
        Parts that were computed before, see ``answer_kaplan_meier``.

    Raises
    ------
    SurvivalError, FeatureError, MaskError
        What the analysis refuses.
    """
    decided = {"endpoint": data.basis.endpoint} if data.basis.snapshot_id else {}
    if data.basis.feature_set is not None:
        decided["feature_set"] = data.basis.feature_set
    return _ANSWERS[type(request)](request.completed(**decided), data, **reused)


def kind_of(command: str) -> type[Request]:
    """The class of the requests of a command; raises ``SurvivalError`` RECIPE_COMMAND_UNKNOWN."""
    kind = REQUESTS.get(FORMER_COMMANDS.get(command, command))
    if kind is None:
        raise SurvivalError(
            "RECIPE_COMMAND_UNKNOWN",
            "An analysis begins with its command",
            found=command or "nothing",
            expected=", ".join(REQUESTS),
            hint="For example: km --by tumour_volume_ml.",
        )
    return kind


def request_of(command: str, pairs: Iterable[tuple[str, str]]) -> Request:
    """The request of a command with its written options, see ``Request.pairs``.

    Raises
    ------
    SurvivalError
        RECIPE_COMMAND_UNKNOWN, RECIPE_OPTION_UNKNOWN, RECIPE_OPTION_REPEATED, and what ``Request`` refuses.
    """
    kind = kind_of(command)
    return kind(**fields_of(kind, pairs))


def parse(words: Sequence[str]) -> Request:
    """The request that ``Request.words`` wrote; raises as ``request_of``."""
    command, *rest = words or ("",)
    flags = {each.name for each in options_of(kind_of(command)) if not each.shape.metavar}
    pairs = []
    left = iter(rest)
    for word in left:
        name, equals, text = word.removeprefix("--").partition("=")
        if not equals and name not in flags:
            text = next(left, "")
            if not text:
                raise SurvivalError("OPTION_INVALID", "An option has no value", keyword=f"--{name}", found="nothing")
        pairs.append((name, text))
    return request_of(command, pairs)


def request_of_json(content: Mapping[str, Any]) -> Request:
    """The request that ``Request.as_json`` gave, after its way through JSON; raises as ``request_of``."""
    kind = kind_of(str(content.get("command", "")))
    known = {each.field for each in options_of(kind)}
    unknown = [name for name in content if name not in known and name != "command"]
    if unknown:
        raise SurvivalError(
            "RECIPE_OPTION_UNKNOWN", "The analysis has no such field", keyword=", ".join(unknown),
            expected=", ".join(known),
        )  # fmt: skip
    return kind(**{name: value for name, value in content.items() if name != "command"})
