"""Typed reads of a snapshot across its protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from warehouse.queries.snapshot_reader import SnapshotReader


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


@dataclass(frozen=True)
class ProtocolInfo:
    """A protocol of the snapshot; ``settings_json`` is what its id is a digest of."""

    protocol_id: str
    name: str
    description: str
    settings_json: str


@dataclass(frozen=True)
class AccountLine:
    """Voxels of one fate, over the baseline scans of some patients.

    Attributes
    ----------
    reason
        KEPT, PHYSIOLOGICAL, TOO_SMALL or HOLE, see the table ``exclusions``.
    organ
        The excluded organ; None otherwise.
    n_patients
        Patients who have such voxels.
    """

    reason: str
    organ: str | None
    n_patients: int
    n_voxels: int
    volume_ml: float


@dataclass(frozen=True)
class ExclusionAccount:
    """What became of all that a threshold protocol found.

    Attributes
    ----------
    n_patients
        Patients with an account.
    lines
        Empty where the protocol has no threshold.
    lesions_ml
        Volume of the lesions on the PET grid, from their own table: what ``kept`` and ``holes`` must add up to.
    """

    protocol_id: str
    name: str
    n_patients: int
    lines: tuple[AccountLine, ...]
    lesions_ml: float

    def volume_ml(self, *reasons: str) -> float:
        """Volume of the voxels with these fates."""
        return sum(line.volume_ml for line in self.lines if line.reason in reasons)

    def n_voxels(self, *reasons: str) -> int:
        """Number of these voxels."""
        return sum(line.n_voxels for line in self.lines if line.reason in reasons)

    @property
    def adds_up(self) -> bool:
        """Whether kept voxels and filled holes are the lesions, to the rounding of the volumes."""
        lesions = self.volume_ml("KEPT", "HOLE")
        return abs(lesions - self.lesions_ml) <= 1e-6 * max(lesions, self.lesions_ml, 1.0)


_ORDER = (
    "SELECT protocol_id, name, description, settings_json FROM protocols ORDER BY protocol_id IS DISTINCT FROM"
    " (SELECT default_protocol_id FROM snapshot_info), protocol_id"
)
_ACCOUNT = """
SELECT exclusions.protocol_id, reason, nullif(organ, ''), count(DISTINCT exclusions.patient_id)
    FILTER (WHERE n_voxels > 0), sum(n_voxels), sum(exclusions.volume_ml)
FROM exclusions
JOIN baseline_scans USING (patient_id, scan_id)
WHERE exclusions.patient_id IN (SELECT unnest($patients::VARCHAR[]))
GROUP BY ALL ORDER BY ALL
"""
_ACCOUNTED = """
SELECT accounted.protocol_id, count(DISTINCT accounted.patient_id), coalesce(sum(lesions.volume_ml), 0)
FROM (SELECT DISTINCT patient_id, scan_id, protocol_id FROM exclusions) AS accounted
JOIN baseline_scans USING (patient_id, scan_id)
LEFT JOIN lesions
    ON lesions.patient_id = accounted.patient_id AND lesions.scan_id = accounted.scan_id
    AND lesions.protocol_id = accounted.protocol_id AND lesions.modality = 'PT'
WHERE accounted.patient_id IN (SELECT unnest($patients::VARCHAR[]))
GROUP BY ALL
"""
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


def protocols(snapshot: SnapshotReader) -> tuple[ProtocolInfo, ...]:
    """Return the protocols of the snapshot, the default protocol first."""
    return tuple(ProtocolInfo(*(str(value) for value in row)) for row in snapshot.sql(_ORDER).rows)


def lesion_organs(snapshot: SnapshotReader) -> tuple[str, ...]:
    """Return the organs in which some lesion of some protocol lies, sorted."""
    rows = snapshot.sql("SELECT DISTINCT region FROM pet_metrics WHERE grain = 'organ' ORDER BY region").rows
    return tuple(str(region) for (region,) in rows)


def exclusion_accounts(snapshot: SnapshotReader, patients: Sequence[str]) -> tuple[ExclusionAccount, ...]:
    """Return the account of each protocol over the baseline scans of ``patients``, the default protocol first."""
    asked = {"patients": list(patients)}
    lines: dict[str, list[AccountLine]] = {}
    for protocol_id, reason, organ, n_patients, n_voxels, volume_ml in snapshot.sql(_ACCOUNT, asked).rows:
        line = AccountLine(
            str(reason),
            None if organ is None else str(organ),
            int(str(n_patients)),
            int(str(n_voxels)),
            float(str(volume_ml)),
        )
        lines.setdefault(str(protocol_id), []).append(line)
    totals = {str(p): (int(str(n)), float(str(ml))) for p, n, ml in snapshot.sql(_ACCOUNTED, asked).rows}
    return tuple(
        ExclusionAccount(
            each.protocol_id,
            each.name,
            totals.get(each.protocol_id, (0, 0.0))[0],
            tuple(lines.get(each.protocol_id, ())),
            totals.get(each.protocol_id, (0, 0.0))[1],
        )
        for each in protocols(snapshot)
    )


def tumour_burdens(
    snapshot: SnapshotReader, organ: str | None = None, patient_ids: Sequence[str] | None = None
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
        known = lesion_organs(snapshot)
        if organ not in known:
            raise WarehouseError(
                "ORGAN_UNKNOWN", "No lesion lies in such an organ", found=organ, expected=", ".join(known) or "none"
            )
    if patient_ids is None:
        patient_ids = tuple(str(p) for (p,) in snapshot.sql("SELECT patient_id FROM cohort ORDER BY patient_id").rows)
    patients = tuple(patient_ids)
    position = {patient_id: index for index, patient_id in enumerate(patients)}
    burdens = {
        each.protocol_id: TumourBurden(
            each.protocol_id, each.name, patients, np.full(len(patients), np.nan), np.full(len(patients), np.nan)
        )
        for each in protocols(snapshot)
    }
    for patient_id, protocol_id, volume_ml, n_lesions in snapshot.frame(_BURDENS, {"organ": organ}).itertuples(
        index=False, name=None
    ):
        if protocol_id in burdens and patient_id in position:
            burdens[protocol_id].volume_ml[position[patient_id]] = volume_ml
            burdens[protocol_id].n_lesions[position[patient_id]] = n_lesions
    return tuple(burdens.values())
