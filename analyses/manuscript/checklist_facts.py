"""What the lineage of an analysis knows about the items of checklists: evidence, never a judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analyses.lineage import Lineage
from analyses.requests.answer import Answer
from petct.survival.cohort.results import counted
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.cox.result import CoxResult
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.pooled import PooledCoxResult
from petct.survival.features.pca import PcaResult
from petct.survival.features.scan_result import ScanResult
from petct.survival.kaplan_meier.result import KaplanMeierResult
from petct.survival.with_lifelines.aft_result import AftResult


@dataclass(frozen=True)
class Evidence:
    """What is known about an item; ``partly`` where the authors have to add to it."""

    text: str
    partly: bool = False
    not_applicable: bool = False


def facts_of(lineage: Lineage, answer: Answer) -> Mapping[str, Evidence]:
    """Return what is known, by the names that the packaged checklists use; what is not known is absent."""
    found = {
        **_of_study(lineage, answer),
        **_of_images(lineage),
        **_of_features(lineage, answer),
        **_of_statistics(lineage, answer),
    }
    return {name: evidence for name, evidence in found.items() if evidence is not None}


def _of_study(lineage: Lineage, answer: Answer) -> dict[str, Evidence | None]:
    definition = lineage.endpoint
    endpoint = None
    if answer.basis.endpoint is not None:
        text = answer.basis.endpoint
        if definition is not None:
            lock = f", data lock {definition.data_lock}" if definition.data_lock else ""
            events = " or ".join(definition.events)
            text += f": from {definition.origin} to {events}, censored at {definition.censoring}{lock}"
        endpoint = Evidence(f"{text}.", partly=True)
    n_events = answer.n_events
    size = f"{counted(answer.n, 'patient')}" + ("" if n_events is None else f" with {counted(n_events, 'event')}")
    detectable = getattr(answer.result, "minimum_detectable_hazard_ratio", None) or getattr(
        answer.result, "minimum_detectable_hazard_ratio_per_sd", None
    )
    power = f"; detectable with 80 % power: hazard ratio {detectable:.2f}" if detectable else ""
    cohort = f"{counted(lineage.n_patients, 'patient')} in the snapshot"
    selected = f", {lineage.n_selected} meet: {'; '.join(answer.basis.conditions)}" if answer.basis.conditions else ""
    declared = ", ".join(f"{endpoint} ~ {variable}" for endpoint, variable in sorted(lineage.primary))
    standing = {"primary": "This analysis is one of them.", "exploratory": "This analysis is exploratory."}.get(
        answer.declared or "", "This analysis tests nothing."
    )
    return {
        "checklists": Evidence(
            "METRICS and CLEAR are part of this bundle, filled in as far as lineage goes.", partly=True
        ),
        "conditions": Evidence(f"{cohort}{selected}.", partly=True),
        "endpoint": endpoint,
        "hypotheses": Evidence(f"Primary hypotheses declared in study.yaml: {declared}. {standing}", partly=True)
        if declared
        else None,
        "sample_size": Evidence(f"{size}{power}.", partly=True),
        "baseline": None
        if lineage.baseline_within_days is None
        else Evidence(f"A baseline scan lies at most {lineage.baseline_within_days} days before the origin."),
        "table_one": Evidence("table1.md and table1.csv of this bundle.", partly=True),
        "attrition": Evidence(
            f"{lineage.n_patients} registered, {lineage.n_selected} meet the conditions, {answer.n} analysed; "
            "the reason for every gap is in the table refusals of the snapshot.",
            partly=True,
        ),
        "software": Evidence(
            f"petlake {lineage.petlake_version}, "
            + ", ".join(f"{name} {version}" for name, version in lineage.software),
            partly=True,
        ),
        "script": Evidence("analysis.py of this bundle runs the analysis; petlake is Apache-2.0.", partly=True),
        "settings": Evidence(
            f"Feature sets and protocols with all settings are in the snapshot {lineage.snapshot_id[:12]} (tables "
            "feature_sets, protocols, snapshot_settings).",
            partly=True,
        ),
    }


def _of_images(lineage: Lineage) -> dict[str, Evidence | None]:
    if not lineage.n_scans:
        return {}
    scanners = ", ".join(f"{name} (n = {n})" for name, n in lineage.scanners)
    tracer = f"{lineage.tracer} " if lineage.tracer else ""
    policy = f"policy {lineage.suv_policy}, " if lineage.suv_policy else ""
    protocol = None
    if lineage.protocol is not None:
        description = f": {lineage.protocol_description}" if lineage.protocol_description else ""
        others = f" {lineage.n_protocols} protocols are in the snapshot." if lineage.n_protocols > 1 else ""
        protocol = Evidence(f"Protocol {lineage.protocol}{description}{others}", partly=True)
    return {
        "scanners": Evidence(
            f"{tracer}PET/CT, {counted(lineage.n_scans, 'scan')}: {scanners}. Reconstruction, spacing, "
            "dose and uptake time of every scan are in the tables scans and suv.",
            partly=True,
        ),
        "segmentation": protocol,
        "suv": Evidence(
            f"Body-weight SUV from the DICOM header ({policy}{counted(lineage.n_adaptations, 'recorded adaptation')})."
        ),
    }


def _of_features(lineage: Lineage, answer: Answer) -> dict[str, Evidence | None]:
    if not lineage.feature_sources:
        absent = Evidence("The analysis uses no radiomic feature.", not_applicable=True)
        names = ("feature_set", "engine", "n_features", "defaults", "scaling", "dimension", "feature_statistics")
        return {**dict.fromkeys(names, absent), "no_deep_learning": _no_deep_learning()}
    sets = "; ".join(
        f"{source.name} ({source.modality}): {source.description.rstrip('.')}, {source.aggregation} of the lesions, id "
        f"{source.feature_set_id}"
        for source in lineage.feature_sources
    )
    libraries = dict(lineage.feature_sources[0].libraries)
    version = f"pyradiomics {libraries['pyradiomics']}" if "pyradiomics" in libraries else "pyradiomics"
    exams = "; ".join(f"exam {exam}: {passed} of {n} passed" for exam, passed, n in lineage.exams)
    n_features = sum(":" in name for name in answer.basis.columns)
    found: dict[str, Evidence | None] = {
        "feature_set": Evidence(f"{sets}."),
        "engine": Evidence(
            f"petlake's {lineage.engine or ''} engine".replace("  ", " ")
            + f", equal to {version}; IBSI identifiers in the table feature_definitions{f'; {exams}' if exams else ''}."
        ),
        "n_features": Evidence(f"{counted(n_features, 'feature')} in this analysis."),
        "defaults": Evidence("All settings are recorded; what a feature set does not name is pyradiomics' default."),
        "no_deep_learning": _no_deep_learning(),
    }
    if lineage.minimum_icc is not None:
        found["robustness"] = Evidence(
            f"Robustness was measured (lower limit of the ICC at least {lineage.minimum_icc:g}); see the table "
            "feature_reliability.",
            partly=True,
        )
    result = answer.result
    if isinstance(result, PcaResult):
        found["scaling"] = Evidence("Features were standardised to mean 0 and variance 1.")
        found["dimension"] = Evidence(f"Principal components of {len(result.features)} features.")
        found["feature_statistics"] = Evidence("Loadings are in numbers.csv.", partly=True)
    elif isinstance(result, ScanResult):
        found["scaling"] = Evidence("Hazard ratios are per standard deviation.")
        found["dimension"] = Evidence("None: every feature of the declared family was tested, and all are counted.")
        found["feature_statistics"] = Evidence("Every feature is in numbers.csv.", partly=True)
    elif isinstance(result, CoxResult | AftResult):
        terms = result.terms if isinstance(result, CoxResult) else result.models[0].terms
        found["scaling"] = Evidence("; ".join(dict.fromkeys(f"{t.covariate}: {t.scale}" for t in terms)) + ".")
    return found


def _no_deep_learning() -> Evidence:
    return Evidence("No deep learning takes part.", not_applicable=True)


def _of_statistics(lineage: Lineage, answer: Answer) -> dict[str, Evidence | None]:
    result = answer.result
    columns = answer.request.columns
    ledger = f"{lineage.ledger.sentence}."
    clinical = [name for name in columns if ":" not in name]
    found: dict[str, Evidence | None] = {
        "predictors": Evidence(f"{', '.join(clinical)}.", partly=True) if clinical else None,
        "missing": Evidence(_missing(answer)),
        "algorithm": Evidence(f"{answer.command_line}: see methods.md."),
        "selection": Evidence(ledger, partly=True),
        "partition": Evidence("All patients were analysed together; nothing was predicted for patients left out."),
    }
    several = KaplanMeierResult | CumulativeIncidenceResult | ModelComparison | ScanResult
    if isinstance(result, several | CoxResult | AftResult):
        found["uncertainty"] = Evidence("Confidence intervals (95 %) with every estimate.")
        found["classical"] = Evidence("The analysis is a classical statistical model with interpretable coefficients.")
    if answer.n_events is not None:
        found["balance"] = Evidence(f"{counted(answer.n_events, 'event')} in {counted(answer.n, 'patient')}.")
    if isinstance(result, CoxResult):
        found["performance"] = Evidence(
            f"Harrell's concordance {result.concordance:.3f} (standard error {result.concordance_standard_error:.3f}), "
            "in the patients of the fit.",
            partly=True,
        )
    if isinstance(result, CoxResult | AftResult):
        found["dimensionality"] = Evidence(f"{result.events_per_parameter:.1f} events per parameter.")
        if len(columns) > 1:
            found["confounders"] = Evidence(f"Adjusted for each other: {', '.join(columns)}.", partly=True)
    if answer.validation is not None:
        judged = answer.validation
        found["internal_testing"] = Evidence(
            f"Internal: {judged.n_resamples} bootstrap resamples; concordance "
            f"{judged.concordance.value:.3f} and calibration at {judged.time:g} {judged.unit}s corrected for optimism.",
            partly=True,
        )
        found["calibration"] = found["internal_testing"]
    if isinstance(result, ModelComparison):
        found["comparison"] = Evidence(
            f"Model of {', '.join(result.base)} against the same with {', '.join(result.added)}: concordance "
            f"{result.concordance_base:.3f} and {result.concordance_full:.3f}.",
            partly=True,
        )
    if isinstance(result, ScanResult):
        found["dimensionality"] = Evidence(
            f"{result.n_tested} features tested in {result.n_events} events, corrected over the family."
        )
        if result.adjusted_for:
            found["confounders"] = Evidence(
                f"A second version adjusts for {', '.join(result.adjusted_for)}.", partly=True
            )
    return found


def _missing(answer: Answer) -> str:
    result = answer.result
    if isinstance(result, PooledCoxResult):
        return f"Multiple imputation, {result.n_imputations} times, seed {result.seed}."
    n_missing = getattr(result, "n_missing", None)
    if n_missing is None:
        return "Complete cases for each estimate."
    return f"Complete cases: {counted(n_missing, 'patient')} left out."
