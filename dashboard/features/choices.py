"""The choices of pages about features: which family, and which of its features are trusted. All live in the URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from analyses.requests.screen import ScreenRequest
from dashboard import data, widgets, wording
from dashboard.data import Source
from dashboard.features.analysis import families
from dashboard.filters import forget_unknown, remember
from warehouse.queries.analysis_columns import AnalysisColumn, FeatureFamily

FEATURE_KEY = "feature"
"""Key of the feature that was chosen on the page Features."""

_PAGES = ("scan", "pca")
_ALL = "all lesions"
_NO_COLOUR = "nothing"
_VOLUME = "tumour_volume_ml"


@dataclass(frozen=True)
class Trust:
    """Which features are shown: 0 and 1 let every feature through.

    Attributes
    ----------
    least_icc
        Smallest lower bound of the ICC; above 0, features without one are hidden.
    most_rho
        Largest absolute correlation with tumour volume; below 1, features without one are hidden.
    """

    least_icc: float = 0.0
    most_rho: float = 1.0


def choose_family(source: Source, key: str) -> FeatureFamily:
    """Offer feature set, organ and rule in three steps; there must be a family. ``key`` belongs to one page.

    The other pages about features begin with the choice.
    """
    known = families(source)
    places = st.columns(3)

    def choose(place: int, label: str, what: str, options: Iterable[str], meaning: str | None = None) -> str:
        names = list(dict.fromkeys(options))
        forget_unknown(f"{key}_{what}", names)
        return places[place].selectbox(
            label,
            names,
            format_func=lambda name: name if what == "feature_set" else name.replace("_", " "),
            key=f"{key}_{what}",
            bind="query-params",
            help=meaning,
        )

    feature_set = choose(0, "Feature set", "feature_set", (family.feature_set for family in known))
    of_set = [family for family in known if family.feature_set == feature_set]
    in_organs = "All lesions of a patient, or only those in an organ that study.yaml names under organ_aggregations."
    organ = choose(1, "Lesions", "organ", (_region(family) for family in of_set), in_organs)
    rules = [family.rule for family in of_set if _region(family) == organ]
    combined = "How the features of a patient's lesions become one value per patient."
    rule = choose(2, "Combine lesions by", "aggregation", rules, combined)
    for what, chosen in (("feature_set", feature_set), ("organ", organ), ("aggregation", rule)):
        remember([f"{page}_{what}" for page in _PAGES], f"{key}_{what}", chosen)
    return next(family for family in of_set if _region(family) == organ and family.rule == rule)


def _region(family: FeatureFamily) -> str:
    """The lesions of a family as they stand in a link."""
    return family.organ_slug or _ALL


def choose_adjustment(source: Source) -> tuple[str, ...]:
    """Offer covariates of a second version of the scan."""
    names = wording.labels([column for column in data.analysis_columns(source) if column.table == "cohort"])
    chosen: tuple[str, ...] = widgets.value(
        ScreenRequest,
        "adjust_for",
        among=names,
        placeholder="Nothing: choose tumour volume to see what a feature adds to it",
    )
    return chosen


def choose_trust(*, with_icc: bool) -> Trust:
    """Offer which features are shown; what is hidden still counts in every correction."""
    left, right = st.columns(2)
    least = left.slider(
        "ICC: lower bound at least",
        0.0,
        1.0,
        0.0,
        0.05,
        key="least_icc",
        bind="query-params",
        disabled=not with_icc,
        help="Lower bound of the 95 % interval, the smallest over all kinds of repeated measurements. Above 0, "
        "features whose ICC is not known are hidden too."
        if with_icc
        else "This study measured no robustness: declare `robustness` in study.yaml, materialize and publish again.",
    )
    most = right.slider(
        "Correlation with volume: at most",
        0.0,
        1.0,
        1.0,
        0.05,
        key="most_rho",
        bind="query-params",
        help="Absolute value of Spearman's correlation with tumour volume in the patients of the analysis.",
    )
    return Trust(float(least) if with_icc else 0.0, float(most))


def choose_feature(names: list[str], labels: dict[str, str]) -> str | None:
    """Offer the features that are shown, the strongest first; a click on the volcano plot chooses, too."""
    if st.session_state.get(FEATURE_KEY) not in names:
        st.session_state.pop(FEATURE_KEY, None)
    return st.selectbox(
        "Feature",
        names,
        index=None,
        placeholder="Click a point of the volcano plot, or choose",
        format_func=lambda name: labels.get(name, name),
        key=FEATURE_KEY,
        bind="query-params",
        help="The strongest first. Its Kaplan-Meier split is another test, and is counted.",
    )


def choose_colour(source: Source, family: FeatureFamily) -> AnalysisColumn | None:
    """Offer the columns of the cohort and the features of a family as colours of points, never the outcome."""
    columns = {column.name: column for column in data.analysis_columns(source) if column.family in (None, family)}
    names = wording.labels(tuple(columns.values()))
    options = [_NO_COLOUR, *columns]
    chosen = st.selectbox(
        "Colour by",
        options,
        index=options.index(_VOLUME) if _VOLUME in columns else 0,
        format_func=lambda name: names.get(name, name),
        key="colour",
        bind="query-params",
        help="The outcome is not offered: groups picked by it would differ in survival by construction.",
    )
    return columns.get(chosen)
