"""Identity with pyradiomics: the same parameters to ``execute`` on the whole image and to petlake, value by value."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from radiomics import featureextractor, imageoperations

from petct.image.volume import Geometry, Mask, Volume, to_sitk
from petct.radiomics.engines import extract
from petct.radiomics.extraction import Feature
from petct.radiomics.feature_set_files import parse_feature_set
from petct.radiomics.feature_sets import FeatureSet
from petct.radiomics.filters import filtered
from petct.radiomics.parameter_files import translate
from petct.radiomics.region import bounding_boxes, native_region, resampled_region
from tests.some import some

RELATIVE, ABSOLUTE = 1e-6, 1e-9
PATIENTS = tuple(f"STS_{number:03d}" for number in range(1, 21))


@dataclass(frozen=True, eq=False)
class Case:
    """An image and a region of it."""

    image: Volume
    mask: Mask

    @property
    def sitk(self) -> tuple[sitk.Image, sitk.Image]:
        return to_sitk(self.image.array, self.image.geometry), to_sitk(self.mask.array, self.mask.geometry)


@dataclass(frozen=True)
class Comparison:
    """Values that were compared, those that a voxel at a bin edge explains, and those that nothing does."""

    n_values: int
    at_bin_edge: tuple[str, ...]
    unexplained: tuple[str, ...]


# The tests of one image follow each other.
@lru_cache(maxsize=2)
def sts_case(data: Path, patient: str, folder: str) -> Case:
    """The image by the plainest means (pydicom's pixels, slope and intercept of each slice, sorted along z), and the
    published mask."""
    files = (data / "sts" / "dicom" / patient / folder / "image").iterdir()
    slices = sorted((pydicom.dcmread(path) for path in files), key=lambda item: float(item.ImagePositionPatient[2]))
    array = np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices])
    # SUV is kept in single precision; Hounsfield units are whole numbers.
    array = array.astype(np.float32 if folder == "PET" else np.int16)
    positions = [float(item.ImagePositionPatient[2]) for item in slices]
    rows, columns = (float(value) for value in slices[0].PixelSpacing)
    x, y, z = (float(value) for value in slices[0].ImagePositionPatient)
    spacing = (columns, rows, (positions[-1] - positions[0]) / (len(positions) - 1))
    geometry = Geometry((array.shape[0], array.shape[1], array.shape[2]), spacing, (x, y, z))
    published = sitk.ReadImage(str(data / "sts" / "nifti" / patient / f"{folder}_mask.nii.gz"))
    return Case(Volume(array, geometry), Mask(sitk.GetArrayFromImage(published) > 0, geometry))


def feature_set_of(parameters: dict[str, object], modality: str, **others: object) -> FeatureSet:
    """What petlake makes of pyradiomics' parameters; a region may be as small as pyradiomics lets it be."""
    settings = {"minimum_roi_voxels": 1, **translate(parameters, "parameters"), "modality": modality, **others}
    return parse_feature_set("identity", settings)


def execute(case: Case, parameters: dict[str, object]) -> dict[str, float]:
    """pyradiomics on the whole image."""
    extractor = _extractor(parameters)
    extractor.settings["additionalInfo"] = False
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return {name: float(value) for name, value in extractor.execute(*case.sitk).items()}


def _extractor(parameters: dict[str, object]) -> featureextractor.RadiomicsFeatureExtractor:
    with warnings.catch_warnings():
        # The library that checks the parameters loads its extensions in an old way.
        warnings.simplefilter("ignore", DeprecationWarning)
        return featureextractor.RadiomicsFeatureExtractor({**parameters})


def compare(case: Case, parameters: dict[str, object], modality: str) -> Comparison:
    """All values of one case."""
    feature_set = feature_set_of(parameters, modality)
    expected = execute(case, parameters)
    found = features(case, feature_set)
    assert set(expected) == set(found)
    different = [name for name, value in expected.items() if not agrees(value, found[name])]
    # An unfiltered, unresampled image is the same to the last bit: there no edge excuses anything.
    excused = edge_cases(case, parameters, feature_set) if different else set()
    at_edge = [name for name in different if name.split("_")[0] in excused]
    rest = [f"{n}: {expected[n]!r}, not {found[n].value!r} ({found[n].status})" for n in different if n not in at_edge]
    return Comparison(len(expected), tuple(at_edge), tuple(rest))


def features(case: Case, feature_set: FeatureSet) -> dict[str, Feature]:
    """petlake's features by name."""
    labels = Volume(case.mask.array.astype(np.uint8), case.mask.geometry)
    (extraction,) = extract(case.image, labels, (1,), feature_set)
    return {feature.feature_name: feature for feature in extraction.features}


def agrees(expected: float, found: Feature) -> bool:
    if found.value is None:
        return not math.isfinite(expected) and found.status == "VALUE_UNDEFINED"
    return abs(found.value - expected) <= max(RELATIVE * abs(expected), ABSOLUTE)


def edge_cases(case: Case, parameters: dict[str, object], feature_set: FeatureSet) -> set[str]:
    """Filtered or resampled images in which voxels fall into another bin, shown to do so only for lying at its edge."""
    ours = dict(petlake_images(case, feature_set))
    excused = set()
    for name, values, bins in pyradiomics_images(case, parameters):
        if name == "original" and feature_set.resampling is None:
            continue
        if falls_at_an_edge(values, ours[name], bins):
            excused.add(name)
    return excused


def falls_at_an_edge(values: np.ndarray, ours: np.ndarray, bins: dict[str, object]) -> bool:
    """Whether voxels change their bin, and all that do lie within rounding of an edge and are the same but for that."""
    edges = np.asarray(imageoperations.getBinEdges(values, **bins))
    other = np.digitize(values, edges) != np.digitize(ours, edges)
    a, b = values[other].astype(np.float64), ours[other].astype(np.float64)
    # One unit in the last place of the image, where that is more than the billionth that is allowed.
    tolerance = np.maximum(ABSOLUTE, np.spacing(np.abs(values[other])).astype(np.float64))
    distance = np.abs(a[:, None] - edges[None, :].astype(np.float64)).min(axis=1, initial=np.inf)
    return bool(other.any() and (distance <= tolerance).all() and (np.abs(a - b) <= tolerance).all())


def petlake_images(case: Case, feature_set: FeatureSet) -> Iterator[tuple[str, np.ndarray]]:
    labels = case.mask.array.astype(np.uint8)
    box = bounding_boxes(labels)[1]
    region = native_region(case.image, labels, 1, box)
    if feature_set.resampling is not None:
        resampled = resampled_region(case.image, labels, 1, box, feature_set.resampling)
        assert resampled is not None
        region = resampled
    for image_type in some(feature_set.image_types):
        for name, image in some(filtered(region, image_type, feature_set, lambda: float(np.abs(region.image).max()))):
            assert image is not None
            yield name, image[region.mask]


def pyradiomics_images(
    case: Case, parameters: dict[str, object]
) -> Iterator[tuple[str, np.ndarray, dict[str, object]]]:
    """Name, values in the region and settings of each image that ``execute`` computes features of."""
    extractor = _extractor(parameters)
    image, mask = extractor.loadImage(*case.sitk, None, **extractor.settings)
    inside = sitk.GetArrayFromImage(mask) == 1
    for image_type, custom in extractor.enabledImagetypes.items():
        make = getattr(imageoperations, f"get{image_type}Image")
        for result, name, settings in make(image, mask, **{**extractor.settings, **custom}):
            bins = {key: settings[key] for key in ("binWidth", "binCount") if key in settings}
            yield name, sitk.GetArrayFromImage(result)[inside], bins
