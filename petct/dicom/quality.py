"""Quality findings of the index: repeated instances, and series that will not read as one grid."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from petct.dicom import roles
from petct.dicom.records import SetAside
from petct.dicom.slices import arrange
from petct.errors import DicomError
from records.imaging import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from petct.dicom.instances import Instance
    from petct.dicom.slices import SlicePlane
    from records.imaging import SeriesRecord

_SAME_PLACE_MM = 0.01
# Whole-body beds follow within minutes; after half an hour the patient was moved, and the tracer as well.
_LONGEST_PAUSE_S = 1800.0


def without_duplicates(instances: Sequence[Instance], findings: list[Finding]) -> tuple[list[Instance], list[SetAside]]:
    """One file for each SOP Instance UID, the first by path.

    A series with copies that differ in content is set aside with all of its files: nobody knows which copy is right,
    and without the instance the series would have a hole.
    """
    copies: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        copies[instance.record.sop_instance_uid].append(instance)
    kept: list[Instance] = []
    set_aside: list[SetAside] = []
    conflicting: set[str] = set()
    repeated: Counter[tuple[str, bool]] = Counter()
    for uid in sorted(copies):
        first, *others = copies[uid]
        kept.append(first)
        for other in others:
            same = other.record.sha256 == first.record.sha256
            repeated[first.record.series_instance_uid, same] += 1
            if not same:
                conflicting |= {first.record.series_instance_uid, other.record.series_instance_uid}
            message = f"The instance is also in {first.record.path}, with {'the same' if same else 'other'} content"
            set_aside.append(SetAside(other.record.path, "DUPLICATE_INSTANCE", message))
    for (series_uid, same), count in sorted(repeated.items()):
        findings.append(
            Finding(
                instances[0].record.patient_id,
                None,
                series_uid,
                "files",
                "INDEX_DUPLICATE_INSTANCE" if same else "INDEX_CONFLICTING_INSTANCE",
                "info" if same else "warning",
                f"{count} further files hold the same SOP instances "
                + ("with the same content" if same else "with other content; the series is not used"),
            )
        )
    for instance in kept:
        if instance.record.series_instance_uid in conflicting:
            message = "The series holds two files of one SOP instance with different content"
            set_aside.append(SetAside(instance.record.path, "CONFLICTING_INSTANCES", message))
    return [i for i in kept if i.record.series_instance_uid not in conflicting], set_aside


def series_findings(record: SeriesRecord, group: Sequence[Instance]) -> Iterator[Finding]:
    """What a reader should know about a series before it is read: cut files, lossy pixels, slices that form no grid."""

    def finding(code: str, message: str, table_name: str = "series") -> Finding:
        return Finding(
            record.patient_id, record.scan_id, record.series_instance_uid, table_name, code, "warning", message
        )

    truncated = sum(instance.is_truncated for instance in group)
    if truncated and record.role != roles.NONE:
        yield finding("INDEX_FILE_TRUNCATED", f"{truncated} of {len(group)} files end too early", "files")
    if record.role not in (roles.PET, roles.CT):
        return
    if record.role == roles.PET and roles.is_named_uncorrected(record.series_description):
        message = "The series is called uncorrected, and its header says that attenuation is corrected"
        yield finding("INDEX_ATTENUATION_CONTRADICTORY", message)
    if any(instance.is_lossy for instance in group):
        yield finding("INDEX_LOSSY_COMPRESSION", "The pixels were compressed with loss")
    if group[0].sop_class_uid in roles.ENHANCED_PET or group[0].is_volume:
        # Where its frames lie is known to who reads it.
        return
    expected = group[0].number_of_slices
    if record.role == roles.PET and expected is not None and expected > len(group):
        yield finding("INDEX_SLICES_FEWER", f"The header announces {expected} slices, {len(group)} are here")
    planes = [instance.plane for instance in group if instance.plane is not None]
    if len(planes) < len(group):
        yield finding(
            "INDEX_GEOMETRY_MISSING", f"{len(group) - len(planes)} files have no readable position or spacing"
        )
        return
    if record.role == roles.PET:
        yield from (finding(code, message) for code, message in bed_findings(group))
    try:
        arrange(planes)
    except DicomError as error:
        yield finding(f"INDEX_{error.code}", f"{error.message}: {error.found}" if error.found else error.message)


def bed_findings(group: Sequence[Instance]) -> Iterator[tuple[str, str]]:
    """Gaps between bed positions, in millimetres and in minutes; a bed is what one acquisition time covers."""
    beds: dict[float, list[float]] = defaultdict(list)
    steps: list[float] = []
    for instance in group:
        if instance.plane is None or instance.acquisition_time is None:
            return
        beds[_seconds(instance)].append(_distance(instance.plane))
    for distances in beds.values():
        distances.sort()
        steps.extend(after - before for before, after in pairwise(distances) if after - before > _SAME_PLACE_MM)
    if len(beds) < 2 or len(beds) > len(group) / 2 or not steps:
        # Continuous bed motion has a time for every slice.
        return
    step = median(steps)
    extents = sorted((distances[0], distances[-1]) for distances in beds.values())
    reached = extents[0][1]
    for lowest, highest in extents[1:]:
        if lowest - reached > 1.5 * step:
            yield (
                "INDEX_BED_GAP",
                f"Between two bed positions {lowest - reached - step:.1f} mm of the patient are not covered",
            )
        reached = max(reached, highest)
    starts = sorted(beds)
    longest = max(after - before for before, after in pairwise(starts))
    if longest > _LONGEST_PAUSE_S:
        yield "INDEX_BED_PAUSE", f"Two bed positions were begun {longest / 60:.0f} minutes after one another"


def _seconds(instance: Instance) -> float:
    """Acquisition in seconds; of two beds on both sides of midnight the dates tell."""
    time, date = instance.acquisition_time, instance.acquisition_date
    if time is None:
        return 0.0
    days = 0 if date is None else date.toordinal()
    return days * 86400 + time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6


def _distance(plane: SlicePlane) -> float:
    """Place of a slice along its normal, in mm."""
    row, column = plane.orientation[:3], plane.orientation[3:]
    normal = (
        row[1] * column[2] - row[2] * column[1],
        row[2] * column[0] - row[0] * column[2],
        row[0] * column[1] - row[1] * column[0],
    )
    return sum(a * b for a, b in zip(normal, plane.position_mm, strict=True))
