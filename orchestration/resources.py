"""What the assets are given: the study, an engine, and somebody who listens."""

from dataclasses import dataclass

from assets.settings import StudySettings
from orchestration.study import STUDY_VARIABLE, StudyError


@dataclass(frozen=True)
class StudyResource:
    """The study of this process; asking for it where there is none is a refusal, not a crash at import."""

    loaded: StudySettings | None

    def settings(self) -> StudySettings:
        """The study's settings; raises ``StudyError`` STUDY_NOT_NAMED."""
        if self.loaded is None:
            raise StudyError(
                "STUDY_NOT_NAMED",
                "No study was named, so there is nothing to compute",
                keyword=STUDY_VARIABLE,
                hint=f"Start the UI with `petlake ui --study DIR`, or set {STUDY_VARIABLE}.",
            )
        return self.loaded
