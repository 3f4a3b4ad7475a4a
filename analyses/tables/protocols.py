"""Tables of one cohort under several protocols: tumour burden, agreement of every two, hazard ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analyses.tables.table import AMOUNT, Estimate, Limits, Table, p_cell, table
from petct.survival.cox_repeated.protocol_sensitivity import (
    Agreement,
    HazardSensitivity,
    ProtocolPair,
    ProtocolSensitivity,
)

Names = Mapping[str, str]


def pair_name(pair: ProtocolPair, names: Names) -> str:
    """Return ``contours, suv_4``: first and second protocol."""
    return f"{names[pair.first]}, {names[pair.second]}"


def burdens(compared: ProtocolSensitivity, names: Names) -> Table:
    """Volumes and lesions under each protocol."""
    return table(
        compared.protocols,
        ("Protocol", "", lambda row: names[row.protocol]),
        ("n", "", lambda row: row.n),
        ("Not determined", "", lambda row: row.n_unknown),
        ("Without tumour", "", lambda row: row.n_without_tumour),
        ("Median volume, ml", AMOUNT, lambda row: row.median_ml),
        ("Quartiles, ml", AMOUNT, lambda row: Limits(row.lower_quartile_ml, row.upper_quartile_ml)),
        ("Lesions", "", lambda row: row.total_lesions),
        ("Median lesions", AMOUNT, lambda row: row.median_lesions),
    )


def pairs(compared: ProtocolSensitivity, names: Names) -> Table:
    """Ranks and limits of agreement of every two protocols, the second against the first."""

    def bias(found: Agreement | None) -> float | None:
        return None if found is None else found.bias

    def limits(found: Agreement | None) -> Limits | None:
        return None if found is None else Limits(found.lower_limit, found.upper_limit)

    return table(
        compared.pairs,
        ("Protocols", "", lambda pair: pair_name(pair, names)),
        ("n", "", lambda pair: pair.n),
        ("Spearman (95 % CI)", ".2f", lambda p: Estimate(p.spearman, p.spearman_lower, p.spearman_upper)),
        ("Bias, ml", AMOUNT, lambda pair: bias(pair.volume)),
        ("Limits, ml", AMOUNT, lambda pair: limits(pair.volume)),
        ("Mean ratio", AMOUNT, lambda pair: bias(pair.log_volume)),
        ("Limits of ratio", AMOUNT, lambda pair: limits(pair.log_volume)),
        ("Same number of lesions", "", lambda pair: f"{pair.same_count} of {pair.n}"),
    )


def pair_notes(compared: ProtocolSensitivity, names: Names) -> list[str]:
    """What has to be known of single pairs: what is withheld, and who is in no ratio."""
    said = sorted({f"{pair_name(pair, names)}: {reason.message}" for pair in compared.pairs for reason in pair.reasons})
    return said + [
        f"{pair_name(pair, names)}: tumour under the first only in {pair.n_only_first}, under the second only in "
        f"{pair.n_only_second}; these have no ratio."
        for pair in compared.pairs
        if pair.n_only_first or pair.n_only_second
    ]


def hazards(found: HazardSensitivity, names: Names) -> Table:
    """The hazard ratio per doubling of tumour volume under each protocol that has a model."""
    return table(
        [row for row in found.rows if row.refused is None],
        ("Protocol", "", lambda row: names[row.protocol]),
        ("n", "", lambda row: row.n),
        ("Events", "", lambda row: row.n_events),
        ("Hazard ratio (95 % CI)", ".2f", lambda row: Estimate(row.hazard_ratio, row.lower, row.upper)),
        ("p", "", lambda row: p_cell(row.p)),
        ("Detectable hazard ratio", AMOUNT, lambda row: row.minimum_detectable_hazard_ratio),
    )


def withheld(found: HazardSensitivity, names: Names) -> list[str]:
    """Why protocols have no model or no p-value, and what holds for all."""
    reasons = [(row, reason) for row in found.rows for reason in (row.refused, row.p_suppressed) if reason is not None]
    return [*(f"{names[row.protocol]}: {reason.message}" for row, reason in reasons), *found.notes]


def notes_of_models(found: HazardSensitivity, names: Names) -> Sequence[str]:
    """The notes of each model."""
    return [f"{names[row.protocol]}: {note}" for row in found.rows if row.refused is None for note in row.notes]
