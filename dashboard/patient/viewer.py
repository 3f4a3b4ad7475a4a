"""The images of one scan: projection, lesions, and three planes through one point that move together."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import notices, panels, wording
from dashboard.access import permissions
from dashboard.data import Source
from dashboard.patient import images as patient_images
from dashboard.patient.facts import Delineated, Scan, lesions, organs
from figures.organ_colours import OrganColour, organ_colours
from figures.planes import (
    CT_WINDOWS,
    PET_COLOURS,
    Field,
    Images,
    Look,
    Plane,
    Point,
    Shown,
    near_field,
    plane_picture,
    whole_field,
)
from figures.png import SHOWN_ONCE, png_bytes
from figures.slicer import NamedLabel, colour_table
from warehouse.errors import WarehouseError

_HEIGHT = 520
_WHOLE = "whole"
_FIELDS_MM = {_WHOLE: "Whole scan", "300": "30 cm", "150": "15 cm"}
_SHOWN: dict[Shown, str] = {"fused": "PET/CT", "PET": "PET", "CT": "CT"}
# Upright axis that each slider moves along, and what it is called there.
_SLIDERS: dict[Plane, tuple[int, str]] = {
    "axial": (0, "Axial, head to feet"),
    "coronal": (1, "Coronal, front to back"),
    "sagittal": (2, "Sagittal, right to left"),
}
_LESION = "patient_lesion"
_NO_LESION = "centre"
_SHOT = "patient_shot"
_LESION_COLUMNS = {
    "lesion_id": "Lesion",
    "organ": "Organ",
    "volume_ml": "ml",
    "suv_max": "SUVmax",
    "suv_mean": "SUVmean",
    "suv_peak_global": "SUVpeak",
}


@dataclass(frozen=True)
class Shot:
    """What the viewer shows: one scan of one patient under one protocol, if its lesions are known under any."""

    source: Source
    patient_id: str
    scan: Scan
    delineated: Delineated | None

    @property
    def key(self) -> str:
        """Begins the keys of all that is counted in voxels of this scan."""
        return f"{self.patient_id}_{self.scan.scan_id}"


@st.fragment
def viewer(shot: Shot) -> None:
    """Draw projection, lesion table and planes; a slider draws only this part of the page again."""
    # Asked again with every move of a slider, which the app around the page does not see.
    permissions.require(permissions.Permission.PATIENT_IMAGES, shot.source)
    found = _lesions(shot)
    left, right = st.columns(2, gap="medium")
    with left:
        _projection(shot)
    with right:
        _lesion_table(shot, found)
    st.subheader("PET/CT", anchor=False)
    if shot.scan.suv_image_sha256 is None:
        st.info("This scan has no SUV image; see reasons above.", icon=":material/hide_image:")
        return
    try:
        images = patient_images.images(
            shot.source.lake_root,
            shot.patient_id,
            shot.scan.suv_image_sha256,
            shot.scan.ct_image_sha256,
            shot.delineated.label_map_sha256 if shot.delineated else None,
        )
    except WarehouseError as refusal:
        _images_gone(refusal)
        return
    _planes(shot, images, found)


def _lesions(shot: Shot) -> pd.DataFrame:
    protocol = shot.delineated.protocol_id if shot.delineated else ""
    return lesions(shot.source, shot.patient_id, shot.scan.scan_id, protocol)


def _projection(shot: Shot) -> None:
    st.markdown("**Maximum-intensity projection**")
    if shot.delineated is None or shot.delineated.picture_sha256 is None:
        st.caption("No projection was drawn: the SUV or the lesions of this scan are not known.")
        return
    try:
        png = patient_images.picture(shot.source.lake_root, shot.patient_id, shot.delineated.picture_sha256)
    except WarehouseError as refusal:
        _images_gone(refusal)
        return
    count = wording.plural(shot.delineated.n_lesions, "lesion")
    st.image(
        png,
        width="stretch",
        output_format="PNG",
        alt=f"Coronal and sagittal maximum-intensity projection of {shot.patient_id} with {count}, outlined by organ.",
    )
    name = f"{shot.patient_id}_{shot.delineated.protocol_id}_mip.png"
    st.download_button("PNG", png, name, "image/png", icon=":material/download:", on_click="ignore")


def _images_gone(refusal: WarehouseError) -> None:
    notices.empty(
        "The images are not in the lake any more",
        f"{wording.literal_markdown(refusal.sentence())}\n\nThe snapshot keeps numbers and digests; images stay in the "
        "lake, which may have been moved or purged. `petlake materialize --all` computes them again from the DICOM.",
    )


def _lesion_table(shot: Shot, found: pd.DataFrame) -> None:
    st.markdown(f"**Lesions** (n = {len(found)})")
    if found.empty:
        known = shot.delineated is not None
        st.caption("No lesion: the tumour volume is 0." if known else "The lesions of this scan are not known.")
        return
    shown = found.rename(columns=_LESION_COLUMNS)[list(_LESION_COLUMNS.values())]
    shown["Organ"] = shown["Organ"].str.replace("_", " ")
    number = {name: st.column_config.NumberColumn(format="%.1f", width=68) for name in list(shown.columns)[3:]}
    number["ml"] = st.column_config.NumberColumn(format="%.1f", width=50, help="Volume")
    st.dataframe(
        shown,
        hide_index=True,
        column_config=panels.widths(Lesion=55, Organ=90) | number,
        height="content" if len(shown) <= 14 else 530,
        key=f"{shot.key}_lesion_rows",
        on_select=lambda: _row_chosen(shot, found),
        selection_mode="single-row",
    )
    st.caption("Choose a row to centre the planes on the lesion. SUVpeak: highest mean of 1 cm³ (IBSI 0F91).")
    named = [NamedLabel(int(row.label), str(row.lesion_id), str(row.organ)) for row in found.itertuples()]
    st.download_button(
        "Colour table for 3D Slicer",
        colour_table(named, organ_colours(organs(shot.source))),
        file_name=f"{shot.patient_id}_lesions.ctbl",
        mime="text/plain",
        icon=":material/palette:",
        help="Names and colours for the label map of these lesions; docs/pictures.md says how to open both.",
        on_click="ignore",
    )


def _row_chosen(shot: Shot, found: pd.DataFrame) -> None:
    rows = st.session_state[f"{shot.key}_lesion_rows"].selection.rows
    if rows:
        st.session_state[_LESION] = str(found["lesion_id"].iloc[rows[0]])
        _centre(shot)


def _slice_key(shot: Shot, plane: Plane) -> str:
    return f"{shot.key}_{plane}"


def _centre(shot: Shot) -> None:
    """Move all planes to the chosen lesion (a callback); the sliders take their new places in the next run."""
    for plane in _SLIDERS:
        st.session_state.pop(_slice_key(shot, plane), None)


def _planes(shot: Shot, images: Images, found: pd.DataFrame) -> None:
    look, field = _controls(shot, images, found)
    point = _point(shot, images)
    fields: dict[Plane, Field] = {
        plane: whole_field(plane, images.pet.geometry, _HEIGHT)
        if field == _WHOLE
        else near_field(plane, images.pet.geometry, point, float(field), _HEIGHT)
        for plane in _SLIDERS
    }
    colours = organ_colours(organs(shot.source))
    for plane, place in zip(fields, st.columns([of.width for of in fields.values()], gap="small"), strict=True):
        with place:
            picture = plane_picture(plane, images, point, fields[plane], look, colours)
            st.image(
                png_bytes(picture, {}, SHOWN_ONCE),
                width="stretch",
                output_format="PNG",
                alt=f"{plane.capitalize()} plane, {_SHOWN[look.shown]}, through {_words(point)}.",
            )
    st.caption(f"Centre at {_words(point)} (patient coordinates, LPS). SUV there: {_suv_at(images, point)}.")
    if look.organ_of_label:
        _colours_of_outlines(sorted(set(look.organ_of_label.values())), colours)


def _colours_of_outlines(shown: list[str], colours: dict[str, OrganColour]) -> None:
    """Which organ each colour of the outlines is."""
    keys = "".join(
        f'<span style="margin-right:1.2rem"><span aria-hidden="true" style="display:inline-block;width:.8rem;'
        f"height:.8rem;margin-right:.4rem;border:3px {'dashed' if colours[organ].dashed else 'solid'} "
        f'{colours[organ].colour}"></span>{html.escape(organ.replace("_", " "))}</span>'
        for organ in shown
    )
    st.html(f'<p style="margin:0;font-size:.875rem">Outlines: {keys}</p>')


def _controls(shot: Shot, images: Images, found: pd.DataFrame) -> tuple[Look, str]:
    """Everything that can be set, in two rows above the planes."""
    top = st.columns([5, 6, 4, 6, 5])
    names = [*(str(name) for name in found["lesion_id"]), _NO_LESION]
    if st.session_state.get(_SHOT, shot.key) != shot.key:
        # The lesion and the slices of the patient before mean nothing here.
        st.session_state[_LESION] = names[0]
        _centre(shot)
    st.session_state[_SHOT] = shot.key
    of_lesion = {str(row.lesion_id): str(row.organ).replace("_", " ") for row in found.itertuples()}
    top[0].selectbox(
        "Centre on",
        names,
        format_func=lambda name: f"{name}, {of_lesion[name]}" if name in of_lesion else "middle of the scan",
        key=_LESION,
        bind="query-params",
        on_change=_centre,
        args=(shot,),
    )
    shown: Shown = top[1].segmented_control(
        "Show",
        list(_SHOWN) if images.ct is not None else ["PET"],
        default="fused" if images.ct is not None else "PET",
        format_func=_SHOWN.__getitem__,
        required=True,
        key="planes_show" if images.ct is not None else "planes_show_pet",
        bind="query-params",
    )
    field = top[2].selectbox(
        "Field of view", list(_FIELDS_MM), format_func=_FIELDS_MM.__getitem__, key="planes_field", bind="query-params"
    )
    usual = shot.delineated.suv_window if shot.delineated and shot.delineated.suv_window else (0.0, 10.0)
    highest = max(5.0, float(np.ceil(shot.scan.suv_max or 0.0)), usual[1])
    window = top[3].slider("SUV window", 0.0, highest, usual, 0.5, key=f"{shot.key}_suv_window")
    opacity = top[4].slider("PET over CT", 0, 100, 60, 5, format="%d %%", key="planes_opacity", bind="query-params")
    bottom = st.columns([4, 4, 4, 4, 4, 3])
    for place, (plane, (axis, label)) in zip(bottom[:3], _SLIDERS.items(), strict=True):
        size = images.pet.geometry.shape[axis]
        key = _slice_key(shot, plane)
        if key not in st.session_state:
            st.session_state[key] = _start(images, found, axis)
        place.slider(label, 1, max(size, 2), key=key)
    ct_window = bottom[3].selectbox("CT window", list(CT_WINDOWS), key="planes_ct_window", bind="query-params")
    pet_colours = bottom[4].selectbox("PET colours", list(PET_COLOURS), key="planes_colours", bind="query-params")
    with bottom[5]:
        outlines = st.toggle("Outlines", value=True, key="planes_outlines", bind="query-params")
        crosshair = st.toggle("Crosshair", value=True, key="planes_crosshair", bind="query-params")
    organ_of_label = dict(zip(found["label"].astype(int), found["organ"].astype(str), strict=True))
    look = Look(
        shown,
        (window[0], max(window[1], window[0] + 0.1)),
        CT_WINDOWS[ct_window],
        opacity / 100,
        pet_colours,
        organ_of_label if outlines else None,
        crosshair,
    )
    return look, field


def _start(images: Images, found: pd.DataFrame, axis: int) -> int:
    """The slice (from 1) of an upright axis through the chosen lesion's centre, or through the middle."""
    chosen = found[found["lesion_id"] == st.session_state.get(_LESION, _NO_LESION)]
    size = images.pet.geometry.shape[axis]
    if chosen.empty:
        return (size + 1) // 2
    centre = chosen[["centroid_x_mm", "centroid_y_mm", "centroid_z_mm"]].to_numpy(dtype=np.float64)
    index = images.pet.geometry.to_index(centre)[0]
    return int(np.clip(round(float(index[2 - axis])), 0, size - 1)) + 1


def _point(shot: Shot, images: Images) -> Point:
    """Where the three planes meet: at the centres of the slices that the sliders name."""
    index = np.zeros((1, 3))
    for plane, (axis, _) in _SLIDERS.items():
        index[0, 2 - axis] = min(st.session_state[_slice_key(shot, plane)], images.pet.geometry.shape[axis]) - 1
    x, y, z = (float(value) for value in images.pet.geometry.to_physical(index)[0])
    return x, y, z


def _suv_at(images: Images, point: Point) -> str:
    x, y, z = (round(float(value)) for value in images.pet.geometry.to_index(np.array([point]))[0])
    return f"{float(images.pet.array[z, y, x]):.2f}"


def _words(point: Point) -> str:
    return "x {:.0f}, y {:.0f}, z {:.0f} mm".format(*point)
