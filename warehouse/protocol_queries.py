"""Typed reads of a snapshot across its protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from warehouse.queries import Snapshot


@dataclass(frozen=True, eq=False)
class TumourBurden:
    """Tumour volume and lesion count of the baseline scans under one protocol.

    Attributes
    ----------
    patient_ids
        Patients of the cohort: all, or those that were asked for.
    volume_ml, n_lesions
        Shape (n,); 0 without tumour there, NaN where the lesions could not be determined under this protocol.
    """

    protocol_id: str
    name: str
    patient_ids: tuple[str, ...]
    volume_ml: NDArray[np.float64]
    n_lesions: NDArray[np.float64]


_BURDENS = """
SELECT cohort.patient_id, total.protocol_id,
    CASE WHEN $organ IS NULL THEN total.volume_ml ELSE coalesce(part.volume_ml, 0) END,
    CASE WHEN $organ IS NULL THEN total.n_lesions ELSE coalesce(part.n_lesions, 0) END
FROM cohort
JOIN baseline_scans USING (patient_id)
JOIN pet_metrics AS total
    ON total.patient_id = cohort.patient_id AND total.scan_id = baseline_scans.scan_id AND total.grain = 'patient'
LEFT JOIN pet_metrics AS part
    ON part.patient_id = total.patient_id AND part.scan_id = total.scan_id AND part.protocol_id = total.protocol_id
    AND part.grain = 'organ' AND part.region = $organ
"""


def tumour_burdens(
    snapshot: Snapshot, organ: str | None = None, patient_ids: Sequence[str] | None = None
) -> tuple[TumourBurden, ...]:
    """Return the burden under each protocol of the snapshot, the default protocol first.

    Parameters
    ----------
    organ
        Only the lesions in this organ; None for all lesions.
    patient_ids
        Only these patients of the cohort, in their order; None for all.

    Raises
    ------
    WarehouseError
        ORGAN_UNKNOWN when no lesion of any protocol lies in ``organ``.
    """
    if organ is not None:
        rows = snapshot.sql("SELECT DISTINCT region FROM pet_metrics WHERE grain = 'organ' ORDER BY region").rows
        known = [str(region) for (region,) in rows]
        if organ not in known:
            raise WarehouseError(
                "ORGAN_UNKNOWN", "No lesion lies in such an organ", found=organ, expected=", ".join(known) or "none"
            )
    if patient_ids is None:
        patient_ids = tuple(str(p) for (p,) in snapshot.sql("SELECT patient_id FROM cohort ORDER BY patient_id").rows)
    patients = tuple(patient_ids)
    position = {patient_id: index for index, patient_id in enumerate(patients)}
    order = (
        "SELECT protocol_id, name FROM protocols ORDER BY protocol_id IS DISTINCT FROM"
        " (SELECT default_protocol_id FROM snapshot_info), protocol_id"
    )
    burdens = {
        str(protocol_id): TumourBurden(
            str(protocol_id), str(name), patients, np.full(len(patients), np.nan), np.full(len(patients), np.nan)
        )
        for protocol_id, name in snapshot.sql(order).rows
    }
    for patient_id, protocol_id, volume_ml, n_lesions in snapshot.frame(_BURDENS, {"organ": organ}).itertuples(
        index=False, name=None
    ):
        if protocol_id in burdens and patient_id in position:
            burdens[protocol_id].volume_ml[position[patient_id]] = volume_ml
            burdens[protocol_id].n_lesions[position[patient_id]] = n_lesions
    return tuple(burdens.values())
