"""What comes from outside and is observed by `petlake ingest`, patient by patient."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """An input from outside; ``table`` is that of the lake in which the ingest keeps it."""

    name: str
    table: str
    group: str
    kind: str
    description: str


DICOM_FILES = Source(
    "dicom_files",
    "files",
    "imaging",
    "dicom",
    "A patient's DICOM files as `petlake ingest` found them; the data version is a digest of their bytes.",
)
CLINICAL_TABLE = Source(
    "clinical_table",
    "clinical_cells",
    "clinical",
    "csv",
    "A patient's row of the clinical table; the data version is the digest of its cells.",
)
SUV_OVERRIDES = Source(
    "suv_overrides",
    "suv_override_cells",
    "clinical",
    "csv",
    "The cells of a patient's row that override the header of the PET (syringe, weight, height); the data version is "
    "their digest.",
)
SOURCES = {source.name: source for source in (DICOM_FILES, CLINICAL_TABLE, SUV_OVERRIDES)}
