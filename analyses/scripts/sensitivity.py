"""Statements of ``petlake sensitivity`` as Python."""

from __future__ import annotations

from analyses.context import Resolved
from analyses.scripts.parts import Parts
from analyses.scripts.text import Code, indented, literal


def sensitivity_statements(resolved: Resolved, code: Code) -> Parts:
    """Add the statements of a comparison of the protocols."""
    code.use("numpy")
    code.use("petct.survival.cox_repeated.protocol_sensitivity", "ProtocolBurden", "compare_protocols", "hazard_ratios")
    code.use("petct.survival.cohort.outcome", "cause_specific")
    code.use("analyses.numbers", "protocol_numbers")
    code.use("warehouse.queries.protocol_queries", "tumour_burdens")
    organ = literal(resolved.recipe.value("organ"))
    selected = bool(resolved.conditions)
    patients, of = (", selection.patient_ids", ".of(selection.patient_ids)") if selected else ("", "")
    code.add(
        "with open_snapshot(lake, SNAPSHOT) as snapshot:",
        *indented(["selection = snapshot.selection(CONDITIONS)"] if selected else []),
        *indented(
            [
                f"burdens = tumour_burdens(snapshot, {organ}{patients})",
                f"times = snapshot.endpoint(ENDPOINT){of}",
            ]
        ),
        "everyone = [ProtocolBurden(b.protocol_id, b.volume_ml, b.n_lesions) for b in burdens]",
        "result = compare_protocols(everyone)",
        "rows = np.isin(burdens[0].patient_ids, times.patient_ids)",
        "known = [ProtocolBurden(b.protocol, b.volume_ml[rows], b.n_lesions[rows]) for b in everyone]",
        'outcome = cause_specific(times.duration_days, times.event, "day")',
        "hazards = hazard_ratios(known, outcome)",
        "names = {b.protocol_id: b.name for b in burdens}",
        'return {"result": result, "hazards": hazards, "names": names}',
    )
    return Parts(
        (
            'result, hazards = as_dict(found["result"]), as_dict(found["hazards"])',
            'return {"names": found["names"], **result, "hazards": hazards}',
        ),
        'protocol_numbers(found["result"], found["hazards"], found["names"])',
        'paper.protocol_hazards_print(found["hazards"], found["names"])',
    )
