"""No number of the golden study moves unless a version says so, and no version is raised for nothing."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from tests.golden.__main__ import rewrite
from tests.golden.comparison import moves, problems
from tests.golden.record import NOT_RECORDED, RECORD, Cell, Record, dumps, loads, record_of
from tests.golden.study import golden_study
from tests.golden.versions import COMPANIONS, SNAPSHOT, code_versions, upstream
from warehouse.registry.tables import TABLES

GOLDEN = loads(RECORD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return record_of(golden_study(tmp_path_factory.mktemp("golden") / "study").lake)


@pytest.fixture
def changed() -> Record:
    """The golden record, to be changed by a test."""
    return deepcopy(GOLDEN)


def test_what_moved_has_another_version_and_what_has_another_version_moved(now: Record) -> None:
    wrong = problems(GOLDEN, now)
    assert not wrong, "\n".join(wrong)


def test_the_record_is_as_new_as_the_code(now: Record) -> None:
    assert {code: made.version for code, made in GOLDEN.items()} == code_versions(), "make golden"
    found = moves(GOLDEN, now)
    assert not found, f"make golden: {len(found)} values moved, first {found[0]}"


def test_every_version_stands_for_numbers_and_every_table_is_recorded() -> None:
    recorded = {table for made in GOLDEN.values() for table in made.tables}
    assert len(recorded) > 25
    # Nothing is overridden, adapted or read twice in this study.
    assert set(TABLES) - recorded - NOT_RECORDED == {"suv_adaptations", "reader_agreement"}
    assert set(COMPANIONS) | NOT_RECORDED <= set(TABLES)
    for code, made in GOLDEN.items():
        first_number(made.tables, code)


def first_number(tables: dict, code: str) -> tuple[dict[str, Cell], str]:
    for table in tables.values():
        for row in table.rows.values():
            for column, cell in row.items():
                if isinstance(cell, int | float) and not isinstance(cell, bool) and cell:
                    return row, column
    pytest.fail(f"no number of {code} is recorded")


@pytest.mark.parametrize("code", sorted(GOLDEN))
def test_a_value_that_moves_is_found_and_rounding_is_not(changed: Record, code: str) -> None:
    row, column = first_number(changed[code].tables, code)
    value = row[column]
    assert isinstance(value, int | float)
    row[column] = value * (1 + 1e-10)
    assert not moves(GOLDEN, changed)

    row[column] = value * (1 + 2e-9)
    (move,) = moves(GOLDEN, changed)
    assert (move.code, move.column, move.old, move.new) == (code, column, value, row[column])
    (wrong,) = problems(GOLDEN, changed)
    assert wrong.startswith(f"{code}: 1 values moved")
    assert f"{move.table}.{column}" in wrong

    changed[code].version += "-raised"
    assert not problems(GOLDEN, changed)


@pytest.mark.parametrize("code", sorted(GOLDEN))
def test_a_version_that_is_raised_for_nothing_is_found(changed: Record, code: str) -> None:
    changed[code].version += "-raised"
    (wrong,) = problems(GOLDEN, changed)
    assert wrong.startswith(f"{code}: the version was raised to {changed[code].version}, and nothing moved")
    changed[code].elsewhere = "images of another vendor"
    assert not problems(GOLDEN, changed)


def test_what_is_made_from_numbers_that_moved_needs_no_version_of_its_own(changed: Record) -> None:
    assert {"series", "scans", "suv", "lesions"} == upstream("pet_metrics")
    for code in ("suv", "pet_metrics"):
        row, column = first_number(changed[code].tables, code)
        row[column] = 12345.0
    assert len(problems(GOLDEN, changed)) == 2
    changed["pet_metrics"].version += "-raised"
    assert [wrong.partition(":")[0] for wrong in problems(GOLDEN, changed)] == ["suv"]
    changed["pet_metrics"].version = GOLDEN["pet_metrics"].version
    changed["suv"].version += "-raised"
    assert not problems(GOLDEN, changed)


@pytest.mark.parametrize("how", ["a row less", "a row more", "a reason for a value", "a column more", "a table less"])
def test_what_comes_and_goes_has_moved(changed: Record, how: str) -> None:
    tables = changed["pet_metrics"].tables
    rows = tables["pet_metrics"].rows
    key, row = next(iter(rows.items()))
    if how == "a row less":
        del rows[key]
    elif how == "a row more":
        rows[f"{key} / again"] = row
    elif how == "a reason for a value":
        row["uptake_status"] = "NOT_APPLICABLE"
    elif how == "a column more":
        row["suv_mode"] = 1.0
    else:
        del tables["pet_metrics"]
    (wrong,) = problems(GOLDEN, changed)
    assert wrong.startswith("pet_metrics: ")


def test_a_row_that_is_not_recorded_is_seen_in_the_sum_of_its_column(changed: Record) -> None:
    sums = changed["perturbed_features"].tables["perturbed_features"].sums
    n, total = sums["original_firstorder_Mean"]
    assert n > len(changed["perturbed_features"].tables["perturbed_features"].rows)
    # One of n values moves by a millionth.
    sums["original_firstorder_Mean"] = [n, total + 1e-6]
    assert len(problems(GOLDEN, changed)) == 1


def test_writing_it_again_prints_what_moved_and_refuses_what_no_version_says(
    changed: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "demo.json"
    row, column = first_number(changed["pet_metrics"].tables, "pet_metrics")
    old = row[column]
    row[column] = 12345.5
    assert rewrite(GOLDEN, changed, "", path) == 1
    assert not path.exists()
    said = capsys.readouterr()
    assert "its code version was not raised" in said.err

    changed["pet_metrics"].version = "99"
    changed[SNAPSHOT].version = "99.1"
    assert rewrite(GOLDEN, changed, f"{SNAPSHOT}: cohorts of a hundred", path) == 0
    said = capsys.readouterr()
    assert f"- `pet_metrics`: `{column}` of NET-001" in said.out
    assert f"{old} -> 12345.5" in said.out
    assert "`code_version` of `pet_metrics` is 99." in said.out
    written = loads(path.read_text(encoding="utf-8"))
    assert written == changed
    assert written[SNAPSHOT].elsewhere == "cohorts of a hundred"
    # The reason stays as long as its version does.
    again = deepcopy(changed)
    again[SNAPSHOT].elsewhere = None
    assert rewrite(written, again, "", path) == 0
    assert loads(path.read_text(encoding="utf-8")) == written


def test_the_record_is_small_text_that_comes_back_as_it_was() -> None:
    text = RECORD.read_text(encoding="utf-8")
    assert dumps(GOLDEN) == text
    assert len(text.encode()) < 300_000
