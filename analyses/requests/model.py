"""A model of covariates, whatever the model: which columns take part, and what a ratio of each refers to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from analyses.requests.covariates import covariate
from analyses.requests.data import AnalysisData
from analyses.requests.options import NAMES, Choice, Pairs, Shape, Whole, option
from analyses.requests.request import Request
from petct.errors import SurvivalError
from petct.survival.cohort.columns import Columns
from petct.survival.cohort.covariates import AtZero, Covariate, Scale
from petct.survival.cohort.outcome import Outcome

_SCALES = Pairs(
    "VARIABLE=SCALE",
    ("SCALE_INVALID", "The option names a variable and its scale"),
    Choice(
        refused=("SCALE_INVALID", "There is no such scale"),
        words=get_args(Scale),
        labels={
            "per_sd": "per SD",
            "per_doubling": "per doubling",
            "as_is": "per unit",
            "spline": "Restricted cubic spline, upper vs lower quartile",
        },
    ),
)
_REFERENCES = Pairs("VARIABLE=LEVEL", ("REFERENCE_INVALID", "The option names a variable and its reference level"))


@dataclass(frozen=True)
class ModelRequest(Request):
    """What the requests of all models have.

    Parameters
    ----------
    covariates
        Columns of the model.
    scale, scale_of
        What a ratio of a number refers to, and pairs of column and scale for those that differ.
    splines, knots
        Columns with a spline whatever their scale, and its knots.
    at_zero
        What stands for a value of 0 on the scale per doubling.
    categories, references
        Columns to take as categories though they are numbers; pairs of column and reference level.
    entry
        Column of the time at which a patient came under observation.

    Raises
    ------
    SurvivalError
        REFERENCE_INVALID, SCALE_INVALID, and what ``Request`` refuses.
    """

    covariates: tuple[str, ...] = option(
        "covariates", NAMES, "Fit the model with these variables, separated by commas.", required=True, columns=True
    )
    scale: Scale = option(
        "scale",
        Choice(words=get_args(Scale)),
        "Choose the scale of the ratios of numbers; spline means a restricted cubic spline.",
        default="per_sd",
        key="common_scale",
    )
    scale_of: tuple[tuple[str, Scale], ...] = option(
        "scale-of", _SCALES, "Choose another scale for the ratio of one variable.", default=(), label="Scale",
        key="scale",
        another="scales {}",
    )  # fmt: skip
    splines: tuple[str, ...] = option(
        "spline",
        NAMES,
        "Model these variables by a restricted cubic spline, separated by commas.",
        default=(),
        another="splines {} with {knots} knots",
    )
    knots: int = option("knots", Whole(least=3, most=5), "Use this many knots per spline, 3 to 5.", default=3)
    at_zero: AtZero = option(
        "at-zero",
        Choice(words=get_args(AtZero)),
        "With per_doubling: refuse a value of 0, or replace it by half the smallest positive value.",
        default="refuse",
    )
    categories: tuple[str, ...] = option(
        "categories",
        NAMES,
        "Treat these numeric variables as categories, separated by commas.",
        default=(),
        another="categories {}",
    )
    references: tuple[tuple[str, str], ...] = option(
        "reference", _REFERENCES, "Choose the reference level of a category.  [default: the most frequent]", default=(),
        another="references {}",
    )  # fmt: skip
    entry: str | None = option(
        "entry",
        Shape(),
        "Take this column as the time at which a patient came under observation (left truncation).",
        label="Under observation",
        columns=True,
        key="cox_entry",
        another="entry {}",
    )

    @property
    def modelled(self) -> tuple[str, ...]:
        """Columns whose effects are asked for."""
        return self.covariates

    def check(self) -> None:
        """Refuse scales and references of what is not in the model."""
        for code, what, keyword, named in (
            ("REFERENCE_INVALID", "A reference", "--reference", dict(self.references)),
            ("SCALE_INVALID", "A scale", "--scale-of", dict(self.scale_of)),
        ):
            unknown = set(named) - set(self.modelled)
            if unknown:
                raise SurvivalError(
                    code,
                    f"{what} belongs to no variable of the model",
                    keyword=keyword,
                    found=", ".join(sorted(unknown)),
                    expected=", ".join(self.modelled),
                )

    def outcome(self, data: AnalysisData) -> Outcome:
        """The outcome with its late entries, where it has some."""
        return data.outcome if self.entry is None else replace(data.outcome, entry=data.table.number(self.entry))

    def covariate(self, columns: Columns, name: str) -> Covariate:
        """A column as a covariate of the model."""
        return covariate(
            columns,
            name,
            scale="spline" if name in self.splines else dict(self.scale_of).get(name, self.scale),
            at_zero=self.at_zero,
            knots=self.knots,
            reference=dict(self.references).get(name),
            as_category=name in self.categories,
        )

    def model(self, columns: Columns) -> list[Covariate]:
        """The covariates of the model alone."""
        return [self.covariate(columns, name) for name in self.covariates]
