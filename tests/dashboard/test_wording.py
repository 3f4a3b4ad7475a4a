"""Names, numbers and intervals as they stand on the pages."""

from __future__ import annotations

import pytest

from analyses.tables.table import p_cell
from dashboard import wording
from petct.survival.kaplan_meier.result import MedianTime
from warehouse.queries.analysis_columns import AnalysisColumn, FeatureFamily, Origin

MONTH = 365.25 / 12


def column(name: str, unit: str | None = None) -> AnalysisColumn:
    return AnalysisColumn(name, "cohort", name, "number", unit, "", Origin.UPTAKE)


def feature(name: str, rule: str) -> AnalysisColumn:
    family = FeatureFamily(f"pet__{rule}", "pet", "pet-1", None, rule)
    return AnalysisColumn(
        f"{family.name}:{name}", f"features__{family.name}", name, "number", None, "", Origin.FEATURE, family
    )


@pytest.mark.parametrize(
    ("name", "unit", "label"),
    [
        ("tumour_volume_ml", "ml", "Tumour volume (ml)"),
        ("total_lesion_expression_ml", "SUV ml", "Total lesion expression (SUV ml)"),
        ("liver_suv_max", "SUV", "Liver SUVmax"),
        ("suv_mean", "SUV", "SUVmean"),
        ("sul_peak", "SUL", "SULpeak"),
        ("suv_max_to_liver", None, "SUVmax to liver"),
        ("total_lesion_expression_sul_ml", "SUL ml", "Total lesion expression SUL (SUL ml)"),
        ("n_lesions", None, "Number of lesions"),
        ("lymph_node_n_lesions", None, "Lymph node number of lesions"),
        ("age_years", "year", "Age (year)"),
        ("ki67_percent", "%", "Ki67 (%)"),
        ("chromogranin_a_ng_ml", "ng/ml", "Chromogranin a (ng/ml)"),
        ("scan_injected_dose_bq", "Bq", "Scan injected dose (Bq)"),
        ("grade", None, "Grade"),
        ("ml", "ml", "Ml (ml)"),
    ],
)
def test_a_cohort_column_is_named_in_words_with_its_unit(name: str, unit: str | None, label: str) -> None:
    assert wording.labels([column(name, unit)]) == {name: label}


def test_a_feature_keeps_its_name_and_says_its_group_only_where_it_must() -> None:
    one = feature("original_glcm_Contrast", "largest")
    other = feature("original_glcm_Contrast", "volume_weighted_mean")

    assert wording.distinct_names([one]) == {one.name: "original_glcm_Contrast"}
    assert wording.distinct_names([one, other]) == {
        one.name: "original_glcm_Contrast (pet, largest)",
        other.name: "original_glcm_Contrast (pet, volume weighted mean)",
    }


@pytest.mark.parametrize(
    ("median", "text"),
    [
        (MedianTime(10 * MONTH, 8 * MONTH, 12.25 * MONTH), "10.0 (8.0 to 12.2)"),
        (MedianTime(10 * MONTH, 8 * MONTH, None), "10.0 (8.0 to not reached)"),
        (MedianTime(None, 8 * MONTH, None), "not reached (from 8.0)"),
        (MedianTime(None, None, None), "not reached"),
    ],
)
def test_a_median_says_what_the_curve_never_reached(median: float | None, text: str) -> None:
    assert wording.median_text(median, "month") == text


def test_small_p_values_are_not_zero() -> None:
    assert [p_cell(p) for p in (0.00001, 0.0312, 1.0)] == ["< 0.001", "0.031", "1.000"]


def test_a_long_list_is_shortened_and_counted() -> None:
    assert wording.shortened(["A", "B", "C"], 2) == "A, B and 1 more"
    assert wording.shortened(["A", "B"], 2) == "A, B"


def test_a_sentence_with_signs_of_markdown_is_shown_as_it_is() -> None:
    assert wording.literal_markdown("a * b < 3 `SELECT *`") == r"a \* b \< 3 `SELECT *`"
