"""The page of one patient: on images made by code, without them, and when nobody is there."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard.data import SNAPSHOT_VARIABLE, STUDY_VARIABLE
from figures.png import png_bytes
from tests.dashboard.conftest import PROTOCOL, NewStudy, publish_study, row, write_study
from tests.dashboard.wording import same_wording
from tests.some import some
from warehouse.queries.open_snapshot import Snapshot
from warehouse.storage.lake import Lake

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
IMAGED, UNIMAGED, ALSO_IMAGED, WITHOUT_SCAN = "P001", "P002", "P003", "P004"
PET_AFFINE = np.array([[8.0, 0, 0, -60.0], [0, 8.0, 0, -40.0], [0, 0, 10.0, -90.0], [0, 0, 0, 1]])
CT_AFFINE = np.array([[4.0, 0, 0, -60.0], [0, 4.0, 0, -40.0], [0, 0, 10.0, -90.0], [0, 0, 0, 1]])
# Label to the first voxel (z, y, x) of a cube of 2 voxels: L01 low and on the right, L02 high and on the left.
CUBES = {1: (3, 2, 2), 2: (15, 6, 11)}
SERIES_UID = "1.2.840.99.1"


def write_images(lake: Lake, patient: str) -> None:
    pet = np.ones((20, 10, 16), dtype=np.float32)
    labels = np.zeros(pet.shape, dtype=np.uint16)
    for label, (z, y, x) in CUBES.items():
        pet[z : z + 2, y : y + 2, x : x + 2], labels[z : z + 2, y : y + 2, x : x + 2] = 9.0 + label, label
    suv = lake.write_volume(patient, pet, PET_AFFINE)
    ct = lake.write_volume(patient, np.full((20, 20, 32), 40, dtype=np.int16), CT_AFFINE)
    label_map = lake.write_volume(patient, labels, PET_AFFINE)
    picture = lake.write_picture(patient, png_bytes(Image.new("RGB", (40, 30), "white"), {}))
    scan = {"patient_id": patient, "scan_id": "S1"}
    lesion = {**scan, "protocol_id": PROTOCOL}
    lake.write(
        "scans", patient, [row("scans", **scan, time_point=1, ct_image_sha256=ct, scan_date=dt.date(2014, 12, 22))]
    )
    lake.write("suv", patient, [row("suv", **scan, suv_max=11.0, suv_image_sha256=suv, series_instance_uid=SERIES_UID)])
    lake.write("series", patient, [row("series", **scan, role="PET", series_instance_uid=SERIES_UID)])
    lake.write("delineations", patient, [row("delineations", **lesion, modality="PT", n_lesions=2)])
    rows = []
    for label, (z, y, x) in CUBES.items():
        cx, cy, cz = (PET_AFFINE @ [x + 0.5, y + 0.5, z + 0.5, 1.0])[:3]
        centre = {"centroid_x_mm": cx, "centroid_y_mm": cy, "centroid_z_mm": cz}
        name = {"lesion_id": f"L0{label}", "label": label, "organ": ("liver", "spine")[label - 1]}
        rows.append(
            row("lesions", **lesion, **name, **centre, modality="PT", volume_ml=9.0 - label, label_map_sha256=label_map)
        )
    lake.write("lesions", patient, rows)
    metrics = [
        row("pet_metrics", **lesion, grain="lesion", region=f"L0{n}", volume_ml=9.0 - n, suv_max=9.0 + n, suv_mean=5.0)
        for n in CUBES
    ]
    total = row("pet_metrics", **lesion, grain="patient", region="all", n_lesions=2, volume_ml=15.0, suv_max=11.0)
    lake.write("pet_metrics", patient, [*metrics, total])
    lake.write(
        "pictures",
        patient,
        [row("pictures", **lesion, kind="mip", picture_sha256=picture, suv_window_low=0.0, suv_window_high=15.0)],
    )


@pytest.fixture(scope="module")
def imaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imaged")
    write_study(folder, n_patients=6)
    for patient in (IMAGED, ALSO_IMAGED):
        write_images(Lake(folder / "lake"), patient)
    for table in ("scans", "suv"):
        Lake(folder / "lake").remove(table, WITHOUT_SCAN)
    message = {"code": "PET_SERIES_MISSING", "message": "There is no PET series", "found": "CT"}
    refused = row("refusals", patient_id=WITHOUT_SCAN, table_name="scans", **message)
    Lake(folder / "lake").write("refusals", WITHOUT_SCAN, [refused])
    publish_study(folder)
    return folder


def opened(
    monkeypatch: pytest.MonkeyPatch, study: Path, patient: str | None = None, user: dict[str, object] | None = None
) -> AppTest:
    monkeypatch.delenv(SNAPSHOT_VARIABLE, raising=False)
    monkeypatch.setenv(STUDY_VARIABLE, str(study))
    app = AppTest.from_file(APP, default_timeout=60)
    if user is not None:
        app.user = user
    if patient is not None:
        app.query_params["patient"] = patient
    return checked(app.run().switch_page("patient/page.py").run())


def checked(app: AppTest) -> AppTest:
    assert not app.exception, [element.message for element in app.exception]
    assert not app.error
    return app


def texts(app: AppTest) -> str:
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.warning, app.info)
    return "\n".join(str(element.value) for elements in kinds for element in elements)


def slices(app: AppTest, patient: str = IMAGED) -> list[int]:
    return [app.slider(key=f"{patient}_S1_{plane}").value for plane in ("axial", "coronal", "sagittal")]


def pictures(app: AppTest) -> list[tuple[str, str]]:
    return [(image.alt, image.url) for element in app.get("image") for image in element.proto.imgs]


def test_projection_lesions_planes_and_lineage_of_a_patient(monkeypatch: pytest.MonkeyPatch, imaged: Path) -> None:
    app = opened(monkeypatch, imaged, IMAGED)
    alts = [alt for alt, _ in pictures(app)]
    assert alts[0].startswith("Coronal and sagittal maximum-intensity projection of P001 with 2 lesions")
    assert [alt.partition(",")[0] for alt in alts[1:]] == ["Axial plane", "Coronal plane", "Sagittal plane"]
    lesions = app.dataframe[0].value
    assert list(lesions["Lesion"]) == ["L01", "L02"]
    assert list(lesions["SUVmax"]) == [10.0, 11.0]
    assert "SUV there: 10.00" in texts(app)
    same_wording(app, "patient", "projection lesions planes and lineage of a patient")
    assert any(SERIES_UID in frame.value.astype(str).to_numpy() for frame in app.dataframe)
    specs = {chart.proto.id.rpartition("-")[2]: str(chart.proto.spec) for chart in app.get("plotly_chart")}
    assert "scan 1" in specs["patient_time_line"]
    assert "-10" in specs["patient_time_line"], "ten days before the origin of 1 January 2015"
    assert "2014" not in specs["patient_time_line"]
    assert "n = 6" in specs["patient_strips"]


def test_planes_move_together_to_a_lesion_and_one_by_one(monkeypatch: pytest.MonkeyPatch, imaged: Path) -> None:
    app = opened(monkeypatch, imaged, IMAGED)
    # Head first, from 1: L01's cube of slices 3 and 4 of 20, counted from the feet, is centred between 16 and 17.
    axial, coronal, sagittal = slices(app)
    assert axial in (16, 17)
    assert {coronal, sagittal} <= {3, 4}
    before = pictures(app)
    app = checked(app.selectbox(key="patient_lesion").set_value("L02").run())
    assert "SUV there: 11.00" in texts(app)
    moved = pictures(app)
    assert moved[0] == before[0]
    assert all(new[1] != old[1] for new, old in some(zip(moved[1:], before[1:], strict=True)))

    others = slices(app)[1:]
    app = checked(app.slider(key=f"{IMAGED}_S1_axial").set_value(1).run())
    assert slices(app) == [1, *others]
    assert "SUV there: 1.00" in texts(app)
    app = checked(app.selectbox(key="patient").set_value(ALSO_IMAGED).run())
    assert app.selectbox(key="patient_lesion").value == "L01", "the lesion of another patient is none of this one"
    assert slices(app, ALSO_IMAGED) == [axial, coronal, sagittal]
    app.segmented_control(key="planes_show").set_value("CT")
    app = checked(app.selectbox(key="planes_field").set_value("150").run())
    assert [alt.split(", ")[1] for alt, _ in pictures(app)[1:]] == ["CT"] * 3


def test_images_that_are_gone_are_a_sentence(monkeypatch: pytest.MonkeyPatch, imaged: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(imaged, tmp_path / "moved"))
    shutil.rmtree(moved / "lake" / "volumes")
    app = opened(monkeypatch, moved, IMAGED)
    same_wording(app, "patient", "images that are gone are a sentence")
    assert "VOLUME_UNKNOWN" in texts(app)
    assert not pictures(app)
    assert len(app.dataframe[0].value) == 2, "numbers stay"


def test_a_patient_without_delineation_and_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch, imaged: Path) -> None:
    app = opened(monkeypatch, imaged, UNIMAGED)
    same_wording(app, "patient", "a patient without delineation and one that is not there")
    assert not pictures(app)

    app = opened(monkeypatch, imaged, "P099")
    same_wording(app, "patient", "a patient without delineation and one that is not there (2)")
    assert app.selectbox(key="patient").value == IMAGED


def test_refusals_stand_on_the_page_of_their_patient(monkeypatch: pytest.MonkeyPatch, imaged: Path) -> None:
    app = opened(monkeypatch, imaged, WITHOUT_SCAN)
    assert "scans: PET_SERIES_MISSING: There is no PET series (found CT)." in texts(app)
    same_wording(app, "patient", "refusals stand on the page of their patient")


def test_a_viewer_sees_no_images(monkeypatch: pytest.MonkeyPatch, imaged: Path, tmp_path: Path) -> None:
    guarded = Path(shutil.copytree(imaged, tmp_path / "guarded"))
    (guarded / "access.yaml").write_text('viewer: {emails: ["*@hospital.example"]}\n', encoding="utf-8")
    viewer = {"is_logged_in": True, "email": "bo@hospital.example", "email_verified": True}
    app = opened(monkeypatch, guarded, IMAGED, viewer)
    same_wording(app, "patient", "a viewer sees no images")
    assert not pictures(app)
    assert not app.dataframe


def test_the_page_with_one_patient(monkeypatch: pytest.MonkeyPatch, new_study: NewStudy) -> None:
    folder, publish_patients = new_study
    publish_patients(1)
    app = opened(monkeypatch, folder)
    assert not app.warning
    assert app.selectbox(key="patient").options == [IMAGED]


def test_a_snapshot_older_than_pictures_says_what_to_do_and_shows_the_rest(
    monkeypatch: pytest.MonkeyPatch, imaged: Path
) -> None:
    tables = Snapshot.tables
    monkeypatch.setattr(Snapshot, "tables", lambda self: tuple(t for t in tables(self) if t.name != "pictures"))
    app = opened(monkeypatch, imaged)
    assert not app.error
    assert any("published before scans had pictures" in element.value for element in app.markdown)
    assert app.metric


def test_the_page_without_patients(monkeypatch: pytest.MonkeyPatch, empty_study: Path) -> None:
    assert "This snapshot holds no patients" in texts(opened(monkeypatch, empty_study))
