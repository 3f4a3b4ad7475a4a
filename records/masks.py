"""Masks: protocols, whose lesions are known, and the lesions."""

from dataclasses import dataclass
from typing import Annotated

from records.columns import About, own
from records.keys import LesionId, PatientId, ProtocolId, ScanId
from records.table import Table


@dataclass(frozen=True)
class ProtocolRecord:
    """How lesions are delineated; every derived row names its protocol."""

    protocol_id: ProtocolId
    name: Annotated[str, own("Readable name")]
    description: Annotated[str, own("One sentence")]
    settings_json: Annotated[str, own("The settings the digest is made of, as JSON")]


@dataclass(frozen=True)
class DelineationRecord:
    """Whose lesions are known: one row where contours were read, also when they show no lesion."""

    patient_id: PatientId
    scan_id: ScanId
    protocol_id: ProtocolId
    modality: Annotated[str, own("The grid of the masks: PT or CT")]
    n_lesions: Annotated[int, About("Lesions on this grid; 0 where a reader found none")]
    volume_ml: Annotated[float, About("Volume of the lesions on this grid", "ml")]
    drawn_volume_ml: Annotated[float, About("Their volume on the grid they were drawn on", "ml")]
    mask_source: Annotated[str, own("RTSTRUCT, SEG, THRESHOLD, or RESAMPLED from the other modality's grid")]
    mask_series_instance_uid: Annotated[str, About("Series Instance UID of the contours")]


@dataclass(frozen=True)
class LesionRecord:
    """Lesions: connected components of the tumour, on the PET and on the CT grid."""

    patient_id: PatientId
    scan_id: ScanId
    protocol_id: ProtocolId
    lesion_id: LesionId
    modality: Annotated[str, own("The grid of the mask: PT or CT")]
    organ: Annotated[str, About("Organ the lesion lies in, by largest overlap with the organ masks")]
    roi_name: Annotated[str, About("Name of the region or segment the lesion comes from")]
    label: Annotated[int, About("Value of the lesion's voxels in the label map")]
    n_voxels: Annotated[int, About("Voxels of the lesion")]
    volume_ml: Annotated[float, About("Volume of these voxels", "ml")]
    centroid_x_mm: Annotated[float, About("Centre of the voxels, patient coordinates (LPS), x", "mm")]
    centroid_y_mm: Annotated[float, About("The same, y", "mm")]
    centroid_z_mm: Annotated[float, About("The same, z", "mm")]
    mask_source: Annotated[str, own("RTSTRUCT, SEG, THRESHOLD, or RESAMPLED from the other modality's grid")]
    mask_series_instance_uid: Annotated[str, About("Series Instance UID of the contours")]
    label_map_sha256: Annotated[str, own("Digest of the label map in the lake")]


@dataclass(frozen=True)
class ExclusionRecord:
    """The account of a threshold protocol: PHYSIOLOGICAL + TOO_SMALL + KEPT is all that was above the threshold."""

    patient_id: PatientId
    scan_id: ScanId
    protocol_id: ProtocolId
    reason: Annotated[
        str,
        own(
            "PHYSIOLOGICAL (in an excluded organ or its margin), TOO_SMALL (below the minimum volume), KEPT (in a "
            "lesion), HOLE (below the threshold, enclosed by a lesion and added to it)"
        ),
    ]
    organ: Annotated[str, About("The excluded organ; empty where the reason is another")]
    n_voxels: Annotated[int, About("PET voxels")]
    volume_ml: Annotated[float, About("Volume of these voxels", "ml")]
    suv_max: Annotated[float | None, About("Largest SUV of these voxels", "SUV")]


@dataclass(frozen=True)
class ReferenceRegionRecord:
    """Spheres of healthy tissue: where they were placed, and their uptake."""

    patient_id: PatientId
    scan_id: ScanId
    region: Annotated[str, own("liver, spleen or aorta")]
    centre_x_mm: Annotated[float, About("Centre, patient coordinates (LPS), x", "mm")]
    centre_y_mm: Annotated[float, About("The same, y", "mm")]
    centre_z_mm: Annotated[float, About("The same, z", "mm")]
    radius_mm: Annotated[float, About("Radius of the sphere", "mm")]
    n_voxels: Annotated[int, About("PET voxels whose centres lie in it")]
    suv_mean: Annotated[float, About("Mean SUV", "SUV")]
    suv_sd: Annotated[float, About("Standard deviation of the SUV (population)", "SUV")]


@dataclass(frozen=True)
class PictureRecord:
    """Projections (MIP) with lesions by organ, excluded uptake and reference regions, as PNG files in the lake.

    What a picture shows is part of a snapshot's identity; its bytes, which another version of a font or of a compressor
    changes, are not.
    """

    patient_id: PatientId
    scan_id: ScanId
    protocol_id: ProtocolId
    kind: Annotated[str, own("mip: coronal and sagittal projection side by side")]
    picture_sha256: Annotated[str, own("Digest of the PNG file in the lake", identity=False)]
    path: Annotated[str, own("Path of the PNG file below the lake, with forward slashes", identity=False)]
    width_px: Annotated[int, About("Width of the picture", "px", identity=False)]
    height_px: Annotated[int, About("Height of the picture", "px", identity=False)]
    suv_window_low: Annotated[float, About("SUV shown as white", "SUV")]
    suv_window_high: Annotated[float, About("SUV shown as black", "SUV")]
    n_lesions: Annotated[int, About("Lesions drawn")]
    suv_image_sha256: Annotated[str, own("Digest of the SUV volume that is shown")]
    label_map_sha256: Annotated[str | None, own("Digest of the label map that is drawn; null without a lesion")]
    excluded_mask_sha256: Annotated[
        str | None, own("Digest of the mask (1 inside) of uptake excluded as physiological; null where there is none")
    ]
    code_version: Annotated[str, own("Version of the code that drew it")]


