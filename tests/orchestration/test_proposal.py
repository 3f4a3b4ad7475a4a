"""A proposed study.yaml can be used as it stands."""

from __future__ import annotations

from pathlib import Path

import yaml

from orchestration.proposal import proposal_yaml, propose


def test_a_variable_with_the_name_of_a_column_of_the_images_gets_another_name(tmp_path: Path) -> None:
    table = tmp_path / "clinical.csv"
    table.write_text(
        "patient_id,scan_date,tumour_volume_ml,age_years\n"
        + "".join(f"P{n},2020-01-{n + 10},{n}.5,{50 + n}\n" for n in range(12)),
        encoding="utf-8",
    )
    proposed = yaml.safe_load(proposal_yaml(propose(table), table, tmp_path))
    variables = proposed["clinical"]["variables"]
    assert variables["clinical_scan_date"] == {"column": "scan_date", "kind": "date"}
    assert variables["clinical_tumour_volume_ml"]["column"] == "tumour_volume_ml"
    assert "age_years" in variables
