"""Cached computations of the page Features: families, their values and correlations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.data import Source, analysis_columns, endpoint, snapshot, values
from petct.survival.features.correlation import clustered_order, spearman, spearman_with
from warehouse.queries.analysis_columns import FeatureFamily
from warehouse.queries.feature_queries import FeatureReliability, feature_families, feature_reliability

CORRELATED = 30
"""Features in the heat map: as many as have room."""

_ENTRIES = 32
_VOLUME = "tumour_volume_ml"


@dataclass(frozen=True, eq=False)
class FamilyValues:
    """The features of a family in the patients who have an endpoint, in its order.

    Attributes
    ----------
    names, units
        Of the features; names as ``petlake screen`` has them.
    values
        Shape (n, p), NaN where there is none.
    volume_ml, volume_name
        Tumour volume, that of the family's organ where it has one, shape (n,); NaN where there is none.
    """

    patient_ids: tuple[str, ...]
    event: NDArray[np.int64]
    names: tuple[str, ...]
    units: dict[str, str | None]
    values: NDArray[np.float64]
    volume_ml: NDArray[np.float64]
    volume_name: str

    def feature(self, name: str) -> NDArray[np.float64]:
        """Values of one feature, shape (n,)."""
        return self.values[:, self.names.index(name)]


@dataclass(frozen=True, eq=False)
class Correlations:
    """Spearman's correlations of features in the patients who have all of them, similar features side by side."""

    n: int
    names: tuple[str, ...]
    rho: NDArray[np.float64]


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def families(source: Source) -> tuple[FeatureFamily, ...]:
    """Return the families of features that the snapshot holds."""
    return feature_families(snapshot(source))


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def reliability(source: Source, family: FeatureFamily) -> dict[str, FeatureReliability]:
    """Return what is known of the features of a family; empty without robustness."""
    known = feature_reliability(snapshot(source), family.feature_set_id)
    columns = [column for column in analysis_columns(source) if column.family == family and column.column in known]
    return {column.name: known[column.column] for column in columns}


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def family_values(source: Source, endpoint_name: str, family: FeatureFamily) -> FamilyValues:
    """Return the features of a family beside an endpoint; raises ``WarehouseError`` ENDPOINT_UNKNOWN."""
    times = endpoint(source, endpoint_name)
    columns = [column for column in analysis_columns(source) if column.family == family]
    known = {column.name for column in analysis_columns(source)}
    of_organ = f"{family.organ_slug}_{_VOLUME}"
    volume = of_organ if of_organ in known else _VOLUME
    names = [column.name for column in columns]
    table = values(source, (*names, *((volume,) if volume in known else ())))
    place = {patient: row for row, patient in enumerate(table.patient_ids)}
    rows = [place[patient] for patient in times.patient_ids]
    return FamilyValues(
        times.patient_ids,
        times.event,
        tuple(names),
        {column.name: column.unit for column in columns},
        np.column_stack([table.columns[name][rows] for name in names]),
        table.columns[volume][rows] if volume in known else np.full(len(rows), np.nan),
        volume,
    )


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def volume_correlations(source: Source, endpoint_name: str, family: FeatureFamily) -> dict[str, float]:
    """Return Spearman's correlation of each feature with tumour volume; features without one are left out."""
    found = family_values(source, endpoint_name, family)
    rho = spearman_with(found.values, found.volume_ml)
    return {name: float(value) for name, value in zip(found.names, rho, strict=True) if not np.isnan(value)}


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def correlations(source: Source, endpoint_name: str, family: FeatureFamily, names: tuple[str, ...]) -> Correlations:
    """Correlate some features of a family with each other."""
    found = family_values(source, endpoint_name, family)
    chosen = found.values[:, [found.names.index(name) for name in names]]
    complete = chosen[~np.isnan(chosen).any(axis=1)]
    if len(complete) < 3:
        return Correlations(len(complete), (), np.empty((0, 0)))
    rho = spearman(complete)
    order = clustered_order(rho)
    return Correlations(len(complete), tuple(names[j] for j in order), rho[np.ix_(order, order)])
