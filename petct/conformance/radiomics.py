"""The radiomics exam: IBSI-1's digital phantom and the configurations A to E of its CT phantom.

The images are processed by IBSI's rules, the features come from pyradiomics' classes; where a feature set can express a
configuration, petlake's own way from image to value is examined, too. Every row of the reference values is a line: a
match, a known difference from a closed list (with a formula whose result lies within the tolerance), not computed by
pyradiomics (another closed list), or a failure. docs/decisions/0029-the-radiomics-exam.md.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from petct.conformance import ibsi_rules as rules
from petct.conformance.exam import Exam, ExamLine, Verdict
from petct.conformance.ibsi_independent import NOTE, independent_values
from petct.conformance.ibsi_own_processing import FEATURE_SETS, explained, found_by_feature_set
from petct.conformance.ibsi_preparation import (
    CT_CONFIGURATIONS,
    DIGITAL_PHANTOM,
    Configuration,
    Phantom,
    prepare,
    read_phantom,
)
from petct.conformance.ibsi_values import (
    feature_tag,
    processing_values,
    pyradiomics_levels,
    region_values,
    shape_features,
    texture_features,
)
from petct.errors import FeatureError
from petct.radiomics.definitions import ORIGINAL_FEATURES
from petct.radiomics.engines import compute_features
from petct.radiomics.feature_sets import Discretisation, FeatureSet

_SIGNIFICANT_DIGITS = 3
_INDEPENDENT_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Reference:
    """One reference value, as text; ``value`` is empty where IBSI publishes none."""

    tag: str
    value: str
    tolerance: str


def run(folder: Path, configurations: tuple[Configuration, ...] = CT_CONFIGURATIONS) -> Exam:
    """Take the exam on the data in ``folder`` (``digital_phantom``, ``ct_phantom`` and ``reference``).

    Raises
    ------
    FeatureError
        EXAM_DATA_MISSING when a phantom or a file of reference values is not there.
    """
    digital = _phantom(folder / "digital_phantom")
    references = _references(folder / "reference" / "ibsi_1_dig_phantom.csv")
    lines = [*_feature_set_lines(digital, references), *_lines(digital, DIGITAL_PHANTOM, references, {})]
    shapes: dict[bytes, dict[str, float]] = {}
    if configurations:
        phantom = _phantom(folder / "ct_phantom")
        for configuration in configurations:
            file = folder / "reference" / f"ibsi_1_chest_config_{configuration.name.lower()}.csv"
            references = _references(file)
            of_configuration = _lines(phantom, configuration, references, shapes)
            lines += of_configuration
            if configuration.name in FEATURE_SETS:
                lines += _own_processing_lines(phantom, configuration, references, of_configuration)
    return Exam("IBSI-1 radiomics", tuple(lines))


def _feature_set_lines(phantom: Phantom, references: dict[str, Reference]) -> list[ExamLine]:
    """The 107 features as petlake itself computes them, with its own feature set, engine and names."""
    prepared = prepare(phantom, DIGITAL_PHANTOM)
    found = {
        feature.feature_name: feature.value for feature in compute_features(phantom.image, phantom.mask, _FEATURE_SET)
    }
    values = {feature_tag(d.feature_class, d.name) or d.feature_name: found[d.feature_name] for d in ORIGINAL_FEATURES}
    known = {name: math.nan if value is None else value for name, value in values.items()}
    evidence = rules.Evidence(known, {}, int(np.count_nonzero(phantom.mask.array)))
    independent = independent_values(prepared)
    lines = []
    for definition in ORIGINAL_FEATURES:
        name = definition.feature_name
        tag = feature_tag(definition.feature_class, definition.name)
        if tag is None:
            lines.append(_independent_line(name, known[name], independent[name]))
        else:
            line = _line("digital phantom, the 107 features", references[tag], evidence)
            lines.append(replace(line, quantity=name))
    return lines


def _independent_line(name: str, found: float, expected: float) -> ExamLine:
    same = math.isclose(found, expected, rel_tol=_INDEPENDENT_TOLERANCE)
    return ExamLine(
        "digital phantom, the 107 features",
        name,
        repr(expected),
        repr(found),
        f"{_INDEPENDENT_TOLERANCE:g} relative",
        Verdict.KNOWN_DIFFERENCE if same else Verdict.FAIL,
        NOTE,
    )


def _lines(
    phantom: Phantom,
    configuration: Configuration,
    references: dict[str, Reference],
    shapes: dict[bytes, dict[str, float]],
) -> list[ExamLine]:
    """One line a reference value; ``shapes`` remembers the shape features of a region."""
    prepared = prepare(phantom, configuration)
    region = prepared.morphological.array
    key = np.packbits(region).tobytes()
    if key not in shapes:
        shapes[key] = shape_features(prepared)
    own = pyradiomics_levels(prepared, configuration)
    evidence = rules.Evidence(
        values={
            **processing_values(phantom, prepared),
            **region_values(prepared, configuration, shapes[key]),
            **texture_features(prepared, configuration, own),
        },
        of_ibsi_levels=texture_features(prepared, configuration, prepared.levels, int(prepared.levels.max())),
        voxels=int(np.count_nonzero(region)),
    )
    case = configuration.name if configuration is DIGITAL_PHANTOM else f"configuration {configuration.name}"
    return [_line(case, reference, evidence) for reference in references.values()]


def _own_processing_lines(
    phantom: Phantom, configuration: Configuration, references: dict[str, Reference], on_ibsi_image: list[ExamLine]
) -> list[ExamLine]:
    """One line a feature of the configuration's feature set, computed by petlake from the phantom as it is."""
    case = f"configuration {configuration.name}, own processing"
    by_tag = {line.quantity: line for line in on_ibsi_image}
    found = found_by_feature_set(phantom, FEATURE_SETS[configuration.name])
    return [
        explained(case, value, value is not None and within_tolerance(value, references[tag]), by_tag[tag])
        for tag, value in found.items()
    ]


