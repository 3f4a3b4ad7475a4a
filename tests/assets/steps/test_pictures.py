"""Pictures and label maps of two small synthetic patients: in the lake, in Dagster, and in 3D Slicer's place."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import dagster as dg
import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from assets.work import PatientJob, process_patient
from orchestration.instance import study_instance
from petct.image.volume import Geometry
from records.imaging import SuvRecord
from records.masks import ExclusionRecord, LesionRecord, PictureRecord
from tests.assets.conftest import Study
from tests.some import some
from warehouse.errors import WarehouseError
from warehouse.storage.lake import Lake

FIRST = "NET-001"


def picture_of(lake: Lake, patient: str = FIRST) -> PictureRecord:
    (row,) = lake.read("pictures", patient, PictureRecord)
    return row


def test_the_picture_is_where_its_row_and_dagster_say_and_is_what_was_written(materialized: Study) -> None:
    lake = Lake(materialized.settings.lake)
    row = picture_of(lake)
    with study_instance(materialized.folder) as instance:
        (record,) = instance.fetch_materializations(
            dg.AssetRecordsFilter(dg.AssetKey("pictures"), asset_partitions=[FIRST]), limit=1
        ).records
        event = record.asset_materialization
    path = event.metadata["projection (contours)"]
    assert isinstance(path, dg.PathMetadataValue)
    assert path.value == row.path
    assert not PurePosixPath(row.path).is_absolute()
    assert (lake.root / row.path).read_bytes() == lake.read_picture(FIRST, row.picture_sha256)
    with Image.open(lake.root / row.path) as picture:
        assert (picture.width, picture.height) == (row.width_px, row.height_px)
        assert picture.info["Title"] == f"{FIRST} · scan {row.scan_id}"
    lesions = [lesion for lesion in lake.read("lesions", FIRST, LesionRecord) if lesion.modality == "PT"]
    assert (row.n_lesions, row.label_map_sha256) == (len(lesions), lesions[0].label_map_sha256)
    assert (row.suv_window_low, row.suv_window_high) == (0.0, 15.0), "68Ga-DOTATOC"
    assert row.excluded_mask_sha256 is None


def test_drawn_again_it_is_the_same_file_and_no_other_table_has_changed(computed: Study) -> None:
    lake = Lake(computed.settings.lake)
    before = {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()}
    assert process_patient(PatientJob(FIRST, ("pictures",), computed.settings)).complete
    after = {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()}
    assert {path for path in some(before.keys() | after.keys()) if before.get(path) != after.get(path)} == set()


def test_a_picture_that_is_lost_or_changed_is_said(computed: Study) -> None:
    lake = Lake(computed.settings.lake)
    sha256 = picture_of(lake).picture_sha256
    path = lake.picture_path(FIRST, sha256)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WarehouseError, match="PICTURE_CORRUPT"):
        lake.read_picture(FIRST, sha256)
    path.unlink()
    with pytest.raises(WarehouseError, match="PICTURE_UNKNOWN"):
        lake.read_picture(FIRST, sha256)
    with pytest.raises(WarehouseError, match="PICTURE_UNKNOWN"):
        lake.read_picture(FIRST, "../elsewhere")
    with pytest.raises(WarehouseError, match="PICTURE_INVALID"):
        lake.write_picture(FIRST, b"GIF89a")


def test_one_picture_for_each_protocol_with_what_it_excludes(computed: Study) -> None:
    """Drawn with the lesions, and drawn alone later: the same, and its mask is the account of the exclusion."""
    computed.replace("protocols: [contours]", "protocols: [contours, suv_4]")
    outcome = process_patient(PatientJob(FIRST, ("lesions", "pictures"), computed.settings))
    assert outcome.complete
    lake = Lake(computed.settings.lake)
    drawn, thresholded = rows = lake.read("pictures", FIRST, PictureRecord)
    assert [row.protocol_id.partition("-")[0] for row in rows] == ["contours", "suv_4"]
    assert [name for name, _ in outcome.tables[1].paths] == ["projection (contours)", "projection (suv_4)"]
    assert drawn.picture_sha256 != thresholded.picture_sha256
    assert drawn.excluded_mask_sha256 is None
    mask, _ = lake.read_volume(FIRST, thresholded.excluded_mask_sha256)
    account = [
        line.n_voxels
        for line in lake.read("exclusions", FIRST, ExclusionRecord)
        if (line.protocol_id, line.reason) == (thresholded.protocol_id, "PHYSIOLOGICAL")
    ]
    assert np.count_nonzero(mask) == sum(account) > 0
    assert process_patient(PatientJob(FIRST, ("pictures",), computed.settings)).complete
    assert lake.read("pictures", FIRST, PictureRecord) == rows


def test_without_suv_there_is_no_picture_and_the_reason(not_computed: Study) -> None:
    import pydicom

    for path in sorted((not_computed.folder / "dicom" / FIRST / "PT").iterdir()):
        dataset = pydicom.dcmread(path)
        del dataset.PatientWeight
        dataset.save_as(path)
    not_computed.ingest()
    tables = ("series", "scans", "suv", "pictures")
    outcome = process_patient(PatientJob(FIRST, tables, not_computed.settings))
    (why,) = outcome.tables[-1].refusals
    assert (why.code, why.found) == ("UPSTREAM_MISSING", "SUV_WEIGHT_MISSING")
    assert not Lake(not_computed.settings.lake).exists("pictures", FIRST)


def test_label_map_and_pet_lie_on_one_another_and_lesions_where_they_were_put(materialized: Study) -> None:
    """As 3D Slicer reads them (ITK): the same grid, and every lesion's centroid at the place in the truth."""
    lake = Lake(materialized.settings.lake)
    (suv,) = lake.read("suv", FIRST, SuvRecord)
    lesions = [row for row in lake.read("lesions", FIRST, LesionRecord) if row.modality == "PT"]
    pet = sitk.ReadImage(str(lake.volume_path(FIRST, suv.suv_image_sha256)))
    labels = sitk.ReadImage(str(lake.volume_path(FIRST, lesions[0].label_map_sha256)))
    for quantity in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(labels, quantity)() == getattr(pet, quantity)()

    statistics = sitk.LabelShapeStatisticsImageFilter()
    statistics.Execute(labels)
    assert set(statistics.GetLabels()) == {row.label for row in lesions}
    planted = planted_centroids(materialized.folder / "truth" / f"{FIRST}.npz")
    for row in some(lesions):
        found = np.array(statistics.GetCentroid(row.label))
        assert found == pytest.approx([row.centroid_x_mm, row.centroid_y_mm, row.centroid_z_mm], abs=1e-3)
        assert np.linalg.norm(planted - found, axis=1).min() < 1e-3


def planted_centroids(truth: Path) -> np.ndarray:
    """Centroids (n, 3) in patient mm of the lesions as they were put on the PET grid."""
    with np.load(truth) as stored:
        lesions, affine = stored["lesions"], stored["affine"]
    geometry = Geometry.from_affine(affine, lesions.shape)
    indices = [np.argwhere(lesions == number)[:, ::-1].mean(axis=0) for number in range(1, lesions.max() + 1)]
    return geometry.to_physical(np.array(indices))
