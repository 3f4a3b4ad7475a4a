"""The two ways in one process: petlake's fast engine, and pyradiomics' ``execute`` with the same settings."""

from __future__ import annotations

import os

# One thread on both sides: before NumPy is loaded. CPU time of threads that wait is nobody's work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import logging
import warnings
from dataclasses import replace
from pathlib import Path

import SimpleITK as sitk
import yaml
from radiomics import featureextractor

from petct.radiomics.feature_set_files import load_feature_set
from petct.radiomics.feature_sets import FeatureSet, ImageType
from petct.radiomics.reference import extractor_of

sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
warnings.simplefilter("ignore")

FILTERS = (ImageType("original"), ImageType("log", sigma_mm=(1.0, 2.0, 3.0)), ImageType("wavelet"))


def original(modality: str) -> FeatureSet:
    """107 features; any region that pyradiomics takes."""
    return replace(load_feature_set("pet_original" if modality == "PET" else "ct_original"), minimum_roi_voxels=2)


def with_filters(modality: str) -> FeatureSet:
    """The unfiltered image, Laplacian of Gaussian of 1, 2 and 3 mm, and wavelet."""
    return replace(original(modality), image_types=FILTERS)


def executing(feature_set: FeatureSet, **settings: object) -> featureextractor.RadiomicsFeatureExtractor:
    """Pyradiomics as its users run it: with the diagnostics that it gives unless told otherwise."""
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    extractor = extractor_of(feature_set)
    extractor.settings |= {"additionalInfo": True, **settings}
    return extractor


def parameter_file(folder: Path, modality: str) -> Path:
    """The settings of ``original`` as a parameter file for pyradiomics' command line."""
    path = folder / "parameters.yaml"
    width = original(modality).discretisation.bin_width
    path.write_text(yaml.safe_dump({"setting": {"binWidth": width}, "imageType": {"Original": {}}}), encoding="utf-8")
    return path
