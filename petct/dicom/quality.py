"""Quality findings of the index: repeated instances, and series that will not read as one grid."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from petct.dicom import roles
from petct.dicom.records import Finding, SetAside
from petct.dicom.slices import arrange
from petct.errors import DicomError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from petct.dicom.instances import Instance
    from petct.dicom.records import SeriesRecord


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
    if record.role not in (roles.PET, roles.CT) or group[0].sop_class_uid in roles.ENHANCED_PET:
        return
    if any(instance.is_lossy for instance in group):
        yield finding("INDEX_LOSSY_COMPRESSION", "The pixels were compressed with loss")
    expected = group[0].number_of_slices
    if record.role == roles.PET and expected is not None and expected > len(group):
        yield finding("INDEX_SLICES_FEWER", f"The header announces {expected} slices, {len(group)} are here")
    planes = [instance.plane for instance in group if instance.plane is not None]
    if len(planes) < len(group):
        yield finding(
            "INDEX_GEOMETRY_MISSING", f"{len(group) - len(planes)} files have no readable position or spacing"
        )
        return
    try:
        arrange(planes)
    except DicomError as error:
        yield finding(f"INDEX_{error.code}", f"{error.message}: {error.found}" if error.found else error.message)
