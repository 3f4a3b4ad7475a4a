"""The lake: one Parquet file a table a patient, written atomically; the truth from which snapshots are built."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from records.table import Table
from warehouse.errors import WarehouseError
from warehouse.registry.tables import TABLES
from warehouse.registry.tables import table as registered
from warehouse.storage import pictures, volumes
from warehouse.storage import rows as row_format
from warehouse.storage.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from _typeshed import DataclassInstance
    from numpy.typing import NDArray

    T = TypeVar("T", bound=DataclassInstance)

_PATIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILE = "part-0.parquet"
_HIVE = "patient_id="
_SHA256 = b"petlake.sha256"


@dataclass(frozen=True)
class Written:
    """One file of the lake as it was written."""

    table: str
    patient_id: str | None
    n_rows: int
    sha256: str
    relative_path: str


@dataclass(frozen=True)
class Partition:
    """One file of the lake: a table of one patient, or of the whole study when ``patient_id`` is None."""

    table: str
    patient_id: str | None
    path: Path


def check_patient_id(patient_id: str) -> str:
    """Return ``patient_id`` if it may become the name of a directory; raises ``WarehouseError`` PATIENT_ID_INVALID."""
    if _PATIENT_ID.fullmatch(patient_id) is None:
        raise WarehouseError(
            "PATIENT_ID_INVALID",
            "This cannot be a patient key",
            found=repr(patient_id),
            expected="1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit",
            hint="Rename the patient in the DICOM files and in the clinical table.",
        )
    return patient_id


class Lake:
    """The tables and volumes of one study.

    A table that was computed without rows is a file without rows; no file means that it was not computed.

    Parameters
    ----------
    root
        Directory of the lake; made by the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def __repr__(self) -> str:
        return f"Lake({str(self.root)!r})"

    def write(self, table: str, patient_id: str | None, rows: Sequence[DataclassInstance]) -> Written:
        """Replace what the lake holds of ``table`` for ``patient_id``.

        Parameters
        ----------
        table
            Name in the registry.
        patient_id
            None exactly for the tables that are not stored by patient.
        rows
            Instances of one frozen dataclass whose fields are the columns of the table, in any order.

        Raises
        ------
        WarehouseError
            TABLE_UNKNOWN, PATIENT_ID_INVALID, PARTITION_MISMATCH (a row of another patient), and those of
            ``warehouse.storage.rows.to_arrow``.
        """
        path = self._path(table, patient_id)
        entry = registered(table)
        arrow = row_format.to_arrow(entry, rows)
        if patient_id is not None:
            _check_patient(entry, arrow, patient_id)
        sha256 = row_format.digest(entry, arrow)
        metadata = {"petlake.table": table, "petlake.rows": str(arrow.num_rows), "petlake.sha256": sha256}
        with replacing(path) as temporary:
            pq.write_table(arrow.replace_schema_metadata(metadata), temporary, compression="zstd")
        return Written(table, patient_id, arrow.num_rows, sha256, path.relative_to(self.root).as_posix())

    def read(self, table: str, patient_id: str | None, row_type: type[T]) -> tuple[T, ...]:
        """Return the rows of ``table`` for ``patient_id``, ordered by the table's key.

        Raises
        ------
        WarehouseError
            TABLE_UNKNOWN, PATIENT_ID_INVALID, TABLE_NOT_COMPUTED, ROW_FIELDS_MISMATCH, LAKE_FILE_CORRUPT,
            LAKE_FILE_OUTDATED.
        """
        entry = registered(table)
        arrow, _ = self.load(Partition(table, patient_id, self._path(table, patient_id)))
        return row_format.from_arrow(entry, arrow, row_type)

    def read_if_computed(self, table: str, patient_id: str | None, row_type: type[T]) -> tuple[T, ...]:
        """Return the rows of ``table`` as ``read`` does; none where the table was not computed."""
        return self.read(table, patient_id, row_type) if self.exists(table, patient_id) else ()

    def exists(self, table: str, patient_id: str | None) -> bool:
        """Whether ``table`` was computed for ``patient_id``, with or without rows."""
        return self._path(table, patient_id).is_file()

    def digest(self, table: str, patient_id: str | None) -> str:
        """Return the SHA-256 of the rows as stored with them; raises as ``read`` does."""
        return self.stored_digest(Partition(table, patient_id, self._path(table, patient_id)))

    def remove(self, table: str, patient_id: str | None) -> None:
        """Make ``table`` not computed for ``patient_id``; nothing happens when it is so already."""
        path = self._path(table, patient_id)
        path.unlink(missing_ok=True)
        if patient_id is not None and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()

    def patients(self, table: str) -> tuple[str, ...]:
        """Return the patients for whom ``table`` was computed, sorted."""
        return tuple(sorted(p.patient_id for p in self._partitions(registered(table)) if p.patient_id is not None))

    def partitions(self) -> tuple[Partition, ...]:
        """Return every file of every table, ordered by table (as in the registry) and patient."""
        return tuple(partition for table in TABLES.values() for partition in self._partitions(table))

    def stored_digest(self, partition: Partition) -> str:
        """Return the digest that was stored with a file, without reading its rows."""
        with _opened(partition) as file:
            return _digest_of(partition, file)

    def load(self, partition: Partition) -> tuple[pa.Table, str]:
        """Return the rows of a file as an Arrow table, in canonical order, and their digest, recomputed and compared.

        Raises
        ------
        WarehouseError
            TABLE_NOT_COMPUTED; LAKE_FILE_OUTDATED when the columns are no longer those of the registry;
            LAKE_FILE_CORRUPT when the file cannot be read or its rows are not those that were written.
        """
        entry = registered(partition.table)
        with _opened(partition) as file:
            columns = row_format.completed(entry, file.schema_arrow.empty_table()).schema
            if not columns.equals(row_format.arrow_schema(entry), check_metadata=False):
                raise WarehouseError(
                    "LAKE_FILE_OUTDATED",
                    "The file was written with other columns than the table has now",
                    patient_id=partition.patient_id,
                    keyword=partition.table,
                    hint="Materialize it again.",
                )
            stored = _digest_of(partition, file)
            try:
                arrow = row_format.completed(entry, file.read())
            except (pa.ArrowException, OSError) as error:
                raise _corrupt(partition, str(error)) from error
        found = row_format.digest(entry, arrow)
        if found != stored:
            raise _corrupt(partition, f"rows with digest {found}", stored)
        return arrow, stored

    def write_volume(self, patient_id: str, array: NDArray[Any], affine: NDArray[np.float64]) -> str:
        """Store an image or a label map and return its SHA-256; see ``warehouse.storage.volumes.write``."""
        return volumes.write(self._volume_folder(patient_id), array, affine)

    def read_volume(self, patient_id: str, sha256: str) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return the array (z, y, x) and the 4 x 4 affine of a stored volume; see ``volumes.read``."""
        return volumes.read(self.volume_path(patient_id, sha256))

    def volume_path(self, patient_id: str, sha256: str) -> Path:
        """Where the NIfTI file of a volume is, whether it exists or not."""
        return volumes.path_of(self._volume_folder(patient_id), sha256)

    def write_picture(self, patient_id: str, png: bytes) -> str:
        """Store a PNG beside the patient's volumes and return its SHA-256; see ``warehouse.storage.pictures.write``."""
        return pictures.write(self._volume_folder(patient_id), png)

    def read_picture(self, patient_id: str, sha256: str) -> bytes:
        """Return the bytes of a stored picture; see ``warehouse.storage.pictures.read``."""
        return pictures.read(self.picture_path(patient_id, sha256))

    def picture_path(self, patient_id: str, sha256: str) -> Path:
        """Where the PNG file of a picture is, whether it exists or not."""
        return pictures.path_of(self._volume_folder(patient_id), sha256)

    def _volume_folder(self, patient_id: str) -> Path:
        return self.root / "volumes" / f"{_HIVE}{check_patient_id(patient_id)}"

    def _path(self, table: str, patient_id: str | None) -> Path:
        entry = registered(table)
        if entry.per_patient != (patient_id is not None):
            raise WarehouseError(
                "PARTITION_MISMATCH",
                f"The table is {'' if entry.per_patient else 'not '}stored by patient",
                keyword=table,
                found="no patient" if patient_id is None else repr(patient_id),
            )
        if patient_id is None:
            return self.root / entry.name / _FILE
        return self.root / entry.name / f"{_HIVE}{check_patient_id(patient_id)}" / _FILE

    def _partitions(self, table: Table) -> list[Partition]:
        folder = self.root / table.name
        if not table.per_patient:
            return [Partition(table.name, None, folder / _FILE)] if (folder / _FILE).is_file() else []
        if not folder.is_dir():
            return []
        keys = sorted(entry.name.removeprefix(_HIVE) for entry in folder.iterdir() if entry.name.startswith(_HIVE))
        found = [Partition(table.name, check_patient_id(key), folder / f"{_HIVE}{key}" / _FILE) for key in keys]
        return [partition for partition in found if partition.path.is_file()]


