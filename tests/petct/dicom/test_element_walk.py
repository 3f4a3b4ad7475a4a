"""The walk over elements gives what pydicom's parser gives, or gives up."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from petct.dicom.element_walk import UnusualFileError, walk
from petct.dicom.parsing import at_pixel_data, lenient_parsing
from tests.petct.conftest import DicomWriter
from tests.some import some


def _parsed(data: bytes) -> Dataset:
    return read_partial(BytesIO(data), lambda tag, _vr, _length: at_pixel_data(int(tag)))


def _same(data: bytes) -> int:
    """Compare all elements; the number of those that are equal."""
    theirs = _parsed(data)
    tags = list(theirs.keys())
    ours, stopped_at, offset = walk(data, tags, at_pixel_data)
    assert list(ours.keys()) == tags
    assert stopped_at == 0x7FE00010
    assert data[offset : offset + 4] == b"\xe0\x7f\x10\x00"
    assert ours.original_encoding == theirs.original_encoding
    assert ours.file_meta.TransferSyntaxUID == theirs.file_meta.TransferSyntaxUID
    with lenient_parsing():
        for tag in some(tags):
            mine, other = ours[tag], theirs[tag]
            assert (mine.VR, mine.value) == (other.VR, other.value)
    return len(tags)


def _nested(depth: int) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodeMeaning = "C-111A1", "^18^Fluorine"
    if depth:
        item.ConceptCodeSequence = _nested(depth - 1)
    items = Sequence([item, Dataset()])
    item.is_undefined_length_sequence_item = depth % 2 == 0
    return items


def _with_sequences(dataset: Dataset, _index: int) -> None:
    dataset.AnatomicRegionSequence = _nested(4)
    dataset["AnatomicRegionSequence"].is_undefined_length = True
    dataset.RequestAttributesSequence = Sequence([])
    dataset["RequestAttributesSequence"].is_undefined_length = True
    dataset.ProcedureCodeSequence = _nested(0)
    block = dataset.private_block(0x0071, "SIEMENS MED PT", create=True)
    block.add_new(0x22, "DT", "20250101110000")
    block.add_new(0x23, "UN", b"\0" * 70000)
    dataset.PatientComments = "a text in several words" * 40


@pytest.mark.parametrize("implicit", [False, True])
def test_sequences_of_any_kind_are_stepped_over_and_kept(dicom: DicomWriter, implicit: bool) -> None:
    dicom.implicit = implicit
    (path,) = dicom.pet(n=1, edit=_with_sequences)
    data = path.read_bytes()
    assert _same(data) > 45
    ours, _, _ = walk(data, [0x00100020], at_pixel_data)
    assert list(ours.keys()) == [0x00100020]


def test_it_stops_where_it_is_told_or_at_the_end(dicom: DicomWriter) -> None:
    (path,) = dicom.pet(n=1)
    data = path.read_bytes()
    ours, stopped_at, offset = walk(data, [0x00100010, 0x00280010], lambda tag: tag >= 0x00200000)
    assert (list(ours.keys()), stopped_at) == ([0x00100010], 0x0020000D)
    assert data[offset : offset + 4] == b"\x20\x00\x0d\x00"
    _, stopped_at, offset = walk(data, [], lambda _tag: False)
    assert (stopped_at, offset) == (None, len(data))


def test_what_is_out_of_the_ordinary_is_left_to_pydicom(dicom: DicomWriter) -> None:
    (path,) = dicom.pet(n=1, edit=_with_sequences)
    data = path.read_bytes()
    place = data.index(b"\x10\x00\x20\x00LO")
    unusual = {
        "no prefix": data[:128] + b"dicm" + data[132:],
        "unknown type": data[: place + 4] + b"ZZ" + data[place + 6 :],
        "too long": data[: place + 6] + b"\xff\xff" + data[place + 8 :].replace(b"\xe0\x7f", b"\0\0")[:200],
        "no delimiter": data.replace(b"\xfe\xff\xdd\xe0", b"\xfe\xff\xdd\xe1"),
        "no transfer syntax": data.replace(b"\x02\x00\x10\x00UI", b"\x02\x00\x11\x00UI"),
    }
    for syntax in (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian):
        unusual[syntax.name] = data.replace(b"1.2.840.10008.1.2.1\0", syntax.encode().ljust(20, b"\0"), 1)
    for name, changed in unusual.items():
        assert changed != data, name
        with pytest.raises(UnusualFileError):
            walk(changed, [0x00100020], at_pixel_data)
    for end in some(range(0, data.index(b"\xe0\x7f\x10\x00") - 1, 97)):
        cut = data[:end]
        try:
            _, stopped_at, offset = walk(cut, [], at_pixel_data)
        except UnusualFileError:
            continue
        # Cut between two elements: the end of a shorter file, which has no pixels.
        assert (stopped_at, offset) == (None, end)


def test_real_files(petlake_data: Path) -> None:
    folders = ("sts/dicom/STS_001/PET/image", "sts/dicom/STS_014/CT/image", "sts/raw/STS_001/FDG_PET/image")
    folders += ("suv_dro/DRO_3_2/PT", "ibsi/ct_phantom/dicom/image")
    for folder in folders:
        path = sorted((petlake_data / folder).iterdir())[3]
        assert _same(path.read_bytes()) > 40
