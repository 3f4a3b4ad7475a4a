"""The reference engine: pyradiomics itself."""

from __future__ import annotations

import logging

import numpy as np
from radiomics import featureextractor

from petct.errors import FeatureError
from petct.radiomics.feature_sets import FeatureSet
from petct.volume import Mask, Volume, to_sitk

# pyradiomics announces on every call that a symmetrical GLCM makes two features redundant.
logging.getLogger("radiomics").setLevel(logging.ERROR)


def execute(image: Volume, mask: Mask, feature_set: FeatureSet) -> dict[str, float]:
    """All original features of the region, by name.

    Raises
    ------
    FeatureError
        ENGINE_FAILED with pyradiomics' own words, for example for a region that is a single line.
    """
    extractor = featureextractor.RadiomicsFeatureExtractor(
        binWidth=feature_set.bin_width, additionalInfo=False, correctMask=False, label=1
    )
    extractor.disableAllImageTypes()
    extractor.enableImageTypeByName("Original")
    extractor.enableAllFeatures()
    try:
        values = extractor.execute(
            to_sitk(np.ascontiguousarray(image.array), image.geometry), to_sitk(mask.array, mask.geometry)
        )
    except (ValueError, RuntimeError, IndexError) as error:
        raise FeatureError("ENGINE_FAILED", "pyradiomics refuses the region", found=str(error)) from error
    return {name: float(value) for name, value in values.items()}
