"""Small DICOM files written by code: a PET, a CT, contours, each with a hook to spoil it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

PET_CLASS = "1.2.840.10008.5.1.4.1.1.128"
CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
ENHANCED_PET_CLASS = "1.2.840.10008.5.1.4.1.1.130"
LEGACY_PET_CLASS = "1.2.840.10008.5.1.4.1.1.128.1"
SEG_CLASS = "1.2.840.10008.5.1.4.1.1.66.4"

Edit = Callable[[Dataset, int], None]


def _nothing(_dataset: Dataset, _index: int) -> None:
    """Leave the file as it is."""


@dataclass
class DicomWriter:
    """Writes series below a folder; every series of one writer is of one study and frame of reference."""

    root: Path
    patient_id: str = "P1"
    study: str = "1.2.3"
    frame: str = "1.2.3.9"
    implicit: bool = False
    columns: int = 7
    rows: int = 6
    spacing: tuple[float, float, float] = (2.0, 2.5, 3.0)
    origin: tuple[float, float, float] = (-10.0, 20.0, 5.0)
    written: dict[str, list[Path]] = field(default_factory=dict)

    def save(self, dataset: Dataset, name: str) -> Path:
        """Write a dataset to ``name`` below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if self.implicit else ExplicitVRLittleEndian
        dataset.save_as(path, enforce_file_format=True)
        self.written.setdefault(str(dataset.SeriesInstanceUID), []).append(path)
        return path

    def common(self, modality: str, sop_class: str, series: str, index: int) -> Dataset:
        """Return what every file has."""
        dataset = Dataset()
        dataset.SOPClassUID = sop_class
        dataset.SOPInstanceUID = f"{series}.{index + 1}"
        dataset.StudyDate = dataset.SeriesDate = "20250101"
        dataset.StudyTime = dataset.SeriesTime = "110000"
        dataset.Modality = modality
        dataset.PatientID = self.patient_id
        dataset.PatientName = "Doe^Jane"
        dataset.StudyInstanceUID = self.study
        dataset.SeriesInstanceUID = series
        dataset.FrameOfReferenceUID = self.frame
        return dataset

    def _image(self, modality: str, sop_class: str, series: str, index: int, values: np.ndarray) -> Dataset:
        dataset = self.common(modality, sop_class, series, index)
        dataset.AcquisitionDate = "20250101"
        dataset.AcquisitionTime = "110000"
        dataset.Manufacturer = "SIEMENS"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        x, y, z = self.origin
        dataset.ImagePositionPatient = [x, y, z + index * self.spacing[2]]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.PixelSpacing = [self.spacing[1], self.spacing[0]]
        dataset.SliceThickness = self.spacing[2]
        dataset.Rows, dataset.Columns = values.shape
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit = 15
        dataset.PixelRepresentation = 1
        dataset.RescaleIntercept = 0
        dataset.RescaleSlope = 1
        dataset.PixelData = values.astype("<i2").tobytes()
        return dataset

    def stored(self, index: int) -> np.ndarray:
        """Stored values of slice ``index``, all different."""
        size = self.rows * self.columns
        return (np.arange(size).reshape(self.rows, self.columns) + size * index).astype(np.int16)

    def pet(self, series: str = "1.2.3.1", n: int = 4, folder: str = "pet", edit: Edit = _nothing) -> list[Path]:
        """Write a PET in BQML, START, 18F, with a slope that differs from slice to slice."""
        paths = []
        for index in range(n):
            dataset = self._image("PT", PET_CLASS, series, index, self.stored(index))
            dataset.RescaleSlope = 1 + index / 2
            dataset.PatientWeight = "70"
            dataset.PatientSize = "1.75"
            dataset.PatientSex = "F"
            dataset.CorrectedImage = ["NORM", "ATTN", "SCAT", "DECY"]
            dataset.Units = "BQML"
            dataset.DecayCorrection = "START"
            dataset.ActualFrameDuration = "300000"
            dataset.FrameReferenceTime = "0"
            dataset.NumberOfSlices = n
            dose = Dataset()
            dose.RadiopharmaceuticalStartTime = "100000"
            dose.RadiopharmaceuticalStartDateTime = "20250101100000"
            dose.RadionuclideTotalDose = "368080000"
            dose.RadionuclideHalfLife = "6586.2"
            code = Dataset()
            code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C-111A1", "SRT", "^18^Fluorine"
            dose.RadionuclideCodeSequence = Items([code])
            dataset.RadiopharmaceuticalInformationSequence = Items([dose])
            edit(dataset, index)
            paths.append(self.save(dataset, f"{folder}/{n - index:03d}"))
        return paths

    def enhanced_pet(
        self,
        series: str = "1.2.3.1",
        n: int = 4,
        name: str = "pet/enhanced",
        units: str = "Bq/ml",
        sop_class: str = ENHANCED_PET_CLASS,
        edit: Edit = _nothing,
        edit_frame: Edit = _nothing,
    ) -> Path:
        """Write the same PET as ``pet`` as one file of many frames, corrected to its Decay Correction DateTime."""
        dataset = self._image("PT", sop_class, series, 0, self.stored(0))
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
            delattr(dataset, keyword)
        for keyword in ("RescaleSlope", "RescaleIntercept", "AcquisitionDate", "AcquisitionTime"):
            delattr(dataset, keyword)
        dataset.PatientWeight, dataset.PatientSize, dataset.PatientSex = "70", "1.75", "F"
        dataset.AttenuationCorrected = dataset.DecayCorrected = "YES"
        dataset.DecayCorrectionDateTime = "20250101110000"
        dose, code = Dataset(), Dataset()
        dose.RadiopharmaceuticalStartDateTime = "20250101100000"
        dose.RadionuclideTotalDose, dose.RadionuclideHalfLife = "368080000", "6586.2"
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C-111A1", "SRT", "^18^Fluorine"
        dose.RadionuclideCodeSequence = Items([code])
        dataset.RadiopharmaceuticalInformationSequence = Items([dose])
        shared, orientation, measures = Dataset(), Dataset(), Dataset()
        orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        measures.PixelSpacing = [self.spacing[1], self.spacing[0]]
        shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Items([orientation]), Items([measures])
        dataset.SharedFunctionalGroupsSequence = Items([shared])
        frames = []
        x, y, z = self.origin
        for index in range(n):
            group, position, content, mapping, unit = Dataset(), Dataset(), Dataset(), Dataset(), Dataset()
            position.ImagePositionPatient = [x, y, z + index * self.spacing[2]]
            content.FrameAcquisitionDateTime = "20250101110000"
            content.FrameAcquisitionDuration = 300000.0
            unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = units, "UCUM", "units"
            mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = 1 + index / 2, 0.0
            mapping.RealWorldValueFirstValueMapped, mapping.RealWorldValueLastValueMapped = -32768, 32767
            mapping.MeasurementUnitsCodeSequence = Items([unit])
            group.PlanePositionSequence, group.FrameContentSequence = Items([position]), Items([content])
            group.RealWorldValueMappingSequence = Items([mapping])
            edit_frame(group, index)
            frames.append(group)
        dataset.PerFrameFunctionalGroupsSequence = Items(frames)
        dataset.NumberOfFrames = n
        dataset.PixelData = np.stack([self.stored(index) for index in range(n)]).astype("<i2").tobytes()
        edit(dataset, 0)
        return self.save(dataset, name)

    def ct(self, series: str = "1.2.3.2", n: int = 4, folder: str = "ct", edit: Edit = _nothing) -> list[Path]:
        """Write a CT."""
        paths = []
        for index in range(n):
            dataset = self._image("CT", CT_CLASS, series, index, self.stored(index))
            dataset.RescaleIntercept = -1024
            dataset.ConvolutionKernel = "STANDARD"
            edit(dataset, index)
            paths.append(self.save(dataset, f"{folder}/{index:03d}.dcm"))
        return paths

    def rtstruct(
        self,
        rois: dict[str, Sequence[np.ndarray]],
        referenced: str = "1.2.3.1",
        series: str = "1.2.3.3",
        name: str = "rs/RS.dcm",
        edit: Edit = _nothing,
    ) -> Path:
        """Write contours: for each region its polygons (n, 3) in mm."""
        dataset = self.common("RTSTRUCT", RTSTRUCT_CLASS, series, 0)
        image, study, frame = Dataset(), Dataset(), Dataset()
        image.SeriesInstanceUID = referenced
        study.RTReferencedSeriesSequence = Items([image])
        frame.RTReferencedStudySequence = Items([study])
        frame.FrameOfReferenceUID = self.frame
        dataset.ReferencedFrameOfReferenceSequence = Items([frame])
        names, drawn = [], []
        for number, (roi_name, polygons) in enumerate(rois.items(), start=1):
            item, region = Dataset(), Dataset()
            item.ROINumber = region.ReferencedROINumber = number
            item.ROIName = roi_name
            contours = []
            for polygon in polygons:
                contour = Dataset()
                contour.ContourGeometricType = "CLOSED_PLANAR"
                contour.NumberOfContourPoints = len(polygon)
                contour.ContourData = [f"{value:.6f}" for value in np.asarray(polygon).ravel()]
                contours.append(contour)
            region.ContourSequence = Items(contours)
            names.append(item)
            drawn.append(region)
        dataset.StructureSetROISequence = Items(names)
        dataset.ROIContourSequence = Items(drawn)
        edit(dataset, 0)
        return self.save(dataset, name)

    def seg(
        self,
        segments: dict[str, np.ndarray],
        referenced: str = "1.2.3.1",
        series: str = "1.2.3.4",
        kind: str = "BINARY",
        name: str = "seg/SEG.dcm",
        edit: Edit = _nothing,
    ) -> Path:
        """Write segments: for each label an array (z, y, x); empty slices get no frame."""
        dataset = self.common("SEG", SEG_CLASS, series, 0)
        reference = Dataset()
        reference.SeriesInstanceUID = referenced
        dataset.ReferencedSeriesSequence = Items([reference])
        dataset.SegmentationType = kind
        orientation, measures, shared = Dataset(), Dataset(), Dataset()
        orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        measures.PixelSpacing = [self.spacing[1], self.spacing[0]]
        measures.SliceThickness = measures.SpacingBetweenSlices = self.spacing[2]
        shared.PlaneOrientationSequence = Items([orientation])
        shared.PixelMeasuresSequence = Items([measures])
        dataset.SharedFunctionalGroupsSequence = Items([shared])
        labels, groups, frames = [], [], []
        for number, (label, array) in enumerate(segments.items(), start=1):
            segment = Dataset()
            segment.SegmentNumber, segment.SegmentLabel = number, label
            labels.append(segment)
            for z in np.flatnonzero(array.any(axis=(1, 2))):
                position, identity, group = Dataset(), Dataset(), Dataset()
                x0, y0, z0 = self.origin
                position.ImagePositionPatient = [x0, y0, z0 + int(z) * self.spacing[2]]
                identity.ReferencedSegmentNumber = number
                group.PlanePositionSequence = Items([position])
                group.SegmentIdentificationSequence = Items([identity])
                groups.append(group)
                frames.append(array[z])
        dataset.SegmentSequence = Items(labels)
        dataset.PerFrameFunctionalGroupsSequence = Items(groups)
        pixels = np.stack(frames)
        dataset.NumberOfFrames, dataset.Rows, dataset.Columns = pixels.shape
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.PixelRepresentation = 0
        if kind == "FRACTIONAL":
            dataset.MaximumFractionalValue = 200
        bits = 1 if kind == "BINARY" else 8
        dataset.BitsAllocated = dataset.BitsStored = bits
        dataset.HighBit = bits - 1
        flat = pixels.astype(np.uint8).ravel()
        data = np.packbits(flat, bitorder="little").tobytes() if bits == 1 else flat.tobytes()
        dataset.PixelData = data + b"\0" * (len(data) % 2)
        edit(dataset, 0)
        return self.save(dataset, name)


@pytest.fixture
def dicom(tmp_path: Path) -> DicomWriter:
    """A writer of one patient's files in an empty folder."""
    return DicomWriter(tmp_path / "dicom")
