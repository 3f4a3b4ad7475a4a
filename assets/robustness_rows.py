"""From the repeated measurements of all patients to the table ``robustness``; without Dagster."""

import itertools
from collections.abc import Iterator, Sequence

from assets.settings import StudySettings
from assets.steps.table import ComputedTable, Settings
from petct.radiomics.definitions import definitions_of
from petct.radiomics.feature_sets import FeatureSet
from petct.radiomics.robustness_records import Measurement, robustness_records
from records.features import FeatureValue
from records.imaging import ScanRecord
from records.masks import LesionRecord
from records.robustness import PerturbedFeature, RobustnessRecord
from warehouse.storage.lake import Lake


def _settings(study: StudySettings) -> Settings:
    if study.robustness is None:
        return {}
    return {
        "retest_within_days": study.robustness.retest_within_days,
        "readers": study.robustness.readers,
        "minimum_icc": study.robustness.minimum_icc,
    }


ROBUSTNESS = ComputedTable("robustness", "1", _settings)


def write_robustness(settings: StudySettings) -> int | None:
    """Write the table ``robustness``; the number of its rows, or None for a study that does not ask for it."""
    lake = Lake(settings.lake)
    if settings.robustness is None:
        # What was computed under other settings would be mistaken for this study's.
        lake.remove(ROBUSTNESS.name, None)
        return None
    return lake.write(ROBUSTNESS.name, None, robustness_of(settings, lake)).n_rows


def robustness_of(settings: StudySettings, lake: Lake) -> list[RobustnessRecord]:
    """Agreement over perturbations, over two scans of a patient, and over protocols as readers, as the study asks."""
    asked = settings.robustness
    if asked is None:
        return []
    rows: list[RobustnessRecord] = []
    if asked.perturbation_sets:
        perturbed = {item.modality for item in asked.perturbation_sets}
        features = _features([item for item in settings.feature_sets if item.modality in perturbed])
        rows += robustness_records(_perturbations(settings, lake), "perturbation", asked.minimum_icc, features)
    features = _features(settings.feature_sets)
    if asked.retest_within_days is not None:
        pairs = _retests(settings, lake, asked.retest_within_days)
        rows += robustness_records(pairs, "retest", asked.minimum_icc, features)
    if asked.readers:
        rows += robustness_records(_readers(settings, lake), "reader", asked.minimum_icc, features)
    return rows


def _features(feature_sets: Sequence[FeatureSet]) -> list[tuple[str, str]]:
    """What is asked for has a row, if only to say that nothing was measured twice."""
    return [
        (item.feature_set_id, definition.feature_name) for item in feature_sets for definition in definitions_of(item)
    ]


def _perturbations(settings: StudySettings, lake: Lake) -> Iterator[Measurement]:
    """Targets are the lesions of every scan under the first protocol."""
    wanted = set(settings.feature_set_ids)
    for patient_id in lake.patients("perturbed_features"):
        for row in lake.read("perturbed_features", patient_id, PerturbedFeature):
            if row.feature_set_id in wanted:
                target = f"{row.scan_id} {row.lesion_id}"
                yield Measurement(row.feature_set_id, row.feature_name, patient_id, target, row.perturbation, row.value)


def _retests(settings: StudySettings, lake: Lake, within_days: int) -> Iterator[Measurement]:
    """Targets are patients with two scans at most ``within_days`` apart: the earliest such pair."""
    protocol_id = settings.protocols[0].protocol_id
    for patient_id in lake.patients("scans"):
        pair = _pair(lake.read("scans", patient_id, ScanRecord), within_days)
        if not pair:
            continue
        measured = _of_largest_lesions(settings, lake, patient_id)
        for repetition, scan_id in zip(("first", "second"), pair, strict=True):
            for row in measured.get((scan_id, protocol_id), ()):
                yield Measurement(row.feature_set_id, row.feature_name, patient_id, "retest", repetition, row.value)


def _pair(scans: Sequence[ScanRecord], within_days: int) -> tuple[str, str] | None:
    dated = sorted((scan.scan_date, scan.scan_id) for scan in scans if scan.scan_date is not None)
    for (first_date, first), (second_date, second) in itertools.pairwise(dated):
        if (second_date - first_date).days <= within_days:
            return first, second
    return None


def _readers(settings: StudySettings, lake: Lake) -> Iterator[Measurement]:
    """Targets are scans, and every protocol of the study is a reader."""
    for patient_id in lake.patients("scans"):
        for (scan_id, protocol_id), rows in _of_largest_lesions(settings, lake, patient_id).items():
            for row in rows:
                yield Measurement(row.feature_set_id, row.feature_name, patient_id, scan_id, protocol_id, row.value)


def _of_largest_lesions(
    settings: StudySettings, lake: Lake, patient_id: str
) -> dict[tuple[str, str], list[FeatureValue]]:
    """By scan and protocol, the features of the largest lesion in each feature set's modality.

    Lesions of two scans, or of two readers, share no names; the largest is the one that can be compared.
    """
    if not (lake.exists("lesions", patient_id) and lake.exists("radiomic_features", patient_id)):
        return {}
    protocols = set(settings.protocol_ids)
    modalities = {item.feature_set_id: item.modality for item in settings.feature_sets}
    largest: dict[tuple[str, str, str], str] = {}
    for lesion in sorted(
        lake.read("lesions", patient_id, LesionRecord), key=lambda row: (row.volume_ml, row.lesion_id)
    ):
        largest[lesion.scan_id, lesion.protocol_id, lesion.modality] = lesion.lesion_id
    found: dict[tuple[str, str], list[FeatureValue]] = {}
    for value in lake.read("radiomic_features", patient_id, FeatureValue):
        if value.protocol_id not in protocols or value.feature_set_id not in modalities:
            continue
        if value.lesion_id == largest.get((value.scan_id, value.protocol_id, modalities[value.feature_set_id])):
            found.setdefault((value.scan_id, value.protocol_id), []).append(value)
    return found
