"""Refusals of the domain layer, by what they are about."""

from __future__ import annotations

from refusals.coded_error import CodedError


class PetctError(CodedError):
    """A refusal of the domain."""


class DicomError(PetctError):
    """A DICOM file or series that cannot be read as what it claims to be."""


class SuvError(PetctError):
    """A PET series whose SUV cannot be computed without guessing."""


class MaskError(PetctError):
    """Contours or a segmentation that cannot be turned into a mask of the image."""


class FeatureError(PetctError):
    """A feature set or threshold protocol that cannot be used."""


class ClinicalError(PetctError):
    """A clinical value or date that cannot be used."""


class SurvivalError(PetctError):
    """An analysis that is refused: its answer would be wrong, undefined or misleading."""
