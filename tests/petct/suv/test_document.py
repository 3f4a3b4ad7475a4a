"""docs/suv.md says of every adaptation and finding what it is and what strict does, and nothing that is not so."""

from __future__ import annotations

import re
from pathlib import Path

from petct.suv.plausibility import LIMITS, MOST_ACTIVITY_IN_FIELD, Tracer
from petct.suv.policy import REFUSED_WHEN_STRICT
from tests.some import some

REPOSITORY = Path(__file__).resolve().parents[3]
TEXT = (REPOSITORY / "docs" / "suv.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `(\w+)` \|.*\| (refuses|adapts) \|$", re.MULTILINE)
_CALL = re.compile(r"account\.(?:adapt|note)\(\s*\"(\w+)\"")


def _source() -> str:
    """The modules of the header's path; what the clinical table overrides is documented with that table."""
    modules = [path for path in (REPOSITORY / "petct" / "suv").glob("*.py") if "override" not in path.name]
    return "\n".join(path.read_text(encoding="utf-8") for path in modules)


def test_the_table_of_the_policy_is_that_of_the_code() -> None:
    documented = dict(_ROW.findall(TEXT))
    assert {code for code, strict in documented.items() if strict == "refuses"} == set(REFUSED_WHEN_STRICT)
    recorded = set(_CALL.findall(_source()))
    assert len(recorded) > 10
    assert recorded <= set(documented)
    assert all(f'"{code}"' in _source() for code in some(documented))


def test_every_code_of_plausibility_and_index_is_there() -> None:
    sources = [*(REPOSITORY / "petct" / "dicom").glob("*.py"), REPOSITORY / "petct" / "suv" / "plausibility.py"]
    codes = set()
    for path in sources:
        codes |= set(re.findall(r"\"((?:INDEX|QC)_[A-Z_]+[A-Z])\"", path.read_text(encoding="utf-8")))
    assert len(codes) > 15
    assert {code for code in codes if f"`{code}`" not in TEXT} == set()


def test_the_limits_are_those_of_the_code() -> None:
    sstr, fdg = LIMITS[Tracer.GA68_SSTR], LIMITS[Tracer.F18_FDG]
    (liver, spleen) = (dict(sstr.organ_suv_mean)[organ] for organ in ("liver", "spleen"))
    for low, high in (
        sstr.uptake_min,
        fdg.uptake_min,
        sstr.activity_mbq_per_kg,
        fdg.activity_mbq_per_kg,
        liver,
        spleen,
    ):
        assert re.search(rf"outside {low:g} to {high:g}", TEXT), (low, high)
    assert f"more than {MOST_ACTIVITY_IN_FIELD:.0%}".replace("%", " %") in TEXT
