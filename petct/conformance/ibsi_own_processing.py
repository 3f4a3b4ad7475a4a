"""The configurations as a feature set of petlake expresses them: pyradiomics' own processing, from image to value.

IBSI's processing and pyradiomics' are not the same: the grid starts at the image's corner instead of sharing its
centre, the region is resampled to its nearest neighbour instead of linearly, and intensities are not rounded.
Configuration E asks for a range and for outliers at once, which no feature set can.
"""

from __future__ import annotations

from petct.conformance.exam import ExamLine, Verdict
from petct.conformance.ibsi_preparation import Phantom
from petct.radiomics.definitions import definitions_of
from petct.radiomics.engines import compute_features
from petct.radiomics.feature_sets import Discretisation, FeatureSet, Resampling, Resegmentation, Texture
from petct.radiomics.ibsi import IBSI_FEATURES

NOTE = (
    "pyradiomics' own processing: grid from the image's corner, nearest-neighbour region, intensities not rounded; on "
    "the image processed by IBSI's rules the same feature"
)


def _feature_set(
    name: str,
    bins: Discretisation,
    spacing_mm: tuple[float, float, float] | None,
    kept: Resegmentation,
    *,
    in_plane: bool = False,
) -> FeatureSet:
    return FeatureSet(
        name=f"ibsi_configuration_{name.lower()}",
        version=1,
        description=f"Configuration {name} of IBSI-1, as far as a feature set can express it.",
        modality="CT",
        discretisation=bins,
        resampling=None if spacing_mm is None else Resampling(spacing_mm, interpolator="linear"),
        resegmentation=kept,
        texture=Texture(force_2d=in_plane),
    )


_WIDTH, _COUNT = Discretisation(bin_width=25.0), Discretisation(bin_count=32)
FEATURE_SETS: dict[str, FeatureSet] = {
    "A": _feature_set("A", _WIDTH, None, Resegmentation((-500.0, 400.0)), in_plane=True),
    "B": _feature_set("B", _COUNT, (2.0, 2.0, 0.0), Resegmentation((-500.0, 400.0)), in_plane=True),
    "C": _feature_set("C", _WIDTH, (2.0, 2.0, 2.0), Resegmentation((-1000.0, 400.0))),
    "D": _feature_set("D", _COUNT, (2.0, 2.0, 2.0), Resegmentation((-3.0, 3.0), mode="sigma")),
}


def found_by_feature_set(phantom: Phantom, feature_set: FeatureSet) -> dict[str, float | None]:
    """What petlake computes from the phantom itself, by IBSI tag."""
    dimension = "_2_5D" if feature_set.texture.force_2d else "_3D"
    found = {}
    features = compute_features(phantom.image, phantom.mask, feature_set)
    for feature, definition in zip(features, definitions_of(feature_set), strict=True):
        tag = IBSI_FEATURES[definition.feature_class, definition.name].tag
        if tag is None:
            continue
        if definition.feature_class not in ("shape", "firstorder"):
            tag += dimension + ("_avg" if definition.feature_class in ("glcm", "glrlm") else "")
        found[tag] = feature.value
    return found


def explained(case: str, found: float | None, same: bool, on_ibsi_image: ExamLine) -> ExamLine:
    """The line of a value from pyradiomics' own processing.

    Parameters
    ----------
    same
        Whether it matches the reference value.
    on_ibsi_image
        The line of the same feature on the image that was processed by IBSI's rules; where that one is explained, the
        processing is what differs.
    """
    explains = on_ibsi_image.verdict in (Verdict.PASS, Verdict.KNOWN_DIFFERENCE)
    verdict = Verdict.PASS if same else Verdict.KNOWN_DIFFERENCE if explains else Verdict.FAIL
    note = f"{NOTE} gives {on_ibsi_image.found}" + (f" ({on_ibsi_image.note})" if on_ibsi_image.note else "")
    return ExamLine(
        case,
        on_ibsi_image.quantity,
        on_ibsi_image.expected,
        None if found is None else repr(found),
        on_ibsi_image.tolerance,
        verdict,
        "" if same else note,
    )
