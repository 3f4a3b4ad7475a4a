"""The key columns that tables share: the same name, the same meaning, everywhere."""

from typing import Annotated

from records.columns import About, own

PatientId = Annotated[str, own("Patient key, always text; the directory of the partition")]
ScanId = Annotated[str, own("Scan of the patient: the study date and the last part of the study's UID digest")]
ScanIdOrNone = Annotated[str | None, own("Scan of the patient, where one is concerned")]
ProtocolId = Annotated[str, own("How the lesions were delineated: readable name and digest of its settings")]
LesionId = Annotated[str, own("Lesion within scan and protocol, ordered by size and position: L01, L02, ...")]
SeriesUid = Annotated[str, About("Series Instance UID (0020,000E)")]
SeriesUidOrNone = Annotated[str | None, About("Series Instance UID (0020,000E), where one is concerned")]
FeatureSetId = Annotated[str, own("Feature set")]
FeatureName = Annotated[str, own("Feature, see feature_definitions")]
