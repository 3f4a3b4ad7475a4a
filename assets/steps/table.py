"""A table that is computed, as one record: it stands beside its step, and all lists of tables are derived from it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from assets.settings import StudySettings
from assets.steps.patient_data import PatientData, StepOutput
from petct.settings_digest import canonical_json
from warehouse.storage.lake import Lake

Settings = Mapping[str, object]


@dataclass(frozen=True)
class Check:
    """What must hold of a table of a patient, whatever it was computed from; ``violated`` says that it does not."""

    name: str
    description: str
    violated: Callable[[Lake, str], bool]


@dataclass(frozen=True)
class ComputedTable:
    """The code of a table, and the settings that it runs with: when either changes, what was computed is stale.

    Attributes
    ----------
    code_version
        Raised whenever the code changes a number.
    settings
        What of the study changes the rows; places on a disk do not.
    """

    name: str
    code_version: str
    settings: Callable[[StudySettings], Settings] = field(default=lambda _: {})

    def settings_sha256(self, study: StudySettings) -> str:
        """Digest of the settings."""
        return hashlib.sha256(canonical_json(self.settings(study)).encode()).hexdigest()

    def version(self, study: StudySettings | None) -> str:
        """Version of the code and of the settings it runs with; without a study that of the code alone."""
        return f"{self.code_version}+{self.settings_sha256(study)[:8]}" if study else self.code_version


@dataclass(frozen=True, kw_only=True)
class PatientTable(ComputedTable):
    """A table that is computed of each patient.

    Attributes
    ----------
    step
        Computes the rows.
    upstream
        The tables that the step reads, companions of other tables among them, and the inputs from outside.
    checks
        What must hold of the rows.
    companions
        Tables that the step writes together with this one.
    is_asked
        Whether a study asks for it.
    """

    step: Callable[[PatientData], StepOutput]
    upstream: tuple[str, ...]
    checks: tuple[Check, ...]
    companions: tuple[str, ...] = ()
    is_asked: Callable[[StudySettings], bool] = field(default=lambda _: True)
