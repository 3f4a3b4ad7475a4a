"""An analysis in the words of the command line: what a page, a command, a script and an export have in common."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analyses.requests.cox import CoxRequest
from analyses.requests.kaplan_meier import KaplanMeierRequest
from petct.errors import SurvivalError

COMMANDS = ("km", "cox", "pca", "scan", "sensitivity")

# The options that make an analysis what it is, in the order in which they are written, each with its default; a flag
# has none, and None says that the analysis decides. How a result is printed is no part of it.
_FLAG = ""
_OPTIONS: Mapping[str, Mapping[str, str | None]] = {
    "km": {
        "endpoint": None,
        "by": None,
        "split": "median",
        "order": None,
        "landmarks": None,
        "tau": None,
        "weights": None,
        "trend": _FLAG,
        "pairwise": _FLAG,
        "correction": "holm",
        "entry": None,
        "from-landmark": None,
        "competing": _FLAG,
        "covariates": None,
        "permutations": None,
        "resamples": None,
        "seed": None,
    },
    "cox": {
        "endpoint": None,
        "covariates": None,
        "scale": "per_sd",
        "scale-of": None,
        "spline": None,
        "knots": "3",
        "at-zero": "refuse",
        "categories": None,
        "reference": None,
        "strata": None,
        "cluster": None,
        "robust": _FLAG,
        "entry": None,
        "therapy-start": None,
        "penalty": "none",
        "ridge-strength": None,
        "univariable": _FLAG,
        "added": None,
        "subgroups": None,
        "impute": None,
        "permutations": None,
        "seed": None,
        "transform": "km",
        "horizon": None,
        "resamples": None,
    },
    "pca": {"endpoint": None, "features": None, "feature-set": None, "cox": None},
    "scan": {
        "endpoint": None,
        "features": None,
        "feature-set": None,
        "adjust-for": None,
        "stability": _FLAG,
        "permutations": None,
        "seed": None,
    },
    "sensitivity": {"endpoint": None, "organ": None},
}
_REPEATED = {"reference", "scale-of"}


@dataclass(frozen=True)
class Recipe:
    """An analysis of a snapshot.

    Parameters
    ----------
    command
        One of ``COMMANDS``.
    options
        Options without dashes and their values as text; a flag has the value ``""``. Constructed recipes are in one
        order and leave out what is the default anyway, so that equal analyses are equal recipes.

    Raises
    ------
    SurvivalError
        RECIPE_COMMAND_UNKNOWN, RECIPE_OPTION_UNKNOWN, RECIPE_OPTION_REPEATED.
    """

    command: str
    options: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Check the options, and bring them into their order."""
        if self.command not in COMMANDS:
            raise SurvivalError(
                "RECIPE_COMMAND_UNKNOWN",
                "This command makes no analysis that can be taken away",
                found=self.command,
                expected=", ".join(COMMANDS),
            )
        known = _OPTIONS[self.command]
        given: dict[str, list[str]] = {}
        for name, value in self.options:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                raise SurvivalError(
                    "RECIPE_OPTION_UNKNOWN",
                    f"petlake {self.command} has no such option that belongs to an analysis",
                    keyword=f"--{name}",
                    expected=", ".join(f"--{option}" for option in known),
                    hint=f"Nearest: --{near[0]}." if near else None,
                )
            given.setdefault(name, []).append(value)
        twice = [name for name, values in given.items() if len(values) > 1 and name not in _REPEATED]
        if twice:
            raise SurvivalError(
                "RECIPE_OPTION_REPEATED", "An option is given twice", keyword=", ".join(f"--{name}" for name in twice)
            )
        ordered = [
            (name, value)
            for name in known
            for value in given.get(name, ())
            if known[name] == _FLAG or (value != known[name] and value != "")
        ]
        object.__setattr__(self, "options", tuple(ordered))

    @classmethod
    def of(cls, command: str, **options: object) -> Recipe:
        """A recipe of keywords: ``Recipe.of("km", by="grade", trend=True, from_landmark=90)``.

        None and False leave an option out, True sets a flag, a list repeats the option or joins names by commas.
        """
        pairs: list[tuple[str, str]] = []
        for keyword, value in options.items():
            name = keyword.replace("_", "-")
            if value is None or value is False:
                continue
            if value is True:
                pairs.append((name, ""))
            elif isinstance(value, list | tuple):
                pairs += [(name, str(each)) for each in value] if name in _REPEATED else [(name, ",".join(value))]
            else:
                pairs.append((name, number_of(value) if isinstance(value, float) else str(value)))
        return cls(command, tuple(pairs))

    def value(self, name: str) -> str | None:
        """The value of an option, or its default; None where the analysis decides."""
        found = dict(self.options).get(name)
        return found if found is not None else _OPTIONS[self.command][name] or None

    def values(self, name: str) -> tuple[str, ...]:
        """All values of an option that may be repeated."""
        return tuple(value for option, value in self.options if option == name)

    def has(self, name: str) -> bool:
        """Whether an option is given."""
        return any(option == name for option, _ in self.options)

    def names(self, name: str) -> tuple[str, ...]:
        """Names separated by commas in the value of an option."""
        return tuple(part.strip() for part in (self.value(name) or "").split(",") if part.strip())

    def with_option(self, name: str, value: str) -> Recipe:
        """The recipe with another value of an option."""
        others = tuple(option for option in self.options if option[0] != name)
        return Recipe(self.command, (*others, (name, value)))

    @property
    def columns(self) -> tuple[str, ...]:
        """Analysis columns that the recipe names, each once."""
        found: Iterable[str] = ()
        if self.command == "km":
            found = (*self.names("by"), *self.names("entry"), *self.names("covariates"))
        elif self.command == "cox":
            lists = ("covariates", "added", "therapy-start", "strata", "subgroups", "cluster", "entry")
            found = (name for option in lists for name in self.names(option))
        elif self.command in ("pca", "scan"):
            found = (*self.names("features"), *(self.names("adjust-for") if self.command == "scan" else ()))
        return tuple(dict.fromkeys(found))

    @property
    def needs_outcome(self) -> bool:
        """Whether the analysis looks at survival."""
        return self.command != "pca" or self.has("cox")

    def arguments(self, conditions: Iterable[str] = ()) -> tuple[str, ...]:
        """The words of the command, with the conditions of its patients."""
        words = [self.command]
        for name, value in self.options:
            words += [f"--{name}"] if _OPTIONS[self.command][name] == _FLAG else [f"--{name}", value]
        for condition in conditions:
            words += ["--where", condition]
        return tuple(words)

    def command_line(self, conditions: Iterable[str] = ()) -> str:
        """The command as it is typed."""
        return f"petlake {shlex.join(self.arguments(conditions))}"


