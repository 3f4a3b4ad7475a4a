"""What `petlake ingest`, `materialize` and `status` say."""

from collections import Counter
from collections.abc import Sequence

from assets.ingest import IngestReport
from assets.status import State, TableState
from assets.work import PatientOutcome
from orchestration import console
from warehouse.snapshots.attrition import Attrition

_MOST_NAMES = 12
_MOST_REASONS = 36


def say_ingest(report: IngestReport, *, with_clinical: bool) -> None:
    """Say what an ingest took, what it set aside and why."""
    new = sum(patient.is_new for patient in report.patients)
    files = sum(p.files_changed and not p.is_new for p in report.patients)
    # Only the cells that study.yaml gives a role are kept, so that another role in it changes them too.
    cells = sum(p.cells_changed and not p.is_new for p in report.patients)
    changed = f"{files} with changed files" + (f", {cells} with other clinical cells in use" if with_clinical else "")
    records = [patient.record for patient in report.patients]
    console.say(
        f"{len(records)} patients ({new} new, {changed}): {sum(r.n_files for r in records)} DICOM files in "
        f"{sum(r.n_series for r in records)} series"
    )
    gaps = [
        ("PET", [r.patient_id for r in records if not r.has_pet]),
        ("CT", [r.patient_id for r in records if not r.has_ct]),
        ("contours", [r.patient_id for r in records if not r.has_contours]),
    ]
    if with_clinical:
        gaps.append(("a clinical row", [r.patient_id for r in records if not r.has_clinical]))
    for label, missing in gaps:
        if missing:
            console.say(f"  without {label}: {_listed(missing)}")
    for patient_id, near in report.unknown:
        guess = f"; is it {near}?" if near else ""
        console.say(f"  in the clinical table but without DICOM files: {patient_id}{guess}")
    if report.gone:
        console.say(f"  no longer in the sources: {_listed(report.gone)}")
    codes = Counter(item.code for item in report.set_aside)
    for code, count in sorted(codes.items()):
        first = next(item for item in report.set_aside if item.code == code)
        console.say(f"  set aside, {code}: {count} files, for example {first.path}: {first.message}")
    for error in report.clinical_set_aside:
        console.say(f"  set aside, {error.sentence()}")


def ingest_json(report: IngestReport) -> dict[str, object]:
    """The same for programs."""
    return {
        "patients": [
            {
                "patient_id": p.record.patient_id,
                "n_files": p.record.n_files,
                "n_series": p.record.n_series,
                "has_pet": p.record.has_pet,
                "has_ct": p.record.has_ct,
                "has_contours": p.record.has_contours,
                "has_clinical": p.record.has_clinical,
                "new": p.is_new,
                "changed": p.files_changed or p.cells_changed,
            }
            for p in report.patients
        ],
        "gone": list(report.gone),
        "unknown": [{"patient_id": patient_id, "nearest": near} for patient_id, near in report.unknown],
        "set_aside": [{"path": str(s.path), "code": s.code, "message": s.message} for s in report.set_aside],
        "clinical_set_aside": [{"code": e.code, "message": e.sentence()} for e in report.clinical_set_aside],
    }


def say_states(states: Sequence[TableState]) -> None:
    """Say how many patients are complete, and for every gap the patient, the table, the state and the reason."""
    patients = {state.patient_id for state in states}
    gaps = [state for state in states if state.state is not State.FRESH]
    complete = len(patients) - len({state.patient_id for state in gaps})
    console.say(f"{complete} of {len(patients)} patients complete in all tables")
    reasons = [(gap.patient_id, gap.table, gap.state.value, reason) for gap in gaps for reason in gap.reasons]
    if reasons:
        console.say_table(("patient", "table", "state", "reason"), reasons[:_MOST_REASONS])
    if len(reasons) > _MOST_REASONS:
        console.say(f"... and {len(reasons) - _MOST_REASONS} more: petlake status --json")
    waiting = sorted({gap.patient_id for gap in gaps if not gap.reasons})
    if waiting:
        console.say(f"not computed yet: {_listed(waiting)}")


def say_attrition(counts: Sequence[Attrition]) -> None:
    """Say how many patients and lesions each feature set has and loses, by reason."""
    if not counts:
        return
    console.say("Patients and lesions with features (COMPUTED) and without, by reason:")
    console.say_table(
        ("feature set", "lesions in", "status", "patients", "lesions", "values"),
        [(r.feature_set, r.region, r.status, r.n_patients, r.n_lesions, r.n_values) for r in counts],
    )


def say_unwritten(outcomes: Sequence[PatientOutcome]) -> None:
    """Name the patients on whom the machine failed: nothing was concluded about them, and nothing was changed."""
    for outcome in outcomes:
        reason = outcome.tables[0].refusals[0]
        found = f" ({reason.found})" if reason.found else ""
        console.say(f"{outcome.patient_id}: {reason.code}: {reason.message}{found}. {reason.hint}")


def _listed(names: list[str] | tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"
