"""The methods paragraphs of an analysis, from its recipe, its snapshot and its result: true, complete, to be pasted.

Nothing is said that the snapshot does not say: what it is silent about stays out, and what only the authors know is
left to them.
"""

from __future__ import annotations

from collections.abc import Mapping

from analyses.lineage import FeatureSource, Lineage
from analyses.manuscript.results import results_sentences
from analyses.manuscript.statistics import statistics_sentences
from analyses.requests.answer import Answer
from petct.survival.cohort.results import counted

_MODALITIES = {"PT": "PET (SUV)", "CT": "CT (Hounsfield units)"}


def methods_text(lineage: Lineage, answer: Answer, labels: Mapping[str, str]) -> str:
    """Return the paragraphs Patients, Imaging, Statistics, Result and Software, each on one line.

    Parameters
    ----------
    lineage
        What the snapshot says.
    answer
        What was asked, and what was found.
    labels
        Names to print for variables.
    """
    paragraphs = {
        "Patients": _patients(lineage, answer),
        "Imaging": _imaging(lineage),
        "Statistics": [
            *statistics_sentences(answer, labels),
            *_multiplicity(lineage, answer),
        ],
        "Result": results_sentences(answer, labels),
        "Software": _software(lineage, answer),
    }
    return "\n\n".join(f"{title}. {' '.join(sentences)}" for title, sentences in paragraphs.items() if sentences) + "\n"


def _patients(lineage: Lineage, answer: Answer) -> list[str]:
    found = [f"The study {lineage.study} has {counted(lineage.n_patients, 'patient')}."]
    selection, endpoint = answer.basis.selection, answer.basis.endpoint
    if selection is not None and selection.conditions:
        found.append(f"Selected for this analysis: {selection.sentence}.")
    events = answer.n_events
    analysed = f"The analysis includes {counted(answer.n, 'patient')}"
    found.append(f"{analysed}." if events is None else f"{analysed} with {counted(events, 'event')}.")
    left_out = lineage.n_selected - answer.n
    if left_out > 0:
        found.append(
            f"{counted(left_out, 'patient')} without {'the endpoint or ' if endpoint else ''}a value that the "
            "analysis needs took no part."
        )
    definition = lineage.endpoint
    if definition is not None:
        competing = f", '{definition.competing}' as the competing event" if definition.competing else ""
        events_text = " or ".join(f"'{column}'" for column in definition.events)
        found.append(
            f"{endpoint} was measured in days from '{definition.origin}' to {events_text}{competing}, "
            f"censored at '{definition.censoring}'"
            + (f" and, administratively, on {definition.data_lock}." if definition.data_lock else ".")
        )
    if lineage.baseline_within_days is not None and lineage.n_scans:
        found.append(
            "The baseline scan is the nearest one before the origin, at most "
            f"{counted(lineage.baseline_within_days, 'day')} earlier."
        )
    return found


def _imaging(lineage: Lineage) -> list[str]:
    found = []
    if lineage.n_scans:
        tracer = f"{lineage.tracer} " if lineage.tracer else ""
        policy = {
            "lenient": f"; {counted(lineage.n_adaptations, 'deviation')} that the IBSI guideline allows were recorded",
            "strict": ", and refused wherever anything would have had to be assumed",
        }.get(lineage.suv_policy or "", "")
        found.append(f"{tracer}PET/CT was converted to body-weight SUV from the DICOM header{policy}.")
    if lineage.protocol and lineage.n_scans:
        description = f": {_as_clause(lineage.protocol_description)}" if lineage.protocol_description else ""
        found.append(f"Lesions were delineated by the protocol {lineage.protocol}{description}.")
    found += [_features(source, lineage.engine) for source in lineage.feature_sources]
    if lineage.feature_sources and lineage.minimum_icc is not None:
        found.append(
            "Robustness of the features was measured; a feature is called robust where the lower limit of its "
            f"intraclass correlation reaches {lineage.minimum_icc:g}."
        )
    return found


def _features(source: FeatureSource, engine: str | None) -> str:
    libraries = dict(source.libraries)
    by = {
        "fast": "petlake's engine, whose values are those of pyradiomics",
        "reference": "pyradiomics",
    }.get(engine or "", "petlake")
    version = f" {libraries['pyradiomics']}" if "pyradiomics" in libraries and engine in ("fast", "reference") else ""
    return (
        f"Radiomic features of the {_MODALITIES.get(source.modality, source.modality)} are those of the feature set "
        f"{source.name} ({_as_clause(source.description)}; id {source.feature_set_id}), computed by {by}{version} and "
        f"brought from lesions to patients by the rule {source.aggregation}."
    )


def _as_clause(sentence: str | None) -> str:
    return (sentence or "").strip().rstrip(".")


def _multiplicity(lineage: Lineage, answer: Answer) -> list[str]:
    if answer.declared is None:
        return ["Nothing was tested."]
    standing = (
        "This analysis is a primary hypothesis that was declared in study.yaml."
        if answer.declared == "primary"
        else "This analysis is exploratory: it was not among the hypotheses declared in study.yaml."
    )
    return [standing, f"{lineage.ledger.sentence}."]


def _software(lineage: Lineage, answer: Answer) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in lineage.software)
    found = [f"petlake {lineage.petlake_version} ({versions})."]
    passed = [f"{exam} {n_passed} of {n}" for exam, n_passed, n in lineage.exams]
    if passed:
        found.append(f"Comparisons with published reference values that the same code passes: {', '.join(passed)}.")
    found.append(f"Snapshot {lineage.snapshot_id}; command: {answer.command_line}")
    return found