def _opened(partition: Partition) -> pq.ParquetFile:
    # Not pq.read_table: it would add a patient_id column guessed from the directory, where 001 becomes a number.
    try:
        return pq.ParquetFile(partition.path)
    except FileNotFoundError:
        raise WarehouseError(
            "TABLE_NOT_COMPUTED",
            "The table was not computed",
            patient_id=partition.patient_id,
            keyword=partition.table,
            hint="Run `petlake materialize`; `petlake status` shows what is missing and why.",
        ) from None
    except (pa.ArrowException, OSError) as error:
        raise _corrupt(partition, str(error)) from error


def _digest_of(partition: Partition, file: pq.ParquetFile) -> str:
    metadata: dict[bytes, bytes] = file.metadata.metadata or {}
    if _SHA256 not in metadata or metadata.get(b"petlake.table") != partition.table.encode():
        raise _corrupt(partition, "a Parquet file that petlake did not write for this table")
    return metadata[_SHA256].decode("ascii")


def _corrupt(partition: Partition, found: str, expected: str | None = None) -> WarehouseError:
    return WarehouseError(
        "LAKE_FILE_CORRUPT",
        "The file is not what was written",
        patient_id=partition.patient_id,
        keyword=partition.table,
        found=" ".join(found.split()),
        expected=expected,
        hint="Delete the file and materialize it again.",
    )


def _check_patient(table: Table, arrow: pa.Table, patient_id: str) -> None:
    others = set(arrow.column("patient_id").to_pylist()) - {patient_id}
    if others:
        raise WarehouseError(
            "PARTITION_MISMATCH",
            "A row belongs to another patient than the one it is written for",
            patient_id=patient_id,
            keyword=table.name,
            found=min(others),
            expected=patient_id,
        )
