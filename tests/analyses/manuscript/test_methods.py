"""The methods paragraph says what was recorded and nothing else; checklists mark what only the authors know."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyses.lineage import Lineage, lineage_of
from analyses.manuscript.checklists import CHECKLISTS, checklist, checklist_markdown, filled
from analyses.manuscript.methods import methods_text
from analyses.naming import names_of
from analyses.requests.answer import Answer
from analyses.requests.known import answer
from analyses.requests.load import load
from orchestration.commands.asked import asked_for
from tests.some import some
from warehouse.queries.open_snapshot import open_snapshot

_FEATURES = "pet_original__largest"


def analysed(study: Path, words: str) -> tuple[Lineage, Answer, str]:
    asked = asked_for(words.split())
    lake = study / "lake"
    with open_snapshot(lake) as snapshot:
        found = answer(asked.request, load(snapshot, asked.request, asked.conditions))
        lineage = lineage_of(lake, snapshot, found.basis)
    return lineage, found, methods_text(lineage, found, names_of(found.basis.columns.values()))


def test_a_split_is_told_with_its_patients_images_test_standing_and_snapshot(study: Path) -> None:
    lineage, found, text = analysed(study, "km --endpoint OS --by tumour_volume_ml --where age>=60")
    result = found.result
    sizes = [f"n = {curve.n}" for curve in result.curves]
    for fact in (
        "The study Synthetic 68Ga-DOTATOC cohort has 44 patients.",
        f"Selected for this analysis: {found.basis.selection.sentence}.",
        f"The analysis includes {result.n} patients with {result.n_events} events.",
        "68Ga-DOTATOC PET/CT was converted to body-weight SUV",
        "Lesions were delineated by the protocol contours",
        "estimated by Kaplan-Meier with 95% log-log confidence intervals",
        "A patient censored at the time of an event counts as at risk of it.",
        "Patients were split by Tumour volume (median split at",
        *sizes,
        "compared by the two-sided log-rank test",
        "This analysis is exploratory",
        lineage.ledger.sentence,
        f"Snapshot {found.basis.snapshot_id}",
        "petlake km --endpoint OS --by tumour_volume_ml --where 'age>=60'",
        *(f"{name} {version}" for name, version in lineage.software),
    ):
        assert fact in text, fact
    assert "tumour_volume_ml: " not in text
    assert "Radiomic features" not in text


def test_only_the_declared_test_on_all_patients_is_primary(study: Path) -> None:
    *_, primary = analysed(study, "km --endpoint OS --by tumour_volume_ml")
    assert "is a primary hypothesis that was declared in study.yaml" in primary
    for words in (
        "km --endpoint OS --by tumour_volume_ml --split tertiles",
        "km --endpoint OS --by tumour_volume_ml --from-landmark 100",
        "km --endpoint PFS --by tumour_volume_ml",
        "cox --endpoint OS --covariates tumour_volume_ml --strata sex --permutations 0",
        "cox --endpoint OS --covariates tumour_volume_ml --scale-of tumour_volume_ml=as_is --permutations 0",
    ):
        assert "This analysis is exploratory" in analysed(study, words)[-1], words


def test_nothing_is_said_of_a_hypothesis_where_nothing_was_tested(study: Path) -> None:
    for words in ("km --endpoint OS", "pca"):
        assert "Nothing was tested." in analysed(study, words)[-1], words


def test_a_searched_cut_and_a_landmark_are_told(study: Path) -> None:
    _, found, text = analysed(study, "km --endpoint OS --by age --split optimal --permutations 99 --resamples 20")
    assert "its p-value corrected for the search by permutation (99 permutations" in text
    assert "two-sided log-rank test" not in text
    assert found.cut_point is not None
    assert "free of the event at 250 days" in analysed(study, "km --endpoint OS --from-landmark 250")[-1]


def test_a_model_is_told_with_scales_ties_missing_values_and_tests(study: Path) -> None:
    _, found, text = analysed(study, "cox --endpoint OS --covariates age,ki67 --permutations 99")
    term = found.result.terms[0]
    assert "(ties by Efron)" in text
    assert "complete cases" in text
    assert "permutation of the score test (99 permutations, seed 1)" in text
    assert f"hazard ratio {term.hazard_ratio:.2f} ({term.lower:.2f} to {term.upper:.2f})" in text
    assert "imputed 3 times" in analysed(study, "cox --endpoint OS --covariates age,ki67 --impute 3")[-1]
    assert (
        "corrected for optimism"
        in analysed(study, "cox --endpoint OS --covariates age --horizon 730 --permutations 0")[-1]
    )


def test_a_scan_is_told_with_its_feature_set_and_its_corrections(study: Path) -> None:
    *_, text = analysed(study, f"screen --endpoint OS --feature-set {_FEATURES} --permutations 99")
    for fact in (
        "Radiomic features of the PET (SUV) are those of the feature set pet_original",
        "id pet_original-1",
        "from lesions to patients by the rule largest",
        "11 of 11 features of the declared family",
        "99 permutations (seed 0)",
        "Benjamini-Hochberg",
        "Westfall and Young",
    ):
        assert fact in text, fact
    *_, of_components = analysed(study, f"pca --feature-set {_FEATURES}")
    assert "Nothing was tested." in of_components
    assert "Survival" not in of_components


def test_protocols_are_told_each_with_its_hazard_ratio(study: Path) -> None:
    _, found, text = analysed(study, "sensitivity --endpoint OS")
    assert found.hazards is not None
    assert "under the protocols contours and wide (all lesions)" in text
    assert "Each is a test of its own." in text
    for name, row in some(zip(("contours", "wide"), found.hazards.rows, strict=True)):
        assert f"{name}: hazard ratio {row.hazard_ratio:.2f} ({row.lower:.2f} to {row.upper:.2f})" in text


def test_competing_events_are_told(study: Path) -> None:
    *_, text = analysed(study, "km --endpoint PFS --by grade --competing --covariates age")
    assert "cumulative incidence of PFS in the presence of competing events" in text
    assert "Gray's test" in text
    assert "Fine-Gray" in text


@pytest.mark.parametrize(("name", "n"), [("metrics", 30), ("clear", 58)])
def test_a_checklist_has_all_its_items_and_knows_its_source(name: str, n: int) -> None:
    found = checklist(name)
    assert [item.number for item in found.items] == list(range(1, n + 1))
    assert "Kocak" in found.source
    assert "doi 10.1186/" in found.source


def test_every_item_says_where_its_entry_comes_from_or_that_it_is_for_the_authors(study: Path) -> None:
    lineage, found, _ = analysed(study, f"screen --endpoint OS --feature-set {_FEATURES} --permutations 99")
    for name in some(CHECKLISTS):
        entries = filled(name, lineage, found)
        assert len(entries) == len(checklist(name).items)
        for entry in some(entries):
            assert (entry.evidence == "") == (entry.status == "to be filled by the authors"), entry
        text = checklist_markdown(name, entries)
        assert text.count("\n| ") == len(entries) + 1
        assert "to be filled by the authors" in text


def test_a_checklist_never_fills_in_what_lineage_cannot_know(study: Path) -> None:
    lineage, found, _ = analysed(study, "km --endpoint OS --by tumour_volume_ml")
    clear = {entry.item.number: entry for entry in filled("clear", lineage, found)}
    for number in (1, 4, 8, 10, 20, 49, 50, 51, 52, 53):
        assert clear[number].status == "to be filled by the authors"
    assert clear[25].status == "not applicable"
    assert clear[41].evidence.startswith("petlake ")
    metrics = {entry.item.number: entry for entry in filled("metrics", lineage, found)}
    assert metrics[4].status == metrics[27].status == "to be filled by the authors"
