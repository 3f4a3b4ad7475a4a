"""Compressed transfer syntaxes: the same stored values as without compression, lossy ones with a finding."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import JPEGLSLossless, RLELossless

from petct.dicom.index import index_folder
from petct.dicom.series import read_ct, read_pet
from petct.errors import DicomError
from tests.petct.conftest import DicomWriter
from tests.some import some

JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
_BY_GDCM = {JPEG_LOSSLESS: "JPEG", JPEG_2000_LOSSLESS: "JPEG2000"}
SYNTAXES = (JPEG_LOSSLESS, JPEG_2000_LOSSLESS, RLELossless, JPEGLSLossless)


def _encoded(frame: np.ndarray, syntax: str, folder: Path) -> bytes:
    """One frame as a stream; GDCM writes whole files, of which the stream is taken."""
    path = folder / "frame.dcm"
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.SetUseCompression(True)
    writer.SetCompressor(_BY_GDCM[syntax])
    writer.SetFileName(str(path))
    writer.Execute(sitk.GetImageFromArray(frame))
    written = dcmread(path)
    assert written.file_meta.TransferSyntaxUID == syntax
    return get_frame(written.PixelData, 0)


def _compress(path: Path, syntax: str, folder: Path) -> None:
    dataset: Dataset = dcmread(path)
    if syntax in _BY_GDCM:
        frames = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
        dataset.PixelData = encapsulate([_encoded(frame, syntax, folder) for frame in frames])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax
    else:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_compressed_series_have_the_values_of_uncompressed_ones(
    dicom: DicomWriter, syntax: str, tmp_path: Path
) -> None:
    where = {"patient_id": "P1", "series_instance_uid": "1.2.3.1"}
    dicom.rows, dicom.columns = 20, 24
    pet, ct = dicom.pet(), dicom.ct()
    whole = read_pet(pet, **where).volume.array
    hounsfield = read_ct(ct, patient_id="P1", series_instance_uid="1.2.3.2").volume.array
    for path in (*pet, *ct):
        _compress(path, syntax, tmp_path)
    assert np.array_equal(read_pet(pet, **where).volume.array, whole)
    assert np.array_equal(read_ct(ct, patient_id="P1", series_instance_uid="1.2.3.2").volume.array, hounsfield)
    assert index_folder(dicom.root).findings == ()


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, RLELossless])
def test_compressed_frames_of_enhanced_pet(dicom: DicomWriter, syntax: str, tmp_path: Path) -> None:
    where = {"patient_id": "P1", "series_instance_uid": "1.2.3.1"}
    path = dicom.enhanced_pet()
    whole = read_pet([path], **where).volume.array
    _compress(path, syntax, tmp_path)
    assert np.array_equal(read_pet([path], **where).volume.array, whole)


@pytest.mark.parametrize(
    ("declared", "syntax", "expected"),
    [
        (None, "1.2.840.10008.1.2.4.91", True),
        (None, "1.2.840.10008.1.2.4.81", True),
        (None, "1.2.840.10008.1.2.4.50", True),
        # JPEG 2000 may be lossless where loss is allowed; then the header says so.
        ("00", "1.2.840.10008.1.2.4.91", False),
        ("00", "1.2.840.10008.1.2.4.50", True),
        ("01", JPEG_2000_LOSSLESS, True),
        (None, JPEG_LOSSLESS, False),
    ],
)
def test_loss_is_found_by_header_and_by_transfer_syntax(
    dicom: DicomWriter, declared: str | None, syntax: str, expected: bool
) -> None:
    def edit(dataset: Dataset, _index: int) -> None:
        if declared is not None:
            dataset.LossyImageCompression = declared

    for path in dicom.pet(edit=edit):
        dataset = dcmread(path)
        dataset.PixelData = encapsulate([b"\0\0"])
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path)
    codes = {finding.code for finding in index_folder(dicom.root).findings}
    assert ("INDEX_LOSSY_COMPRESSION" in codes) is expected


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_damaged_streams_are_refused_or_right(dicom: DicomWriter, syntax: str, tmp_path: Path) -> None:
    dicom.rows, dicom.columns = 20, 24
    paths = dicom.pet(n=2)
    where = {"patient_id": "P1", "series_instance_uid": "1.2.3.1"}
    _compress(paths[0], syntax, tmp_path)
    data = paths[0].read_bytes()
    start = data.index(b"\xe0\x7f\x10\x00")
    refused = 0
    for size in range(start, len(data), math.ceil((len(data) - start) / 12)):
        paths[0].write_bytes(data[:size])
        try:
            read_pet(paths, **where)
        except DicomError:
            refused += 1
    assert refused >= 6


def test_a_damaged_jpeg_header_never_ends_the_process(dicom: DicomWriter, tmp_path: Path) -> None:
    """The decoder calls ``terminate`` where depth or tables make no sense: such a stream must not reach it."""
    dicom.rows, dicom.columns = 20, 24
    (path, _) = paths = dicom.pet(n=2)
    where = {"patient_id": "P1", "series_instance_uid": "1.2.3.1"}
    whole = read_pet(paths, **where).volume.array
    _compress(path, JPEG_LOSSLESS, tmp_path)
    data = path.read_bytes()
    start = data.index(b"\xff\xd8\xff")
    refused = 0
    for place in some(range(start, start + 45)):
        for bit in (0, 3, 6):
            spoiled = bytearray(data)
            spoiled[place] ^= 1 << bit
            path.write_bytes(spoiled)
            try:
                assert read_pet(paths, **where).volume.array.shape == whole.shape
            except DicomError:
                refused += 1
    assert refused > 60
