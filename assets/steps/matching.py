"""Rows that compare delineations of one patient: between protocols, readers and time points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assets.steps.patient_data import PatientData
from petct.dicom.scans import ScanSeries
from petct.image.mask_agreement import Agreement, agreement
from petct.image.volume import Mask
from petct.lesions.lesion_map import LesionMap
from petct.lesions.matching import LesionMatch, MatchKind, group_agreements, labels_on, match_delineations
from records.imaging import Finding
from records.masks import LesionMatchRecord, ReaderAgreementRecord

Maps = Mapping[tuple[str, str], LesionMap]
"""Scan and protocol to the lesions on the PET grid."""


@dataclass(frozen=True)
class Between:
    """Two readers of one scan under one protocol."""

    patient_id: str
    scan_id: str
    protocol_id: str
    primary_reader: str
    reader: str


def compare_readers(
    between: Between, primary: LesionMap, lesions: LesionMap
) -> tuple[list[LesionMatchRecord], list[ReaderAgreementRecord]]:
    """The matches of two readers' lesions, and how well each group and all together agree."""
    matches = match_delineations(primary, lesions)
    agreements = [
        _agreement(between, each.group, each.lesion_ids, each.agreement)
        for each in group_agreements(primary, lesions, matches)
    ]
    if primary.lesions and lesions.lesions:
        whole = agreement(
            Mask(primary.labels > 0, primary.geometry), Mask(labels_on(lesions, primary.geometry) > 0, primary.geometry)
        )
        agreements.insert(0, _agreement(between, 0, ("all", "all"), whole))
    ends = [(between.scan_id, between.protocol_id, name) for name in (between.primary_reader, between.reader)]
    return _rows(between.patient_id, "READER", ends[0], ends[1], matches), agreements


def protocol_matches(data: PatientData, maps: Maps) -> list[LesionMatchRecord]:
    """The lesions of the first protocol against those of every other one, scan by scan."""
    first, *others = data.settings.protocol_ids
    return [
        row
        for scan_id in sorted({scan_id for scan_id, _ in maps})
        for other in others
        if (scan_id, first) in maps and (scan_id, other) in maps
        for row in _rows(
            data.patient_id,
            "PROTOCOL",
            (scan_id, first, ""),
            (scan_id, other, ""),
            match_delineations(maps[scan_id, first], maps[scan_id, other]),
        )
    ]


def time_point_matches(data: PatientData, maps: Maps) -> list[LesionMatchRecord]:
    """The lesions of each time point against those of the next; one row that says so where they cannot be compared."""
    rows: list[LesionMatchRecord] = []
    for earlier, later in _neighbours(data):
        for protocol in data.settings.protocols:
            first, second = ((scan.scan_id, protocol.protocol_id) for scan in (earlier, later))
            if first not in maps or second not in maps:
                continue
            if _aligned(earlier, later):
                matches = match_delineations(maps[first], maps[second])
                rows.extend(_rows(data.patient_id, "TIME_POINT", (*first, ""), (*second, ""), matches))
            else:
                rows.append(_not_comparable(data.patient_id, (first, maps[first]), (second, maps[second])))
    return rows


def _not_comparable(
    patient_id: str, first: tuple[tuple[str, str], LesionMap], second: tuple[tuple[str, str], LesionMap]
) -> LesionMatchRecord:
    return LesionMatchRecord(
        patient_id=patient_id,
        comparison="TIME_POINT",
        first_scan_id=first[0][0],
        first_protocol_id=first[0][1],
        first_reader="",
        second_scan_id=second[0][0],
        second_protocol_id=second[0][1],
        second_reader="",
        match_number=1,
        kind=MatchKind.NOT_COMPARABLE.value,
        match_group=0,
        first_lesion_id=None,
        second_lesion_id=None,
        first_volume_ml=sum(lesion.volume_ml for lesion in first[1].lesions),
        second_volume_ml=sum(lesion.volume_ml for lesion in second[1].lesions),
        overlap_ml=None,
        dice=None,
    )


def unaligned_time_points(data: PatientData) -> list[Finding]:
    """Time points whose lesions are not matched, because nothing says where one lies in the other."""
    return [
        Finding(
            data.patient_id,
            later.scan_id,
            None,
            "lesions",
            "TIME_POINTS_NOT_ALIGNED",
            "info",
            f"Lesions are not matched with those of {earlier.scan_id}: the scans do not share a Frame of Reference UID "
            "(0020,0052), and nothing else says where one lies in the other; register the images first",
        )
        for earlier, later in _neighbours(data)
        if not _aligned(earlier, later)
    ]


def _neighbours(data: PatientData) -> Sequence[tuple[ScanSeries, ScanSeries]]:
    dated = [scan for scan in data.scan_series() if scan.time_point is not None]
    return list(pairwise(sorted(dated, key=lambda scan: scan.time_point or 0)))


def _aligned(earlier: ScanSeries, later: ScanSeries) -> bool:
    frames = {earlier.require_pet().frame_of_reference_uid, later.require_pet().frame_of_reference_uid}
    return len(frames) == 1 and None not in frames


def _rows(
    patient_id: str,
    comparison: str,
    first: tuple[str, str, str],
    second: tuple[str, str, str],
    matches: Sequence[LesionMatch],
) -> list[LesionMatchRecord]:
    return [
        LesionMatchRecord(
            patient_id,
            comparison,
            *first,
            *second,
            number,
            match.kind.value,
            match.group,
            match.first_lesion_id,
            match.second_lesion_id,
            match.first_volume_ml,
            match.second_volume_ml,
            match.overlap_ml,
            match.dice,
        )
        for number, match in enumerate(matches, start=1)
    ]


def _agreement(between: Between, group: int, ids: tuple[str, str], found: Agreement) -> ReaderAgreementRecord:
    return ReaderAgreementRecord(
        between.patient_id,
        between.scan_id,
        between.protocol_id,
        between.primary_reader,
        between.reader,
        group,
        *ids,
        found.first_volume_ml,
        found.second_volume_ml,
        found.overlap_ml,
        found.dice,
        found.volume_difference_ml,
        found.relative_volume_difference,
        found.mean_surface_distance_mm,
        found.surface_distance_95_mm,
    )
