"""Masks: protocols, whose lesions are known, and the lesions."""

from __future__ import annotations

from warehouse.schema import Table, integer, number, text
from warehouse.table_groups import keys

TABLES = (
    Table(
        "protocols",
        "masks",
        "protocol",
        "How lesions are delineated; every derived row names its protocol.",
        ("protocol_id",),
        (
            keys.PROTOCOL,
            text("name", "Readable name"),
            text("description", "One sentence"),
            text("settings_json", "The settings the digest is made of, as JSON"),
        ),
        per_patient=False,
    ),
    Table(
        "delineations",
        "masks",
        "scan, protocol and modality",
        "Whose lesions are known: one row where contours were read, also when they show no lesion.",
        ("patient_id", "scan_id", "protocol_id", "modality"),
        (
            keys.PATIENT,
            keys.SCAN,
            keys.PROTOCOL,
            text("modality", "The grid of the masks: PT or CT"),
            integer("n_lesions", "Lesions on this grid; 0 where a reader found none"),
            number("volume_ml", "Volume of the lesions on this grid", "ml"),
            number("drawn_volume_ml", "Their volume on the grid they were drawn on", "ml"),
            text("mask_source", "RTSTRUCT, SEG, THRESHOLD, or RESAMPLED from the other modality's grid"),
            text("mask_series_instance_uid", "Series Instance UID of the contours"),
        ),
    ),
    Table(
        "lesions",
        "masks",
        "lesion and modality",
        "Lesions: connected components of the tumour, on the PET and on the CT grid.",
        ("patient_id", "scan_id", "protocol_id", "lesion_id", "modality"),
        (
            keys.PATIENT,
            keys.SCAN,
            keys.PROTOCOL,
            keys.LESION,
            text("modality", "The grid of the mask: PT or CT"),
            text("organ", "Organ the lesion lies in, by largest overlap with the organ masks"),
            text("roi_name", "Name of the region or segment the lesion comes from"),
            integer("label", "Value of the lesion's voxels in the label map"),
            integer("n_voxels", "Voxels of the lesion"),
            number("volume_ml", "Volume of these voxels", "ml"),
            number("centroid_x_mm", "Centre of the voxels, patient coordinates (LPS), x", "mm"),
            number("centroid_y_mm", "The same, y", "mm"),
            number("centroid_z_mm", "The same, z", "mm"),
            text("mask_source", "RTSTRUCT, SEG, THRESHOLD, or RESAMPLED from the other modality's grid"),
            text("mask_series_instance_uid", "Series Instance UID of the contours"),
            text("label_map_sha256", "Digest of the label map in the lake"),
        ),
    ),
    Table(
        "exclusions",
        "masks",
        "scan, protocol, reason and organ",
        "The account of a threshold protocol: PHYSIOLOGICAL + TOO_SMALL + KEPT is all that was above the threshold.",
        ("patient_id", "scan_id", "protocol_id", "reason", "organ"),
        (
            keys.PATIENT,
            keys.SCAN,
            keys.PROTOCOL,
            text(
                "reason",
                "PHYSIOLOGICAL (in an excluded organ or its margin), TOO_SMALL (below the minimum volume), KEPT (in a "
                "lesion), HOLE (below the threshold, enclosed by a lesion and added to it)",
            ),
            text("organ", "The excluded organ; empty where the reason is another"),
            integer("n_voxels", "PET voxels"),
            number("volume_ml", "Volume of these voxels", "ml"),
            number("suv_max", "Largest SUV of these voxels", "SUV", nullable=True),
        ),
    ),
    Table(
        "reference_regions",
        "masks",
        "scan and region",
        "Spheres of healthy tissue: where they were placed, and their uptake.",
        ("patient_id", "scan_id", "region"),
        (
            keys.PATIENT,
            keys.SCAN,
            text("region", "liver, spleen or aorta"),
            number("centre_x_mm", "Centre, patient coordinates (LPS), x", "mm"),
            number("centre_y_mm", "The same, y", "mm"),
            number("centre_z_mm", "The same, z", "mm"),
            number("radius_mm", "Radius of the sphere", "mm"),
            integer("n_voxels", "PET voxels whose centres lie in it"),
            number("suv_mean", "Mean SUV", "SUV"),
            number("suv_sd", "Standard deviation of the SUV (population)", "SUV"),
        ),
    ),
)
