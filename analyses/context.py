"""What a recipe means on one snapshot: its endpoint, columns and conditions, resolved once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from analyses.requests.recipe import Recipe
from petct.errors import SurvivalError
from warehouse.queries.analysis_columns import AnalysisColumn
from warehouse.queries.open_snapshot import Snapshot
from warehouse.queries.selection import Selection


@dataclass(frozen=True)
class Resolved:
    """A recipe that says all that a snapshot would have decided for it.

    Attributes
    ----------
    recipe
        With its endpoint and, for families of features, the feature set.
    snapshot_id
        The full id.
    selection
        The patients of the analysis, by the conditions that they meet.
    columns
        The analysis columns that take part, by name: those named, or all of the feature set.
    """

    recipe: Recipe
    snapshot_id: str
    selection: Selection
    columns: Mapping[str, AnalysisColumn]

    @property
    def conditions(self) -> tuple[str, ...]:
        """What patients have to meet, as ``--where`` takes it, in the one form that it has."""
        return self.selection.texts

    @property
    def command_line(self) -> str:
        """The command as it is typed."""
        return self.recipe.command_line(self.conditions)

    @property
    def endpoint(self) -> str | None:
        """The endpoint; None for an analysis that looks at no outcome."""
        return self.recipe.value("endpoint") if self.recipe.needs_outcome else None

    @property
    def features(self) -> tuple[str, ...]:
        """Numeric columns of the family of a ``pca`` or ``scan``."""
        adjusted = set(self.recipe.names("adjust-for")) if self.recipe.command == "scan" else set()
        return tuple(name for name, column in self.columns.items() if column.kind == "number" and name not in adjusted)


def resolve(recipe: Recipe, snapshot: Snapshot, conditions: tuple[str, ...] = ()) -> Resolved:
    """Resolve a recipe on a snapshot, by the rules of the commands.

    Raises
    ------
    SurvivalError
        ENDPOINT_NONE, ENDPOINT_AMBIGUOUS, FEATURES_UNKNOWN.
    WarehouseError
        COLUMN_UNKNOWN, and what ``warehouse.queries.selection.select`` raises.
    """
    if recipe.needs_outcome and not recipe.has("endpoint"):
        recipe = recipe.with_option("endpoint", default_endpoint(snapshot.endpoints()))
    if not recipe.needs_outcome and recipe.has("endpoint"):
        recipe = Recipe(recipe.command, tuple(option for option in recipe.options if option[0] != "endpoint"))
    known = {column.name: column for column in snapshot.analysis_columns()}
    names = list(recipe.columns)
    if recipe.command in ("pca", "scan") and not recipe.has("features"):
        recipe = recipe.with_option("feature-set", feature_table_of(known, recipe.value("feature-set")))
        names = [*(name for name in known if name.startswith(f"{recipe.value('feature-set')}:")), *names]
    snapshot.check_columns(names)
    return Resolved(recipe, snapshot.id, snapshot.selection(conditions), {name: known[name] for name in names})


def default_endpoint(endpoints: tuple[str, ...]) -> str:
    """Return the only endpoint, or OS among several; raises ``SurvivalError`` ENDPOINT_NONE, ENDPOINT_AMBIGUOUS."""
    if not endpoints:
        raise SurvivalError(
            "ENDPOINT_NONE",
            "The snapshot has no endpoint",
            hint="Declare `endpoints` in study.yaml, then materialize and publish again.",
        )
    if len(endpoints) == 1:
        return endpoints[0]
    if "OS" in endpoints:
        return "OS"
    raise SurvivalError(
        "ENDPOINT_AMBIGUOUS", "The study has several endpoints", keyword="--endpoint", expected=", ".join(endpoints)
    )


def feature_table_of(known: Mapping[str, AnalysisColumn], asked: str | None) -> str:
    """Return the feature set with its aggregation that was asked for, or the first one there is.

    Raises
    ------
    SurvivalError
        FEATURES_UNKNOWN.
    """
    tables = sorted({name.split(":")[0] for name in known if ":" in name})
    chosen = tables[0] if asked is None and tables else asked
    if chosen is None or chosen not in tables:
        near = difflib.get_close_matches(chosen or "", tables, n=1, cutoff=0.4)
        raise SurvivalError(
            "FEATURES_UNKNOWN",
            "The snapshot has no such wide feature table",
            keyword="--feature-set",
            found=chosen,
            expected=", ".join(tables) or "none: no features were computed",
            hint=f"Nearest: {near[0]}." if near else None,
        )
    return chosen