def recipe_of_km(
    request: KaplanMeierRequest, endpoint: str, *, competing: bool = False, covariates: Sequence[str] = ()
) -> Recipe:
    """The recipe of a request of the page Survival; with ``competing``, of its cumulative incidence."""
    default = KaplanMeierRequest()
    of_curve = {
        "tau": request.tau,
        "weights": list(request.weights),
        "trend": request.trend,
        "pairwise": request.pairwise,
        "correction": request.correction,
        "entry": request.entry,
        "from_landmark": request.from_landmark,
    }
    of_search = {
        name: getattr(request, name)
        for name in ("permutations", "resamples", "seed")
        if request.split == "optimal" and getattr(request, name) != getattr(default, name)
    }
    return Recipe.of(
        "km",
        endpoint=endpoint,
        by=request.variable,
        split=request.split if request.variable else None,
        order=list(request.order),
        landmarks=[number_of(time) for time in request.landmarks],
        competing=competing,
        covariates=list(covariates) if competing else None,
        **({} if competing else of_curve),
        **of_search,
    )


def recipe_of_cox(request: CoxRequest, endpoint: str, *, horizon: float | None = None) -> Recipe:
    """The recipe of a request of the page Cox; with ``horizon``, of its calibration."""
    default = CoxRequest(request.covariates)
    return Recipe.of(
        "cox",
        endpoint=endpoint,
        covariates=list(request.covariates),
        scale=request.scale,
        scale_of=[f"{name}={scale}" for name, scale in request.scale_of],
        spline=list(request.splines),
        knots=request.knots,
        at_zero=request.at_zero,
        categories=list(request.categories),
        reference=[f"{name}={level}" for name, level in request.references],
        strata=list(request.strata),
        cluster=request.cluster,
        robust=request.robust,
        entry=request.entry,
        therapy_start=request.therapy_start,
        penalty=request.penalty,
        ridge_strength=request.ridge_strength,
        univariable=request.univariable,
        added=list(request.added),
        subgroups=list(request.subgroups),
        impute=request.impute,
        permutations=request.permutations,
        seed=None if request.seed == default.seed else request.seed,
        transform=request.transform,
        horizon=horizon,
    )


def number_of(value: float) -> str:
    """Return the shortest text that reads as the same number: ``90``, ``1095.75``."""
    text = f"{value:g}"
    return text if float(text) == value else repr(value)
