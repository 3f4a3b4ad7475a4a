"""Rows of the tables of robustness: features of perturbed lesions, and their agreement over targets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from petct.radiomics.robustness import COMPUTED, Icc, agreement
from records.robustness import RobustnessRecord

Source = Literal["perturbation", "retest", "reader"]

# Perturbations are exchangeable draws; scan 2 and reader B are the same for every target.
FILTER_ICC: dict[Source, Literal["1,1", "2,1"]] = {"perturbation": "1,1", "retest": "2,1", "reader": "2,1"}
"""The form whose lower bound the filter acts on. ICC(3,1) is none of them: it ignores a systematic shift."""


@dataclass(frozen=True)
class Measurement:
    """One of the repeated measurements of one feature.

    Attributes
    ----------
    target
        What was measured: a lesion, or a patient's largest lesion.
    repetition
        Which of the measurements: a perturbation, the first or the second scan, a reader.
    """

    feature_set_id: str
    feature_name: str
    patient_id: str
    target: str
    repetition: str
    value: float | None


def robustness_records(
    measurements: Iterable[Measurement],
    source: Source,
    minimum_icc: float,
    features: Iterable[tuple[str, str]] = (),
) -> tuple[RobustnessRecord, ...]:
    """One row per feature set and feature, sorted.

    Targets without one of the measurements do not enter, and ``n_targets`` and ``n_patients`` say how many did.

    Parameters
    ----------
    features
        Feature sets and features that get a row even where nothing of them was measured twice.
    """
    by_feature: dict[tuple[str, str], list[Measurement]] = {feature: [] for feature in features}
    for measurement in measurements:
        by_feature.setdefault((measurement.feature_set_id, measurement.feature_name), []).append(measurement)
    return tuple(
        _record(feature_set_id, feature_name, of_feature, source, minimum_icc)
        for (feature_set_id, feature_name), of_feature in sorted(by_feature.items())
    )


def _record(
    feature_set_id: str, feature_name: str, measurements: list[Measurement], source: Source, minimum_icc: float
) -> RobustnessRecord:
    targets = {
        target: row for row, target in enumerate(sorted({(item.patient_id, item.target) for item in measurements}))
    }
    repetitions = {name: column for column, name in enumerate(sorted({item.repetition for item in measurements}))}
    # A feature that was measured once everywhere gets a second column without a value: no target is complete.
    ratings = np.full((len(targets), max(len(repetitions), 2)), np.nan)
    for item in measurements:
        if item.value is not None:
            ratings[targets[item.patient_id, item.target], repetitions[item.repetition]] = item.value
    complete = np.isfinite(ratings).all(axis=1)
    found = agreement(ratings)
    acting = found.icc_1_1 if FILTER_ICC[source] == "1,1" else found.icc_2_1
    return RobustnessRecord(
        feature_set_id,
        feature_name,
        source,
        found.status,
        len({patient_id for (patient_id, _), row in targets.items() if complete[row]}),
        found.n_targets,
        len(repetitions),
        *_numbers(found.icc_1_1),
        *_numbers(found.icc_2_1),
        *_numbers(found.icc_3_1),
        found.qcd,
        FILTER_ICC[source],
        minimum_icc,
        None if found.status != COMPUTED or acting is None else acting.lower >= minimum_icc,
    )


def _numbers(icc: Icc | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if icc is None else (icc.value, icc.lower, icc.upper)
