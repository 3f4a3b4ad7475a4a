"""Publishing: what the id depends on, and what happens while others read, write or fail."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.warehouse.study_rows import SETTINGS, row, write_patient, write_study
from warehouse.errors import WarehouseError
from warehouse.queries.open_snapshot import open_snapshot
from warehouse.snapshots import build, catalog
from warehouse.snapshots.publish import SnapshotSettings, current_id, list_snapshots, publish, show
from warehouse.source_code import SourceCode
from warehouse.storage.lake import Lake, Partition
from warehouse.storage.locks import patient_lock


def snapshot_files(study: Lake) -> list[str]:
    return sorted(path.name for path in (study.root / "snapshots").iterdir())


def test_publishing_makes_one_file_named_by_its_content_and_points_to_it(study: Lake) -> None:
    published = publish(study, SETTINGS)

    assert published.created
    assert published.n_patients == 4
    assert published.tables["lesions"] == 12
    assert published.path == study.root / "snapshots" / f"{published.snapshot_id}.duckdb"
    assert snapshot_files(study) == sorted(["CURRENT", published.path.name])
    assert current_id(study.root) == published.snapshot_id


def test_publishing_twice_verifies_and_changes_nothing(study: Lake) -> None:
    first = publish(study, SETTINGS)
    before = first.path.stat()
    second = publish(study, SETTINGS)

    assert not second.created
    assert replace(second, created=True) == first
    assert (first.path.stat().st_mtime_ns, first.path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_snapshot_names_the_code_that_built_it_and_is_the_same_by_any_other(
    study: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = SourceCode("0.2.0", "1234567890abcdef", modified=True)
    monkeypatch.setattr(build, "source_code", lambda: code)
    published = publish(study, SETTINGS)
    assert show(study.root).code == code
    assert code.text == "0.2.0, commit 1234567890ab, modified"
    with open_snapshot(study.root) as snapshot:
        assert snapshot.sql("SELECT petlake_version, petlake_commit, petlake_modified FROM snapshot_info").rows == (
            ("0.2.0", "1234567890abcdef", True),
        )

    published.path.unlink()
    monkeypatch.setattr(build, "source_code", lambda: SourceCode("0.3.0", None, None))
    assert publish(study, SETTINGS).snapshot_id == published.snapshot_id
    assert show(study.root).code.text == "0.3.0, commit unknown"


def test_a_snapshot_of_a_version_that_named_no_commit_is_read(study: Lake) -> None:
    published = publish(study, SETTINGS)
    with duckdb.connect(published.path) as connection:
        for column in ("petlake_commit", "petlake_modified"):
            connection.execute(f"ALTER TABLE snapshot_info DROP COLUMN {column}")
    found = show(study.root)
    assert (found.snapshot_id, found.code.commit, found.code.modified) == (published.snapshot_id, None, None)
    assert not publish(study, SETTINGS).created


def test_the_same_study_elsewhere_is_the_same_snapshot(study: Lake, tmp_path: Path) -> None:
    other = Lake(tmp_path / "elsewhere")
    for patient in ("A7", "101", "002", "001"):
        write_patient(other, patient, {"001": 1, "002": 2, "A7": 3, "101": 4}[patient], has_tumour=patient != "101")
    write_study(other)
    # What is not part of the identity differs.
    for number, where in enumerate((study, other)):
        where.write("files", "001", [row("files", patient_id="001", path=f"{number}/a.dcm", modified_ns=number)])

    reordered = SnapshotSettings(
        '{ "threshold": {"suv": 4.0}, "tracer": "68Ga-DOTATOC" }',
        dict(reversed(SETTINGS.code_versions.items())),
        SETTINGS.aggregations[::-1],
        SETTINGS.default_protocol_id,
    )
    assert publish(study, SETTINGS).snapshot_id == publish(other, reordered).snapshot_id


def test_the_id_depends_on_every_value_and_every_setting(study: Lake) -> None:
    variants = [
        SETTINGS,
        replace(SETTINGS, settings_json='{"tracer": "68Ga-DOTATOC", "threshold": {"suv": 3.0}}'),
        replace(SETTINGS, code_versions={"lesions": "2", "radiomic_features": "1"}),
        replace(SETTINGS, code_versions={"lesions": "1"}),
        replace(SETTINGS, aggregations=("largest",)),
        replace(SETTINGS, default_protocol_id=None),
    ]
    ids = [publish(study, variant).snapshot_id for variant in variants]
    study.write("endpoints", "001", [row("endpoints", patient_id="001", endpoint="OS", duration_days=101, event=1)])
    ids.append(publish(study, SETTINGS).snapshot_id)
    study.write("qc_events", "001", [])
    ids.append(publish(study, SETTINGS).snapshot_id)
    study.remove("clinical", "A7")
    ids.append(publish(study, SETTINGS).snapshot_id)

    assert len(set(ids)) == len(ids)
    assert current_id(study.root) == ids[-1]
    assert {info.snapshot_id for info in list_snapshots(study.root)} == set(ids)
    assert [info.is_current for info in list_snapshots(study.root)].count(True) == 1


def test_going_back_gives_the_old_id_again(study: Lake) -> None:
    first = publish(study, SETTINGS).snapshot_id
    study.write("clinical", "001", [])
    publish(study, SETTINGS)
    write_patient(study, "001", 1)
    again = publish(study, SETTINGS)

    assert (again.snapshot_id, again.created) == (first, False)
    assert current_id(study.root) == first


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (replace(SETTINGS, settings_json="{"), "SETTINGS_INVALID"),
        (replace(SETTINGS, settings_json="[1]"), "SETTINGS_INVALID"),
        (replace(SETTINGS, settings_json='{"a": NaN}'), "SETTINGS_INVALID"),
        (replace(SETTINGS, aggregations=("median",)), "AGGREGATION_UNKNOWN"),
        (replace(SETTINGS, aggregations=("mean", "mean")), "AGGREGATION_UNKNOWN"),
    ],
)
def test_settings_that_mean_nothing_are_refused(study: Lake, settings: SnapshotSettings, code: str) -> None:
    with pytest.raises(WarehouseError, match=code):
        publish(study, settings)


def test_an_empty_lake_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"LAKE_EMPTY"):
        publish(Lake(tmp_path), SETTINGS)
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_NONE.*petlake snapshot publish"):
        current_id(tmp_path)
    assert list_snapshots(tmp_path) == ()


def test_a_list_opens_each_file_once_and_another_file_of_its_name_again(
    study: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = publish(study, SETTINGS).path
    opened: list[Path] = []
    connect = catalog.connect_read_only
    monkeypatch.setattr(catalog, "connect_read_only", lambda file: [opened.append(file), connect(file)][1])
    before = [list_snapshots(study.root) for _ in range(3)]
    assert before[0] == before[2]
    assert opened == [path]
    path.write_bytes(b"damaged")
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_CORRUPT"):
        list_snapshots(study.root)


def is_refused_as_corrupt(study: Lake) -> bool:
    try:
        publish(study, SETTINGS)
    except WarehouseError as error:
        if error.code != "SNAPSHOT_CORRUPT":
            raise
        return True
    return False


def test_a_damaged_snapshot_is_found_when_it_is_published_again(study: Lake) -> None:
    published = publish(study, SETTINGS)
    whole = published.path.read_bytes()
    # Three headers of 4 KiB, then blocks of 256 KiB, some of which hold nothing.
    blocks = list(range(3 * 4096, len(whole), 262144))
    found = 0
    for start in blocks[:: len(blocks) // 8]:
        published.path.write_bytes(whole[:start] + bytes(64) + whole[start + 64 :])
        found += is_refused_as_corrupt(study)
    assert found >= 6
    for rest in (b"", whole[:1000], whole[: len(whole) // 2], b"not a database"):
        published.path.write_bytes(rest)
        with pytest.raises(WarehouseError, match=r"SNAPSHOT_CORRUPT"):
            publish(study, SETTINGS)


def test_a_snapshot_under_another_id_is_found(study: Lake) -> None:
    first = publish(study, SETTINGS)
    second = publish(study, replace(SETTINGS, aggregations=("mean",)))
    second.path.write_bytes(first.path.read_bytes())
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_CORRUPT"):
        publish(study, replace(SETTINGS, aggregations=("mean",)))


def test_a_changed_value_in_a_snapshot_is_found(study: Lake) -> None:
    published = publish(study, SETTINGS)
    with duckdb.connect(published.path) as connection:
        connection.execute("DELETE FROM endpoints WHERE patient_id = '001'")
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_CORRUPT"):
        publish(study, SETTINGS)


def test_a_damaged_file_of_the_lake_stops_the_publishing(study: Lake) -> None:
    before = publish(study, SETTINGS).snapshot_id
    study.write("clinical", "001", [])
    path = study.root / "clinical" / "patient_id=001" / "part-0.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(WarehouseError, match=r"LAKE_FILE_CORRUPT.*001.*clinical"):
        publish(study, SETTINGS)
    assert current_id(study.root) == before
    assert len(snapshot_files(study)) == 2


def test_a_publisher_that_fails_leaves_the_current_snapshot(study: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    before = publish(study, SETTINGS).snapshot_id
    study.write("clinical", "001", [])

    def fails(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fails)
        with pytest.raises(OSError, match=r"no space"):
            publish(study, SETTINGS)
    assert current_id(study.root) == before
    assert len(snapshot_files(study)) == 2


KILLED_PUBLISHER = """
import os, sys
from pathlib import Path
from warehouse.snapshots import build
from warehouse.storage.lake import Lake
from warehouse.snapshots.publish import SnapshotSettings, publish
build.build_derived = lambda *_: os._exit(9)
publish(Lake(Path(sys.argv[1])), SnapshotSettings("{}", {}, (), None))
"""


def test_a_publisher_killed_half_way_is_never_seen(study: Lake) -> None:
    before = publish(study, SETTINGS).snapshot_id
    killed = subprocess.run([sys.executable, "-c", KILLED_PUBLISHER, str(study.root)], check=False)

    assert killed.returncode == 9
    assert len(snapshot_files(study)) > 2
    assert [info.snapshot_id for info in list_snapshots(study.root)] == [before]
    assert publish(study, SnapshotSettings("{}", {}, (), None)).created


def test_two_publishers_at_once_are_fine(study: Lake) -> None:
    with ThreadPoolExecutor(4) as pool:
        published = list(pool.map(lambda _: publish(study, SETTINGS), range(4)))

    assert len({p.snapshot_id for p in published}) == 1
    assert len(snapshot_files(study)) == 2


def test_open_readers_keep_their_snapshot_while_others_are_published(study: Lake) -> None:
    first = publish(study, SETTINGS)
    with open_snapshot(study.root) as reader:
        study.write("endpoints", "001", [])
        second = publish(study, SETTINGS)
        publish(study, SETTINGS)
        with open_snapshot(study.root) as newer:
            assert (reader.id, newer.id) == (first.snapshot_id, second.snapshot_id)
            assert len(reader.endpoint("OS").patient_ids) == 4
            assert len(newer.endpoint("OS").patient_ids) == 3
        write_patient(study, "001", 1)
        assert not publish(study, SETTINGS).created
        assert len(reader.endpoint("OS").patient_ids) == 4


def test_a_file_replaced_meanwhile_starts_the_publishing_again(study: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Lake.load
    changes = iter(range(1))

    def load(self: Lake, partition: Partition) -> Any:
        for _ in changes:
            write_patient(study, "A7", 9)
        return original(self, partition)

    monkeypatch.setattr(Lake, "load", load)
    published = publish(study, SETTINGS)

    monkeypatch.undo()
    assert publish(study, SETTINGS).snapshot_id == published.snapshot_id
    with open_snapshot(study.root) as opened:
        assert opened.sql("SELECT age_years FROM cohort WHERE patient_id = 'A7'").rows == ((69.0,),)


def test_a_lake_that_never_rests_is_not_published(study: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    number = itertools.count(100)
    original = Lake.load

    def load(self: Lake, partition: Partition) -> Any:
        study.write("endpoints", "A7", [row("endpoints", patient_id="A7", duration_days=next(number))])
        return original(self, partition)

    monkeypatch.setattr(Lake, "load", load)
    monkeypatch.setattr("warehouse.snapshots.publish._PAUSE_S", 0.0)
    monkeypatch.setattr("warehouse.snapshots.publish._ATTEMPTS", 3)
    with pytest.raises(WarehouseError, match=r"LAKE_CHANGING"):
        publish(study, SETTINGS)
    assert not list((study.root / "snapshots").iterdir())


def test_a_patient_that_is_being_written_is_waited_for(study: Lake) -> None:
    with ThreadPoolExecutor(1) as pool:
        with patient_lock(study.root, "A7"):
            study.remove("clinical", "A7")
            waiting = pool.submit(publish, study, SETTINGS)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
            write_patient(study, "A7", 5)
        waiting.result(timeout=30)
    with open_snapshot(study.root) as opened:
        assert opened.sql("SELECT age_years FROM cohort WHERE patient_id = 'A7'").rows == ((65.0,),)


def test_ids_can_be_shortened_to_what_is_unique(study: Lake) -> None:
    full = publish(study, SETTINGS).snapshot_id
    twin = full[:6] + ("0" if full[6] != "0" else "1") + full[7:]
    catalog.path_of(study.root, twin).write_bytes(b"")

    assert catalog.resolve_id(study.root, full) == full
    assert catalog.resolve_id(study.root, f" {full[:7].upper()} ") == full
    assert catalog.resolve_id(study.root, None) == full
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_AMBIGUOUS"):
        catalog.resolve_id(study.root, full[:6])
    for unknown in (full[:5], "../" + full, full + "0", "", "zzzzzz", "0" * 64):
        with pytest.raises(WarehouseError, match=r"SNAPSHOT_UNKNOWN"):
            catalog.resolve_id(study.root, unknown)


def test_a_pointer_that_leads_nowhere_is_refused(study: Lake) -> None:
    published = publish(study, SETTINGS)
    published.path.unlink()
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_UNKNOWN.*publish"):
        open_snapshot(study.root)
    (study.root / "snapshots" / "CURRENT").write_text("../../etc/passwd\n")
    with pytest.raises(WarehouseError, match=r"SNAPSHOT_UNKNOWN"):
        open_snapshot(study.root)


def test_a_change_of_the_layout_changes_every_id(study: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    first = publish(study, SETTINGS).snapshot_id
    monkeypatch.setattr("warehouse.snapshots.publish.FORMAT", build.FORMAT + 1)
    assert publish(study, SETTINGS).snapshot_id != first
