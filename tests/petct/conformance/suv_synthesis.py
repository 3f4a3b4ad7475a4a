"""Writes the SUV reference objects as files: PET, the contours of the mask, and the mask as NIfTI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    EnhancedPETImageStorage,
    PositronEmissionTomographyImageStorage,
    RTStructureSetStorage,
    generate_uid,
)

from petct.conformance.suv_objects import EXPECTED_SUV
from petct.image.volume import Geometry, to_sitk
from petct.synthetic.contours import outlines
from petct.synthetic.dicom import save

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from petct.conformance.suv_objects import Bed, SuvObject

_DOSE_KEYWORDS = (
    "RadiopharmaceuticalStartTime",
    "RadiopharmaceuticalStartDateTime",
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
)
_CODE_KEYWORDS = ("CodeValue", "CodeMeaning")
# Enhanced PET (PS3.3 A.56) says by other elements what these say in PET.
_NOT_ENHANCED = {"CorrectedImage", "SeriesType", "Units", "SUVType", "DecayCorrection", "DecayFactor"}
_UNIT_CODES = {
    "BQML": ("Bq/ml", "Becquerels/milliliter"),
    "GML": ("{SUVbw}g/ml", "Standardized Uptake Value body weight"),
}
_CORRECTIONS = (
    "AttenuationCorrected",
    "ScatterCorrected",
    "DeadTimeCorrected",
    "RandomsCorrected",
    "DetectorNormalizationCorrection",
)
_INT16_MAX = 32767


@dataclass(frozen=True, eq=False)
class SuvPhantom:
    """The SUV (z, y, x) that an object must give, the mask in which it is examined, and their grid."""

    suv: NDArray[np.float64]
    mask: NDArray[np.bool_]
    geometry: Geometry


def small_phantom(n_slices: int = 10, n_pixels: int = 8) -> SuvPhantom:
    """SUV 1 in a box, with one voxel of 0.2 and one of 4 in each of its slices, and nothing outside; 4 mm voxels."""
    suv = np.zeros((n_slices, n_pixels, n_pixels))
    mask = np.zeros(suv.shape, dtype=bool)
    mask[1:-1, 2:-1, 1:-2] = True
    low, median, high = EXPECTED_SUV
    suv[mask] = median
    suv[1:-1, 2, 1], suv[1:-1, 3, 2] = low, high
    return SuvPhantom(suv, mask, Geometry((n_slices, n_pixels, n_pixels), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0)))


def write_object(one: SuvObject, phantom: SuvPhantom, folder: Path) -> None:
    """Write ``PT/*.dcm``, ``RS/*.dcm`` and ``mask/DRO_mask.nii.gz`` below ``folder``, as the published objects lie."""
    import SimpleITK as sitk

    images = [enhanced_pet(one, phantom)] if one.enhanced else pet_slices(one, phantom)
    for number, image in enumerate(images):
        save(image, folder / "PT" / f"pet_{one.id.lower()}_{number:03d}.dcm")
    save(_contours(one, phantom, images[0]), folder / "RS" / f"RS_{one.id.lower()}.dcm")
    mask_file = folder / "mask" / "DRO_mask.nii.gz"
    mask_file.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(to_sitk(phantom.mask, phantom.geometry), str(mask_file))


def pet_slices(one: SuvObject, phantom: SuvPhantom) -> list[Dataset]:
    """The slices of an object that is not Enhanced PET, from the lowest to the highest."""
    slices = []
    for index in range(phantom.geometry.shape[0]):
        bed, slope, stored = _stored(one, phantom, index)
        out = _common(one, PositronEmissionTomographyImageStorage, "PT", f"slice {index}")
        for keyword, value in one.header.items():
            if keyword not in (*_DOSE_KEYWORDS, *_CODE_KEYWORDS):
                setattr(out, keyword, value)
        out.AcquisitionTime = bed.acquired
        _set(out, "ActualFrameDuration", bed.duration_ms)
        _set(out, "FrameReferenceTime", bed.frame_reference_ms)
        out.RescaleIntercept, out.RescaleSlope = "0.0", str(slope)
        _add_plane(out, phantom.geometry)
        out.InstanceNumber = index + 1
        out.ImagePositionPatient = _position(phantom.geometry, index)
        out.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        out.PixelSpacing = _pixel_spacing(phantom.geometry)
        out.SliceThickness = str(phantom.geometry.spacing_mm[2])
        out.RadiopharmaceuticalInformationSequence = Sequence([_radiopharmaceutical(one)])
        for private in one.private:
            out.private_block(private.group, private.creator, create=True).add_new(
                private.offset, private.vr, private.value
            )
        out.PixelData = stored.tobytes()
        out["PixelData"].VR = "OW"
        slices.append(out)
    return slices


def _stored(one: SuvObject, phantom: SuvPhantom, index: int) -> tuple[Bed, float, NDArray[np.int16]]:
    """Bed, slope and stored values of a slice: truncated to whole units, as in the published objects."""
    n_slices = phantom.geometry.shape[0]
    half = index * 2 // n_slices
    slope = one.slopes[index * 5 // n_slices == 2]
    # What lies a rounding error below a whole number is that number.
    units = np.floor(phantom.suv[index] * one.one_suv[half] / slope + 1e-6)
    if units.max() > _INT16_MAX:
        raise ValueError(f"{one.id}: slope {slope:g} is too small for 16 bits")
    return one.beds[half], slope, units.astype("<i2")


def _common(one: SuvObject, sop_class: str, modality: str, instance: str) -> Dataset:
    out = Dataset()
    out.SOPClassUID = sop_class
    out.SOPInstanceUID = _uid(one, f"{modality} {instance}")
    out.Modality = modality
    out.PatientName, out.PatientID = "PETDRO PHANTOM", "DRO"
    out.StudyDescription = "PET SUV verification, synthesised"
    out.SeriesDescription = f"PET SUV verification {one.id}"
    out.StudyInstanceUID, out.SeriesInstanceUID = _uid(one, "study"), _uid(one, f"series {modality}")
    out.FrameOfReferenceUID, out.PositionReferenceIndicator = _uid(one, "frame of reference"), ""
    out.SeriesNumber = 1
    return out


def _uid(one: SuvObject, what: str) -> str:
    return str(generate_uid(entropy_srcs=["petlake", one.id, what]))


def _set(out: Dataset, keyword: str, value: str | None) -> None:
    if value is not None:
        setattr(out, keyword, value)


def _add_plane(out: Dataset, geometry: Geometry) -> None:
    out.SamplesPerPixel, out.PhotometricInterpretation = 1, "MONOCHROME2"
    out.Rows, out.Columns = geometry.shape[1:]
    out.BitsAllocated, out.BitsStored, out.HighBit, out.PixelRepresentation = 16, 16, 15, 1


def _position(geometry: Geometry, index: int) -> list[float]:
    x, y, z = geometry.origin_mm
    return [x, y, z + index * geometry.spacing_mm[2]]


def _pixel_spacing(geometry: Geometry) -> list[float]:
    return [geometry.spacing_mm[1], geometry.spacing_mm[0]]


def _radiopharmaceutical(one: SuvObject) -> Dataset:
    item, code = Dataset(), Dataset()
    for keyword in _DOSE_KEYWORDS:
        found = one.header.get(keyword)
        if keyword == "RadionuclideTotalDose" and one.enhanced:
            found = f"{float(str(found)) / 1e6:g}"
        _set(item, keyword, found if found is None else str(found))
    for keyword in _CODE_KEYWORDS:
        setattr(code, keyword, one.header[keyword])
    code.CodingSchemeDesignator = "SRT"
    item.RadionuclideCodeSequence = Sequence([code])
    return item


def enhanced_pet(one: SuvObject, phantom: SuvPhantom) -> Dataset:
    """All slices as frames of one Enhanced PET object, the uppermost first: only their positions tell the order."""
    geometry = phantom.geometry
    out = _common(one, EnhancedPETImageStorage, "PT", "frames")
    for keyword, value in one.header.items():
        if keyword not in (*_DOSE_KEYWORDS, *_CODE_KEYWORDS) and keyword not in _NOT_ENHANCED:
            setattr(out, keyword, value)
    out.ImageType = [*one.header["ImageType"], "STATIC", "NONE"]
    out.AcquisitionTime = one.beds[0].acquired
    is_corrected = one.header["DecayCorrection"] != "NONE"
    out.DecayCorrected = "YES" if is_corrected else "NO"
    if is_corrected:
        out.DecayCorrectionDateTime = "20250101110000.000000"
    for keyword in _CORRECTIONS:
        setattr(out, keyword, "YES")
    item = _radiopharmaceutical(one)
    item.RadiopharmaceuticalAgentNumber = 1
    out.RadiopharmaceuticalInformationSequence = Sequence([item])
    _add_plane(out, geometry)
    measures, orientation, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = _pixel_spacing(geometry), str(geometry.spacing_mm[2])
    orientation.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Sequence([measures]), Sequence([orientation])
    out.SharedFunctionalGroupsSequence = Sequence([shared])
    groups, pixels = [], []
    for index in reversed(range(geometry.shape[0])):
        bed, slope, stored = _stored(one, phantom, index)
        groups.append(_frame(one, bed.acquired, bed.frame_reference_ms, bed.duration_ms, slope))
        position = Dataset()
        position.ImagePositionPatient = _position(geometry, index)
        groups[-1].PlanePositionSequence = Sequence([position])
        pixels.append(stored)
    out.PerFrameFunctionalGroupsSequence = Sequence(groups)
    out.NumberOfFrames = len(groups)
    out.PixelData = b"".join(frame.tobytes() for frame in pixels)
    out["PixelData"].VR = "OW"
    return out


def _frame(
    one: SuvObject, acquired: str, frame_reference_ms: str | None, duration_ms: str | None, slope: float
) -> Dataset:
    """The functional groups of one frame (PS3.3 C.7.6.16)."""
    day = str(one.header["AcquisitionDate"])
    content, transform, mapping, unit = Dataset(), Dataset(), Dataset(), Dataset()
    content.FrameAcquisitionDateTime = day + acquired
    # In milliseconds after 11:00, when every object's scan begins.
    seconds = 11 * 3600 + float(frame_reference_ms or 0) / 1000
    clock = f"{int(seconds // 3600):02d}{int(seconds % 3600 // 60):02d}{seconds % 60:09.6f}"
    content.FrameReferenceDateTime = day + clock
    content.FrameAcquisitionDuration = float(duration_ms or 0)
    transform.RescaleIntercept, transform.RescaleSlope = "0.0", str(slope)
    transform.RescaleType = one.header["Units"]
    unit.CodeValue, unit.CodeMeaning = _UNIT_CODES[str(one.header["Units"])]
    unit.CodingSchemeDesignator = "UCUM"
    mapping.RealWorldValueFirstValueMapped, mapping.RealWorldValueLastValueMapped = 0, _INT16_MAX
    mapping.RealWorldValueIntercept, mapping.RealWorldValueSlope = 0.0, slope
    mapping.LUTLabel, mapping.LUTExplanation = str(one.header["Units"]), ""
    mapping.MeasurementUnitsCodeSequence = Sequence([unit])
    group = Dataset()
    group.FrameContentSequence = Sequence([content])
    group.PixelValueTransformationSequence = Sequence([transform])
    group.RealWorldValueMappingSequence = Sequence([mapping])
    return group


def _contours(one: SuvObject, phantom: SuvPhantom, image: Dataset) -> Dataset:
    """The mask as one region of an RT Structure Set on the PET."""
    out = _common(one, RTStructureSetStorage, "RTSTRUCT", "contours")
    out.StudyDate, out.StudyTime = image.StudyDate, image.StudyTime
    out.StructureSetLabel = "mask"
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = image.SeriesInstanceUID
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = image.StudyInstanceUID
    study.RTReferencedSeriesSequence = Sequence([series])
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = out.FrameOfReferenceUID, Sequence([study])
    out.ReferencedFrameOfReferenceSequence = Sequence([frame])
    roi, drawn = Dataset(), Dataset()
    roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = 1, "mask", out.FrameOfReferenceUID
    roi.ROIGenerationAlgorithm = "AUTOMATIC"
    contours = []
    for index in np.flatnonzero(phantom.mask.any(axis=(1, 2))):
        for polygon in outlines(phantom.mask[index]):
            corners = np.column_stack([polygon, np.full(len(polygon), float(index))])
            contour = Dataset()
            contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(polygon)
            contour.ContourData = [f"{value:.3f}" for value in phantom.geometry.to_physical(corners).ravel()]
            contours.append(contour)
    drawn.ReferencedROINumber, drawn.ContourSequence = 1, Sequence(contours)
    out.StructureSetROISequence, out.ROIContourSequence = Sequence([roi]), Sequence([drawn])
    return out
