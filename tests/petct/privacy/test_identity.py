"""What de-identification leaves of a series description still says what kind of image it is."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from petct.dicom.index import index_folder
from petct.dicom.roles import is_named_uncorrected
from petct.privacy.identity import technical_words
from tests.petct.conftest import DicomWriter


@pytest.mark.parametrize("word", ["NAC", "NOAC", "NON-AC", "NonAC", "non ac", "uncorrected"])
def test_an_uncorrected_image_is_still_called_so(word: str) -> None:
    description = f"Doe PET_{word} 3.0"
    assert is_named_uncorrected(description)
    assert is_named_uncorrected(technical_words(description))
    assert "Doe" not in technical_words(description)
    assert not is_named_uncorrected(technical_words("PET WB AC"))


@pytest.mark.parametrize("word", ["Scout", "Topogram", "Surview", "Localizer", "Localiser"])
def test_a_scout_is_still_one(dicom: DicomWriter, word: str) -> None:
    for name in (f"Doe {word}", technical_words(f"Doe {word}")):

        def edit(dataset: Dataset, _index: int, name: str = name) -> None:
            dataset.SeriesDescription = name

        dicom.ct("1.2.3.2", folder=name, edit=edit)
        (series,) = index_folder(dicom.root / name).series
        assert series.set_aside_code == "LOCALIZER"
