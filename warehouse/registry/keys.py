"""The key columns that tables share: the same name, the same meaning, everywhere."""

from __future__ import annotations

from warehouse.registry.schema import text

PATIENT = text("patient_id", "Patient key, always text; the directory of the partition")
SCAN = text("scan_id", "Scan of the patient: the study date and the last part of the study's UID digest")
PROTOCOL = text("protocol_id", "How the lesions were delineated: readable name and digest of its settings")
LESION = text("lesion_id", "Lesion within scan and protocol, ordered by size and position: L01, L02, ...")
SERIES = text("series_instance_uid", "Series Instance UID (0020,000E)")
SERIES_OR_NONE = text("series_instance_uid", "Series Instance UID (0020,000E), where one is concerned", nullable=True)
SCAN_OR_NONE = text("scan_id", "Scan of the patient, where one is concerned", nullable=True)