def _line(case: str, reference: Reference, evidence: rules.Evidence) -> ExamLine:
    tag = reference.tag
    expected = reference.value or None
    tolerance = reference.tolerance or None

    def line(verdict: Verdict, found: float | None, note: str = "") -> ExamLine:
        return ExamLine(case, tag, expected, None if found is None else repr(found), tolerance, verdict, note)

    if expected is None:
        return line(Verdict.NOT_COMPUTED, evidence.values.get(tag), rules.NO_REFERENCE)
    reason = rules.not_computed(tag)
    if reason is not None:
        return line(Verdict.NOT_COMPUTED, None, reason)
    formula = rules.left_out(tag)
    if formula is None:
        if tag not in evidence.values:
            return line(Verdict.FAIL, None, "there is no value, and the tag is on neither closed list")
        found = evidence.values[tag]
        if within_tolerance(found, reference):
            return line(Verdict.PASS, found)
        formula = rules.known_difference(tag)
        if formula is None:
            return line(Verdict.FAIL, found, "the difference is not on the closed list")
        mapped = formula.mapped(tag, evidence)
        note = f"{formula.note}; that gives {mapped:.6g}"
    else:
        found = mapped = formula.mapped(tag, evidence)
        note = formula.note
    return line(Verdict.KNOWN_DIFFERENCE if within_tolerance(mapped, reference) else Verdict.FAIL, found, note)


def within_tolerance(found: float, reference: Reference) -> bool:
    """Whether a value matches, after rounding to as many digits as the reference value has, and at least to three."""
    if not math.isfinite(found):
        return False
    written = reference.value.lower().split("e")[0].lstrip("-").replace(".", "").strip("0")
    rounded = float(f"{found:.{max(len(written), _SIGNIFICANT_DIGITS) - 1}e}")
    expected = float(reference.value)
    # The last term is for what binary fractions do to a difference of decimal ones.
    return abs(rounded - expected) <= float(reference.tolerance) + 1e-9 * abs(expected)


def _references(file: Path) -> dict[str, Reference]:
    if not file.is_file():
        raise FeatureError("EXAM_DATA_MISSING", "The reference values are not there", keyword=file.name)
    with file.open(encoding="utf-8", newline="") as rows:
        references = [
            Reference(row["tag"], row["reference value"], row["tolerance"])
            for row in csv.DictReader(rows, delimiter=";")
        ]
    return {reference.tag: reference for reference in references}


def _phantom(folder: Path) -> Phantom:
    if not folder.is_dir():
        raise FeatureError("EXAM_DATA_MISSING", "A phantom of the exam is not there", keyword=folder.name)
    return read_phantom(folder)


_FEATURE_SET = FeatureSet(
    name="ibsi_digital_phantom",
    description="107 original features of the digital phantom, whose intensities are grey levels.",
    modality="CT",
    discretisation=Discretisation(bin_width=1.0),
    minimum_roi_voxels=1,
    version=1,
)