@dataclass(frozen=True)
class LesionMatchRecord:
    """Which lesions of two protocols, readers or time points of a patient are the same, on the PET grid."""

    patient_id: PatientId
    comparison: Annotated[str, own("PROTOCOL, READER or TIME_POINT: what differs between first and second")]
    first_scan_id: Annotated[str, own("Scan of the first delineation")]
    first_protocol_id: Annotated[str, own("Its protocol")]
    first_reader: Annotated[str, About("Its reader; empty where a study declares none")]
    second_scan_id: Annotated[str, own("Scan of the second delineation")]
    second_protocol_id: Annotated[str, own("Its protocol")]
    second_reader: Annotated[str, About("Its reader; empty where a study declares none")]
    match_number: Annotated[int, About("Number of the row within the comparison, from 1")]
    kind: Annotated[
        str,
        own(
            "SAME one to one; SPLIT one of the first, several of the second; MERGE the reverse; MIXED several of "
            "both; LOST only in the first; NEW only in the second; NOT_COMPARABLE the only row of two time points "
            "that do not share a frame of reference"
        ),
    ]
    match_group: Annotated[int, About("Group of lesions that belong together, from 1; 0 where NOT_COMPARABLE")]
    first_lesion_id: Annotated[str | None, own("Lesion of the first delineation")]
    second_lesion_id: Annotated[str | None, own("Lesion of the second delineation")]
    first_volume_ml: Annotated[float, About("Volume of the first lesion (NOT_COMPARABLE: of all); 0 without one", "ml")]
    second_volume_ml: Annotated[
        float, About("Volume of the second lesion (NOT_COMPARABLE: of all); 0 without one", "ml")
    ]
    overlap_ml: Annotated[float | None, About("Volume of the voxels that both share; null where NOT_COMPARABLE", "ml")]
    dice: Annotated[float | None, About("Twice the shared volume over the sum of both; null likewise")]


@dataclass(frozen=True)
class ReaderAgreementRecord:
    """How well the lesions of another reader agree with those of the primary one, group by group and all together."""

    patient_id: PatientId
    scan_id: ScanId
    protocol_id: ProtocolId
    primary_reader: Annotated[str, About("Reader whose lesions are those of the study")]
    reader: Annotated[str, About("The reader who is compared")]
    match_group: Annotated[int, About("Group of lesions, as in lesion_matches; 0 is all lesions of both")]
    primary_lesion_ids: Annotated[str, own("Lesions of the primary reader in the group, joined by +")]
    lesion_ids: Annotated[str, own("Lesions of the other reader in the group, joined by +")]
    primary_volume_ml: Annotated[float, About("Their volume in the primary reader's delineation", "ml")]
    volume_ml: Annotated[float, About("Their volume in the other reader's", "ml")]
    overlap_ml: Annotated[float, About("Volume of the voxels that both share", "ml")]
    dice: Annotated[float, About("Twice the shared volume over the sum of both")]
    volume_difference_ml: Annotated[float, About("The other reader's volume minus the primary one's", "ml")]
    relative_volume_difference: Annotated[float, About("The same as a share of the primary reader's volume")]
    mean_surface_distance_mm: Annotated[float, About("Mean distance of the surface voxels of each to the other", "mm")]
    surface_distance_95_mm: Annotated[
        float, About("Larger of the two 95th percentiles of the distances from each surface to the other", "mm")
    ]


TABLES = (
    Table("protocols", ProtocolRecord, "masks", "protocol", ("protocol_id",), per_patient=False),
    Table(
        "delineations",
        DelineationRecord,
        "masks",
        "scan, protocol and modality",
        ("patient_id", "scan_id", "protocol_id", "modality"),
    ),
    Table(
        "lesions",
        LesionRecord,
        "masks",
        "lesion and modality",
        ("patient_id", "scan_id", "protocol_id", "lesion_id", "modality"),
    ),
    Table(
        "exclusions",
        ExclusionRecord,
        "masks",
        "scan, protocol, reason and organ",
        ("patient_id", "scan_id", "protocol_id", "reason", "organ"),
    ),
    Table("reference_regions", ReferenceRegionRecord, "masks", "scan and region", ("patient_id", "scan_id", "region")),
    Table(
        "pictures", PictureRecord, "masks", "scan, protocol and kind", ("patient_id", "scan_id", "protocol_id", "kind")
    ),
    Table(
        "lesion_matches",
        LesionMatchRecord,
        "masks",
        "pair of lesions that share voxels, or lesion without a partner",
        (
            "patient_id",
            "first_scan_id",
            "first_protocol_id",
            "first_reader",
            "second_scan_id",
            "second_protocol_id",
            "second_reader",
            "match_number",
        ),
    ),
    Table(
        "reader_agreement",
        ReaderAgreementRecord,
        "masks",
        "scan, protocol, reader and group of lesions",
        ("patient_id", "scan_id", "protocol_id", "reader", "match_group"),
    ),
)
