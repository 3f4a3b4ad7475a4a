"""Parts of the page Protocols: rules in words, volumes, agreement, hazard ratios, and the account of exclusions."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from analyses.tables import protocols as tables
from dashboard import charts, notices, wording
from dashboard.panels import result_table
from figures.forest import protocol_hazards_figure
from figures.protocol_views import account_figure, bland_altman_figure, volumes_figure
from petct.lesions.protocol_wording import protocol_in_words
from petct.survival.cox_repeated.protocol_sensitivity import (
    HazardSensitivity,
    ProtocolPair,
    ProtocolSensitivity,
)
from warehouse.queries.protocol_queries import ExclusionAccount, ProtocolInfo, TumourBurden

_REMOVED = ("PHYSIOLOGICAL", "TOO_SMALL")
_FATES = {"KEPT": "kept as tumour", "PHYSIOLOGICAL": "in an excluded organ", "TOO_SMALL": "below the minimum volume"}


def names_of(protocols: tuple[ProtocolInfo, ...]) -> dict[str, str]:
    """Return the name of each protocol by its id; the id itself where two have one name."""
    names = [each.name for each in protocols]
    return {each.protocol_id: each.name if names.count(each.name) == 1 else each.protocol_id for each in protocols}


def rules(protocols: tuple[ProtocolInfo, ...], names: dict[str, str]) -> None:
    """Say what each protocol does, in plain words."""
    for start in range(0, len(protocols), 3):
        for place, each in zip(st.columns(3), protocols[start : start + 3], strict=False):
            with place.container(border=True, height="stretch"):
                first = " · default" if start == 0 and each is protocols[0] else ""
                st.markdown(f"**{wording.literal_markdown(names[each.protocol_id])}**{first}")
                words = " ".join(protocol_in_words(each.settings_json))
                st.markdown(wording.literal_markdown(words), help=f"{each.description} `{each.protocol_id}`")


def volumes(burdens: tuple[TumourBurden, ...], compared: ProtocolSensitivity, names: dict[str, str]) -> None:
    """Show volumes and lesion counts under each protocol."""
    st.markdown(f"**Tumour volume under each protocol** (n = {compared.n})")
    charts.draw(
        volumes_figure({names[each.protocol_id]: each.volume_ml for each in burdens}, burdens[0].patient_ids),
        key="protocol_volumes",
        of_patients=True,
        alt="; ".join(
            f"{names[row.protocol]}: median {_shown(row.median_ml)} ml, n = {row.n}" for row in compared.protocols
        ),
    )
    result_table(tables.burdens(compared, names))


def pairs(compared: ProtocolSensitivity, names: dict[str, str]) -> None:
    """Show ranks and limits of agreement of every two protocols."""
    result_table(tables.pairs(compared, names))
    st.caption(
        "Second protocol against the first. Between the limits of agreement (Bland and Altman) lie 95 % of the "
        "patients; ratios are of the patients with tumour under both."
    )
    notices.notes(tables.pair_notes(compared, names))


def agreement(burdens: tuple[TumourBurden, ...], pair: ProtocolPair, names: dict[str, str], *, as_ratio: bool) -> None:
    """Show the Bland-Altman plot of two protocols."""
    found = pair.log_volume if as_ratio else pair.volume
    if found is None:
        notices.notes([reason.message for reason in pair.reasons])
        return
    by_id = {each.protocol_id: each for each in burdens}
    first, second = by_id[pair.first], by_id[pair.second]
    st.markdown(f"**Bland-Altman plot** (n = {found.n})")
    charts.draw(
        bland_altman_figure(
            first.volume_ml,
            second.volume_ml,
            first.patient_ids,
            found,
            (names[pair.first], names[pair.second]),
            as_ratio=as_ratio,
        ),
        key="bland_altman",
        of_patients=True,
        alt=f"{tables.pair_name(pair, names)}: {'mean ratio' if as_ratio else 'bias in ml'} {found.bias:.3g}, limits "
        f"of agreement {found.lower_limit:.3g} to {found.upper_limit:.3g}, n = {found.n}.",
    )


def hazards(endpoint: str, found: HazardSensitivity, names: dict[str, str]) -> None:
    """Show the hazard ratio of tumour volume under each protocol."""
    left = f", {found.n_left_out} left out" if found.n_left_out else ""
    events = next((row.n_events for row in found.rows), 0)
    st.markdown(
        f"**{wording.literal_markdown(endpoint)}** (n = {found.n}, {wording.plural(events, 'event')}): the patients "
        f"whose lesions are known under all protocols{left}"
    )
    fitted = [row for row in found.rows if row.refused is None]
    if fitted:
        charts.draw(
            protocol_hazards_figure(found, names),
            key="protocol_hazards",
            alt="; ".join(
                f"{names[row.protocol]}: hazard ratio {row.hazard_ratio:.2f} ({row.lower:.2f} to {row.upper:.2f})"
                for row in fitted
            ),
        )
        result_table(tables.hazards(found, names))
        st.caption("Per doubling of volume; beside each p stands the hazard ratio that was detectable with 80 % power.")
    notices.notes(tables.withheld(found, names))
    if fitted:
        with st.expander("Notes on each model"):
            notices.notes(tables.notes_of_models(found, names))


def account(accounts: tuple[ExclusionAccount, ...], names: dict[str, str]) -> None:
    """Show what became of all that was above the threshold, and that it adds up."""
    told = [each for each in accounts if each.lines]
    without = [names[each.protocol_id] for each in accounts if not each.lines]
    if told:
        charts.draw(
            account_figure(
                {
                    names[each.protocol_id]: {words: each.volume_ml(fate) for fate, words in _FATES.items()}
                    for each in told
                }
            ),
            key="exclusion_account",
            alt="; ".join(_account_in_words(each, names) for each in told),
        )
        st.dataframe(pd.DataFrame([_account_line(each, names) for each in told]), hide_index=True)
        st.caption(
            "Kept + removed is all that was above the threshold; kept + holes are the lesions, whose volume is read "
            "from their own table. All patients together, baseline scans."
        )
        with st.expander("By organ"):
            lines = [
                {
                    "Protocol": names[each.protocol_id],
                    "Fate": _FATES.get(line.reason, "hole of a lesion, added"),
                    "Organ": line.organ or "",
                    "Patients": line.n_patients,
                    "Voxels": line.n_voxels,
                    "Volume, ml": _shown(line.volume_ml),
                }
                for each in told
                for line in each.lines
                if line.n_voxels
            ]
            st.dataframe(pd.DataFrame(lines), hide_index=True)
    if without:
        st.caption(f"Without a threshold, so nothing to account for: {wording.literal_markdown(', '.join(without))}.")


def _account_line(each: ExclusionAccount, names: dict[str, str]) -> dict[str, object]:
    return {
        "Protocol": names[each.protocol_id],
        "Patients": each.n_patients,
        "Above threshold, ml": _shown(each.volume_ml("KEPT", *_REMOVED)),
        "In excluded organs, ml": _shown(each.volume_ml("PHYSIOLOGICAL")),
        "Too small, ml": _shown(each.volume_ml("TOO_SMALL")),
        "Kept, ml": _shown(each.volume_ml("KEPT")),
        "Holes, ml": _shown(each.volume_ml("HOLE")),
        "Lesions, ml": _shown(each.lesions_ml),
        "Adds up": "yes" if each.adds_up else "NO",
    }


def _account_in_words(each: ExclusionAccount, names: dict[str, str]) -> str:
    kept, removed = each.volume_ml("KEPT"), each.volume_ml(*_REMOVED)
    return f"{names[each.protocol_id]}: {kept:.4g} ml kept and {removed:.4g} ml removed of {kept + removed:.4g} ml"


def _shown(value: float | None) -> str:
    return "" if value is None else wording.amount(value)
