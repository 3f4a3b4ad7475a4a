"""The truth of a cohort, exported twice: analytic, and voxelised on the PET grid before blur and noise."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from petct.synthetic.anatomy import ORGANS
from petct.synthetic.images import PetTruth
from petct.synthetic.lesions import ORGAN_MASK_OF_SITE, Site
from petct.synthetic.patients import PatientPlan

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True)
class LesionTruth:
    """One lesion: a row of ``truth/lesions.csv``. Voxelised and SUV columns: on the PET grid, before blur and noise."""

    patient_id: str
    lesion_number: int
    name: str
    site: str
    organ_mask: str
    volume_analytic_ml: float
    volume_voxelised_ml: float
    n_voxels: int
    suv_mean: float
    suv_max: float
    suv_sd: float
    hu_mean: float
    texture_grade: str
    texture_amplitude: float
    texture_wavelength_mm: float
    centre_x_mm: float
    centre_y_mm: float
    centre_z_mm: float
    semi_axis_x_mm: float
    semi_axis_y_mm: float
    semi_axis_z_mm: float


@dataclass(frozen=True)
class OrganTruth:
    """One organ: a row of ``truth/organs.csv``. The SUV is that of the organ without its lesions."""

    patient_id: str
    organ: str
    volume_voxelised_ml: float
    suv: float
    hu: float


@dataclass(frozen=True)
class PatientTruth:
    """One patient: what was written and what is really there."""

    patient_id: str
    number: int
    contours_as: str
    therapy_start: dt.date
    n_lesions: int
    n_liver_lesions: int
    n_bone_lesions: int
    n_lymph_node_lesions: int
    volume_analytic_ml: float
    volume_voxelised_ml: float
    liver_volume_analytic_ml: float
    bone_volume_analytic_ml: float
    lymph_node_volume_analytic_ml: float
    n_files: int
    n_bytes: int
    lesions: tuple[LesionTruth, ...]
    organs: tuple[OrganTruth, ...]


def patient_truth(plan: PatientPlan, truth: PetTruth, n_files: int, n_bytes: int) -> PatientTruth:
    """Measure the voxelised truth of a patient and set the analytic truth beside it."""
    lesions = tuple(_lesion_truths(plan, truth))

    def analytic(site: Site) -> float:
        return sum(lesion.shape.volume_ml for lesion in plan.lesions if lesion.site is site)

    def count(site: Site) -> int:
        return sum(lesion.site is site for lesion in plan.lesions)

    voxel_ml = truth.geometry.voxel_volume_ml
    counts = np.bincount(truth.organs.ravel(), minlength=len(ORGANS) + 1)
    organs = tuple(
        OrganTruth(plan.patient_id, organ.name, float(counts[label]) * voxel_ml, organ.suv, organ.hu)
        for label, organ in enumerate(plan.anatomy.organs, start=1)
    )
    return PatientTruth(
        patient_id=plan.patient_id,
        number=plan.number,
        contours_as=plan.contours_as,
        therapy_start=plan.therapy_start,
        n_lesions=len(lesions),
        n_liver_lesions=count(Site.LIVER),
        n_bone_lesions=count(Site.BONE),
        n_lymph_node_lesions=count(Site.LYMPH_NODE),
        volume_analytic_ml=plan.tumour_volume_ml,
        volume_voxelised_ml=sum(lesion.volume_voxelised_ml for lesion in lesions),
        liver_volume_analytic_ml=analytic(Site.LIVER),
        bone_volume_analytic_ml=analytic(Site.BONE),
        lymph_node_volume_analytic_ml=analytic(Site.LYMPH_NODE),
        n_files=n_files,
        n_bytes=n_bytes,
        lesions=lesions,
        organs=organs,
    )


def _lesion_truths(plan: PatientPlan, truth: PetTruth) -> list[LesionTruth]:
    rows = []
    for lesion in plan.lesions:
        values = truth.suv[truth.lesions == lesion.number].astype(np.float64)
        x, y, z = lesion.shape.centre_mm
        a, b, c = lesion.shape.semi_axes_mm
        rows.append(
            LesionTruth(
                patient_id=plan.patient_id,
                lesion_number=lesion.number,
                name=lesion.name,
                site=str(lesion.site),
                organ_mask=ORGAN_MASK_OF_SITE[lesion.site],
                volume_analytic_ml=lesion.shape.volume_ml,
                volume_voxelised_ml=values.size * truth.geometry.voxel_volume_ml,
                n_voxels=values.size,
                suv_mean=float(values.mean()),
                suv_max=float(values.max()),
                suv_sd=float(values.std()),
                hu_mean=lesion.hu,
                texture_grade=lesion.texture.grade,
                texture_amplitude=lesion.texture.amplitude,
                texture_wavelength_mm=lesion.texture.wavelength_mm,
                centre_x_mm=x,
                centre_y_mm=y,
                centre_z_mm=z,
                semi_axis_x_mm=a,
                semi_axis_y_mm=b,
                semi_axis_z_mm=c,
            )
        )
    return rows


def write_voxels(path: Path, truth: PetTruth) -> int:
    """Write the voxelised truth as a compressed ``.npz``; returns its size in bytes.

    Arrays: ``suv`` (z, y, x) float32 before blur and noise, ``lesions`` and ``organs`` (z, y, x) uint8 labels,
    ``organ_names`` in the order of their labels from 1, and ``affine`` (4, 4) from index (x, y, z, 1) to LPS mm.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        suv=truth.suv,
        lesions=truth.lesions,
        organs=truth.organs,
        organ_names=np.array(ORGANS),
        affine=truth.geometry.affine,
    )
    return path.stat().st_size


def columns_of(row_type: type[DataclassInstance]) -> list[str]:
    """The columns of a table of these rows: their fields but for those that hold rows of their own."""
    return [field.name for field in fields(row_type) if field.name not in ("lesions", "organs")]


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Write these columns of the rows as CSV; floats keep seven digits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(row[name]) for name in columns] for row in rows)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.7g}" if isinstance(value, float) else str(value)
