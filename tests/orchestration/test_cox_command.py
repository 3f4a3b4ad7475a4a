"""``petlake cox`` on a CSV: every analysis it has, in words and as JSON, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from orchestration.commands.cox import cox
from petct.errors import SurvivalError
from tests.some import some


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """130 patients: volume doubles the hazard with every e-fold, age is noise, uptake has gaps."""
    rng = np.random.default_rng(3)
    n = 130
    volume, age = np.exp(rng.normal(size=n)), rng.normal(65, 8, n)
    survival, censoring = 1400 * rng.exponential(size=n) / volume ** np.log(2), 1400 * rng.uniform(0.3, 1.5, n)
    time = np.ceil(np.minimum(survival, censoring))
    columns = {
        "time": time,
        "status": (survival <= censoring).astype(int),
        "volume": volume.round(3),
        "age": age.round(1),
        "uptake": [f"{value:.2f}" if rng.random() > 0.15 else "" for value in volume],
        "grade": rng.choice(["G1", "G2", "G3"], n),
        "sex": rng.choice(["f", "m"], n),
        "centre": rng.integers(1, 26, n),
        "second_line": [f"{start:.0f}" if rng.random() < 0.4 else "" for start in 700 * rng.exponential(size=n)],
        "late": np.floor(0.5 * time * rng.random(n)),
    }
    path = tmp_path_factory.mktemp("trial") / "trial.csv"
    rows = [",".join(str(value) for value in row) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join([",".join(columns), *rows]), encoding="utf-8")
    return path


def _run(trial: Path, options: str, *more: str) -> str:
    """In this process: what is printed; refusals are raised as the program's entry point gets them."""
    arguments = ["--csv", str(trial), "--duration", "time", "--event", "status", *options.split(), *more]
    return CliRunner().invoke(cox, arguments, catch_exceptions=False, standalone_mode=False).output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            "--covariates volume,grade --reference grade=G2 --permutations 99",
            ["G1 vs G2", "grade, association", "99 perm"],
        ),
        ("--covariates volume --scale spline --permutations 99", ["upper vs lower quartile", "volume, non-linearity"]),
        ("--covariates volume,age --spline volume --knots 4 --permutations 99", ["spline with knots", "age"]),
        (
            "--covariates centre --categories centre --penalty ridge",
            ["ridge of", "No p-value", "All covariates: p withheld: a ridge shrinks coefficients on purpose"],
        ),
        ("--covariates volume --penalty firth", ["Firth", "penalised likelihood ratio"]),
        ("--covariates age --strata sex,grade --permutations 0", ["6 strata of sex, grade", "likelihood ratio test"]),
        ("--covariates volume --cluster centre", ["clustered by centre", "robust score test"]),
        ("--covariates volume --robust", ["standard errors: robust"]),
        ("--covariates volume --entry late --permutations 99", ["left truncation"]),
        ("--covariates volume --therapy-start second_line", ["second_line", "no immortal time"]),
        ("--covariates volume,grade --univariable --permutations 99", ["G1, reference", "With the others: HR"]),
        (
            "--covariates age --added volume --scale per_doubling --permutations 99",
            ["Change in concordance", "added to"],
        ),
        ("--covariates volume --subgroups sex,grade --permutations 99", ["p of the interaction", "exploratory"]),
        ("--covariates uptake,age --impute 5", ["imputed 5 times", "pooled likelihood ratio"]),
        (
            "--covariates volume,age --scale-of volume=per_doubling --permutations 0",
            ["per doubling", "per SD"],
        ),
        (
            "--covariates volume,age --horizon 700 --permutations 0",
            ["At 700 time units: predicted", "Corrected  Observed"],
        ),
    ],
)
def test_every_analysis_says_what_it_found_in_words_and_as_json(trial: Path, options: str, says: list[str]) -> None:
    said = _run(trial, options)
    for words in some(says):
        assert words in said
    found = json.loads(_run(trial, options, "--json"))
    assert f"{found['n']} patients, {found['n_events']} events" in said
    notes = (*found["notes"], *found.get("validation", {}).get("notes", []))
    assert set(notes) <= {note for note in notes if note in said}


def test_curves_are_those_of_the_model(trial: Path) -> None:
    options = "--covariates volume,grade --scale per_doubling --strata sex --permutations 0 --json"
    found = json.loads(_run(trial, options, "--curves"))
    plain = json.loads(_run(trial, options))
    assert plain["terms"] == found["terms"]
    volume = found["terms"][0]
    names = [f"grade: {term['level']}" if term["level"] else "volume" for term in found["terms"]]
    assert [curve["covariate"] for curve in found["schoenfeld"]] == names
    assert found["schoenfeld"][0]["reference"] == pytest.approx(volume["coefficient"])
    assert [curve["covariate"] for curve in found["functional_form"]] == ["volume"]
    assert [baseline["stratum"] for baseline in found["baseline_at_mean"]] == ["f", "m"]
    assert all(np.diff(baseline["hazard"]).min() > 0 for baseline in some(found["baseline_at_mean"]))


def test_a_planted_effect_is_found_by_every_way_of_asking(trial: Path) -> None:
    for options in ("", "--penalty firth", "--robust", "--strata sex --permutations 999", "--entry late"):
        (term,) = json.loads(_run(trial, f"--covariates volume --scale per_doubling {options}", "--json"))["terms"]
        assert term["lower"] < 2 ** np.log(2) < term["upper"], options
        assert term["p"] < 0.01


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("--covariates age --univariable --added volume", "OPTIONS_CONFLICT"),
        ("--covariates age --subgroups sex --penalty firth", "OPTIONS_CONFLICT"),
        ("--covariates age --impute 5 --robust", "OPTIONS_CONFLICT"),
        ("--covariates grade --reference grade", "REFERENCE_INVALID"),
        ("--covariates age --reference grade=G1", "REFERENCE_INVALID"),
        ("--covariates age --scale-of volume=per_doubling", "SCALE_INVALID"),
        ("--covariates age --scale-of age=per_decade", "SCALE_INVALID"),
        ("--covariates age --strata sex --horizon 700", "VALIDATION_UNSUPPORTED"),
        ("--covariates age --subgroups sex --horizon 700", "VALIDATION_UNSUPPORTED"),
        ("--covariates grade --reference grade=G9", "COVARIATE_REFERENCE_UNKNOWN"),
        ("--covariates age --entry time", "ENTRY_NOT_BEFORE_EXIT"),
        ("--covariates age --robust --permutations 99", "PERMUTATION_NOT_EXCHANGEABLE"),
        ("--covariates age --penalty ridge --ridge-strength -1", "RIDGE_INVALID"),
        ("--covariates age --impute 5", "IMPUTATION_NOTHING_MISSING"),
        ("--covariates age --therapy-start sex", "COLUMN_NOT_NUMERIC"),
        ("--covariates age --curves", "OPTIONS_CONFLICT"),
        ("--covariates age --added volume --curves --json", "OPTIONS_CONFLICT"),
        ("--covariates age --strata stage", "COLUMN_UNKNOWN"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_code(trial: Path, options: str, code: str) -> None:
    with pytest.raises(SurvivalError) as caught:
        _run(trial, options)
    assert caught.value.code == code


def test_an_option_out_of_range_is_refused_by_the_request(trial: Path) -> None:
    with pytest.raises(SurvivalError, match=r"OPTION_INVALID.*at least 3 and at most 5"):
        _run(trial, "--covariates age --knots 7")
