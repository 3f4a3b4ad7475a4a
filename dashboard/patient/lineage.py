"""Where the numbers of one patient come from: DICOM UIDs, the account of the SUV, masks, settings, versions of code."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import wording
from dashboard.data import Source, details, snapshot

_ENTRIES = 64

_SERIES = (
    'SELECT role AS "Role", modality AS "Modality", series_description AS "Description", n_instances AS "Files",'
    ' series_instance_uid AS "Series Instance UID", referenced_series_instance_uid AS "Drawn on",'
    ' set_aside_code AS "Set aside" FROM series WHERE patient_id = $patient AND (scan_id = $scan OR scan_id IS NULL)'
    " ORDER BY role = 'NONE', role, series_instance_uid"
)
_ADAPTATIONS = (
    'SELECT code AS "Adaptation", keyword AS "Keyword", value_from AS "From", value_to AS "To", message AS "Why"'
    " FROM suv_adaptations WHERE patient_id = $patient AND scan_id = $scan ORDER BY code, keyword"
)
_MASKS = (
    'SELECT protocol_id AS "Protocol", modality AS "On", mask_source AS "From", n_lesions AS "Lesions",'
    ' volume_ml AS "Volume, ml", drawn_volume_ml AS "As drawn, ml", mask_series_instance_uid AS "Contours (UID)"'
    " FROM delineations WHERE patient_id = $patient AND scan_id = $scan ORDER BY protocol_id, modality DESC"
)
_EXCLUSIONS = (
    'SELECT protocol_id AS "Protocol", reason AS "Reason", organ AS "Organ", volume_ml AS "Volume, ml",'
    ' suv_max AS "SUVmax" FROM exclusions WHERE patient_id = $patient AND scan_id = $scan'
    " ORDER BY protocol_id, reason, organ"
)
_REFERENCES = (
    'SELECT region AS "Region", suv_mean AS "SUVmean", suv_sd AS "SD", radius_mm AS "Radius, mm",'
    ' n_voxels AS "Voxels" FROM reference_regions WHERE patient_id = $patient AND scan_id = $scan ORDER BY region'
)
_EXTRACTIONS = (
    'SELECT feature_set_id AS "Feature set", any_value(engine) AS "Engine", count(*) AS "Lesions",'
    ' any_value(spacing_x_mm) AS "x, mm", any_value(spacing_y_mm) AS "y, mm", any_value(spacing_z_mm) AS "z, mm",'
    ' sum(n_features - n_missing)::BIGINT AS "Values", sum(n_missing)::BIGINT AS "Reasons instead"'
    " FROM feature_extractions WHERE patient_id = $patient AND scan_id = $scan GROUP BY feature_set_id"
    " ORDER BY feature_set_id"
)
_CODE = (
    'SELECT table_name AS "Table", code_version AS "Code version", settings_sha256 AS "Settings",'
    ' input_sha256 AS "Input", data_sha256 AS "Rows", petlake_version AS "petlake",'
    ' petlake_commit AS "Commit", petlake_modified AS "Modified" FROM provenance'
    " WHERE patient_id = $patient ORDER BY table_name"
)
_IMAGES = (
    'SELECT \'PET, SUV\' AS "Image", suv_image_sha256 AS "SHA-256" FROM suv'
    " WHERE patient_id = $patient AND scan_id = $scan UNION ALL"
    " SELECT 'CT, Hounsfield units', ct_image_sha256 FROM scans"
    " WHERE patient_id = $patient AND scan_id = $scan AND ct_image_sha256 IS NOT NULL UNION ALL"
    " SELECT DISTINCT 'Lesions on ' || modality || ', ' || protocol_id, label_map_sha256 FROM lesions"
    " WHERE patient_id = $patient AND scan_id = $scan"
)
_PROTOCOLS = "SELECT protocol_id, settings_json FROM protocols ORDER BY protocol_id"
_FEATURE_SETS = "SELECT feature_set_id, settings_json FROM feature_sets ORDER BY feature_set_id"


def lineage(source: Source, patient_id: str, scan_id: str) -> None:
    """Show all of it, folded."""
    of_scan = {"patient": patient_id, "scan": scan_id}
    with st.expander("DICOM series", icon=":material/folder:"):
        _table(_read(source, _SERIES, of_scan), "There are no DICOM series of this scan.")
    with st.expander("From stored values to SUV", icon=":material/calculate:"):
        _table(_suv_account(source, patient_id, scan_id), "No SUV was computed.")
        st.markdown("**Adaptations**")
        _table(_read(source, _ADAPTATIONS, of_scan), "None: the header said all that was needed.")
    with st.expander("Masks and protocols", icon=":material/contract_edit:"):
        _table(_read(source, _MASKS, of_scan), "No lesions are known.")
        for heading, query in (("Account of the thresholds", _EXCLUSIONS), ("Reference regions", _REFERENCES)):
            found = _read(source, query, of_scan)
            if not found.empty:
                st.markdown(f"**{heading}**")
                _table(found, "")
        _settings(source, _PROTOCOLS)
    with st.expander("Features", icon=":material/grid_on:"):
        _table(_read(source, _EXTRACTIONS, of_scan), "No radiomic features were computed.")
        _settings(source, _FEATURE_SETS)
    with st.expander("Images, versions of the code and digests", icon=":material/fingerprint:"):
        _table(_read(source, _IMAGES, of_scan), "No image is kept.")
        _table(_read(source, _CODE, {"patient": patient_id}), "Nothing was recorded.")
        st.caption(f"Snapshot `{source.snapshot_id}`, petlake {details(source).code.text}.")


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def _read(source: Source, query: str, parameters: dict[str, str]) -> pd.DataFrame:
    return snapshot(source).frame(query, parameters)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def _suv_account(source: Source, patient_id: str, scan_id: str) -> pd.DataFrame:
    """Every input of the SUV, one row each: Quantity, Value, Unit, Meaning."""
    opened = snapshot(source)
    row = opened.frame(
        "SELECT * FROM suv WHERE patient_id = $patient AND scan_id = $scan", {"patient": patient_id, "scan": scan_id}
    )
    if row.empty:
        return row
    meanings = opened.sql(
        "SELECT column_name, unit, description FROM column_definitions WHERE table_name = 'suv' ORDER BY rowid"
    ).rows
    shown = [
        (str(name).replace("_", " "), _value(row[str(name)].iloc[0]), unit or "", str(description))
        for name, unit, description in meanings
        if name not in ("patient_id", "scan_id")
    ]
    return pd.DataFrame(shown, columns=["Quantity", "Value", "Unit", "Meaning"])


def _value(value: object) -> str:
    if value is None or pd.isna(value):
        return "not stated"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _settings(source: Source, query: str) -> None:
    """The settings of each protocol or feature set of the snapshot, as JSON."""
    for name, text in _read(source, query, {}).itertuples(index=False):
        st.markdown(f"**{wording.literal_markdown(name)}**")
        st.json(text, expanded=False)


def _table(frame: pd.DataFrame, nothing: str) -> None:
    if frame.empty:
        st.caption(nothing)
    else:
        st.dataframe(frame, hide_index=True, height="content")
