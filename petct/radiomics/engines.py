"""One interface of two engines: image, label map and lesions in; values, or the reasons why there are none, out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from petct.errors import FeatureError
from petct.image.volume import Mask, Volume
from petct.radiomics.extraction import EngineName, Extraction, Feature
from petct.radiomics.feature_sets import FeatureSet


def extract(
    image: Volume,
    labels: Volume,
    wanted: Sequence[int],
    feature_set: FeatureSet,
    engine: EngineName = "fast",
) -> tuple[Extraction, ...]:
    """Compute the features of many lesions of one image.

    Parameters
    ----------
    image
        SUV or Hounsfield units, (z, y, x). Single precision or integers stay what they are, as in pyradiomics.
    labels
        Label map on the grid of the image: 0 outside, a positive integer for each lesion.
    wanted
        The labels to compute, each above 0; the result is in this order.
    engine
        fast, or reference (pyradiomics' ``execute`` on the whole image, once a lesion).

    Raises
    ------
    FeatureError
        GRID_MISMATCH when image and label map differ in their grid. What is wrong with one lesion is a status of its
        features.
    """
    if not image.geometry.is_close(labels.geometry):
        raise FeatureError(
            "GRID_MISMATCH",
            "The lesions are not on the grid of the image",
            found=str(labels.geometry.shape),
            expected=str(image.geometry.shape),
        )
    # Imported here: pyradiomics takes half a second to load, and not everything that knows a feature needs it.
    if engine == "fast":
        from petct.radiomics.fast import extract_fast

        return extract_fast(image, labels, wanted, feature_set)
    from petct.radiomics.reference import extract_reference

    return extract_reference(image, labels, wanted, feature_set)


def compute_features(
    image: Volume, mask: Mask, feature_set: FeatureSet, engine: EngineName = "fast"
) -> tuple[Feature, ...]:
    """Compute the features of one region; see ``extract``."""
    labels = Volume(np.asarray(mask.array).view(np.uint8), mask.geometry)
    (extraction,) = extract(image, labels, (1,), feature_set, engine)
    return extraction.features
