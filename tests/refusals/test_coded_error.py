from __future__ import annotations

import pickle

import pytest

from petct.errors import PetctError, SuvError
from refusals.coded_error import CodedError
from warehouse.errors import WarehouseError

FACTS = {
    "patient_id": "P1",
    "series_instance_uid": "1.2.3",
    "keyword": "PatientWeight",
    "found": "0",
    "expected": "more than 0",
    "hint": "Correct it.",
}


@pytest.mark.parametrize(("kind", "label"), [(PetctError, "keyword"), (SuvError, "keyword"), (WarehouseError, "in")])
def test_the_sentence_says_all_that_is_known(kind: type[CodedError], label: str) -> None:
    error = kind("SUV_WEIGHT_INVALID", "The weight cannot be used.", **FACTS)

    assert str(error) == (
        f"SUV_WEIGHT_INVALID: The weight cannot be used (patient P1; series 1.2.3; {label} PatientWeight; found 0;"
        " expected more than 0). Correct it."
    )
    assert str(kind("SUV_WEIGHT_INVALID", "The weight cannot be used")) == (
        "SUV_WEIGHT_INVALID: The weight cannot be used."
    )


@pytest.mark.parametrize("kind", [PetctError, SuvError, WarehouseError])
def test_a_refusal_comes_back_whole_from_a_worker(kind: type[CodedError]) -> None:
    error = kind("SUV_WEIGHT_INVALID", "The weight cannot be used", **FACTS)

    back = pickle.loads(pickle.dumps(error))

    assert type(back) is kind
    assert vars(back) == vars(error)
    assert str(back) == str(error)
