"""What is known of one patient while its tables are computed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from assets.settings import StudySettings
from petct.dicom.declarations import declaration_of, is_volume
from petct.dicom.declared import read_declared_pet
from petct.dicom.images import CtSeries, PetSeries
from petct.dicom.scans import ScanSeries, scans_of
from petct.dicom.series import read_ct, read_pet
from petct.errors import DicomError, PetctError
from petct.image.volume import Geometry, Volume
from records.imaging import FileRecord, Finding, RefusalRecord, ScanRecord, SeriesRecord
from warehouse.storage.lake import Lake

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")


@dataclass(frozen=True)
class Measure:
    """A count or quantity that the Dagster UI shows beside a materialisation; never an image, a name or a date."""

    name: str
    value: int | float
    unit: str | None = None


@dataclass(frozen=True)
class StepOutput:
    """The rows of one table of one patient, and what is to be said about them.

    Attributes
    ----------
    rows
        None when nothing could be computed; with refusals beside rows, part of the table is there.
    companions
        Tables that are written together with this one, such as the adaptations of the SUV.
    paths
        What a file of the lake is, and where it is below the lake, for the Dagster UI.
    """

    rows: Sequence[Any] | None
    companions: tuple[tuple[str, Sequence[Any]], ...] = ()
    findings: tuple[Finding, ...] = ()
    refusals: tuple[RefusalRecord, ...] = ()
    measures: tuple[Measure, ...] = ()
    paths: tuple[tuple[str, str], ...] = ()


class PatientData:
    """What is known of a patient while its tables are computed: rows of this run first, then those of the lake."""

    def __init__(self, patient_id: str, settings: StudySettings, lake: Lake) -> None:
        self.patient_id = patient_id
        self.settings = settings
        self.lake = lake
        # Scan and protocol to the voxels that were excluded as physiological, where this run found the lesions.
        self.excluded: dict[tuple[str, str], NDArray[np.bool_] | None] = {}
        self._outputs: dict[str, StepOutput] = {}
        self._readable: Collection[str] | None = None
        self._pet: dict[str, PetSeries] = {}
        self._ct: dict[str, CtSeries] = {}
        self._volumes: dict[str, Volume] = {}

    def reading(self, upstream: Collection[str]) -> "PatientData":
        """Let the step that follows read these tables and no others: what it reads is what makes it stale."""
        self._readable = upstream
        return self

    def remember(self, table: str, output: StepOutput) -> None:
        """Keep the output of a step for those that follow."""
        self._outputs[table] = output
        for name, rows in output.companions:
            self._outputs[name] = StepOutput(rows)

    def rows(self, table: str, row_type: type[Row]) -> Sequence[Row]:
        """The rows of ``table``; raises ``PetctError`` UPSTREAM_MISSING with the reasons when there are none."""
        if self._readable is not None and table not in self._readable:
            raise LookupError(f"{table} is read, and not declared as upstream")
        if table in self._outputs:
            output = self._outputs[table]
            if output.rows is not None:
                return output.rows
        elif self.lake.exists(table, self.patient_id):
            return self.lake.read(table, self.patient_id, row_type)
        raise PetctError(
            "UPSTREAM_MISSING",
            f"This is computed from {table}, which could not be computed",
            patient_id=self.patient_id,
            found=", ".join(sorted({r.code for r in self.refusals(table)})) or "not computed yet",
        )

    def refusals(self, table: str) -> tuple[RefusalRecord, ...]:
        """Why ``table``, or part of it, could not be computed."""
        if table in self._outputs:
            return self._outputs[table].refusals
        stored = self.lake.read_if_computed("refusals", self.patient_id, RefusalRecord)
        return tuple(record for record in stored if record.table_name == table)

    def findings(self, table: str) -> tuple[Finding, ...]:
        """What was found when ``table`` was computed."""
        stored = self.lake.read_if_computed("qc_events", self.patient_id, Finding)
        return tuple(finding for finding in stored if finding.table_name == table)

    def series(self) -> tuple[SeriesRecord, ...]:
        """All series of the patient."""
        return tuple(self.rows("series", SeriesRecord))

    def scan_series(self) -> tuple[ScanSeries, ...]:
        """The examinations, each with its series."""
        return scans_of(self.series())

    def scans(self) -> tuple[ScanRecord, ...]:
        """The examinations that have a readable PET."""
        return tuple(self.rows("scans", ScanRecord))

    def paths(self, series_instance_uid: str) -> list[Path]:
        """The files of a series, in the order of their names."""
        return [
            self.settings.dicom_folder / file.path
            for file in sorted(self.files(), key=lambda file: file.path)
            if file.series_instance_uid == series_instance_uid
        ]

    def files(self) -> tuple[FileRecord, ...]:
        """The files of the patient as they were ingested."""
        if not self.lake.exists("files", self.patient_id):
            raise DicomError(
                "DICOM_MISSING",
                "There are no DICOM files of the patient",
                patient_id=self.patient_id,
                hint="Add them to the DICOM folder and run `petlake ingest`.",
            )
        return self.lake.read("files", self.patient_id, FileRecord)

    def pet(self, series: SeriesRecord) -> PetSeries:
        """The PET series, read once."""
        uid = series.series_instance_uid
        if uid not in self._pet:
            self._pet[uid] = self._read_pet(uid)
        return self._pet[uid]

    def _read_pet(self, uid: str) -> PetSeries:
        paths = self.paths(uid)
        if len(paths) == 1 and is_volume(paths[0].name):
            relative = paths[0].relative_to(self.settings.dicom_folder).as_posix()
            units = declaration_of(relative, self.settings.declared_pet).units
            return read_declared_pet(paths[0], units, patient_id=self.patient_id, series_instance_uid=uid)
        return read_pet(paths, patient_id=self.patient_id, series_instance_uid=uid)

    def ct(self, scan: ScanSeries) -> CtSeries:
        """The CT of a scan, read once; raises ``DicomError`` CT_SERIES_MISSING."""
        uid = scan.require_ct().series_instance_uid
        if uid not in self._ct:
            self._ct[uid] = read_ct(self.paths(uid), patient_id=self.patient_id, series_instance_uid=uid)
        return self._ct[uid]

    def keep(self, volume: Volume) -> str:
        """Write a volume to the lake and keep it in memory; its digest."""
        sha256 = self.lake.write_volume(self.patient_id, volume.array, volume.geometry.affine)
        self._volumes[sha256] = volume
        return sha256

    def volume(self, sha256: str) -> Volume:
        """A volume by its digest."""
        if sha256 not in self._volumes:
            array, affine = self.lake.read_volume(self.patient_id, sha256)
            shape = (array.shape[0], array.shape[1], array.shape[2])
            self._volumes[sha256] = Volume(array, Geometry.from_affine(affine, shape))
        return self._volumes[sha256]
