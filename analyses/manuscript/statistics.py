"""What was computed, in the sentences of a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analyses.requests.aft import AftRequest
from analyses.requests.answer import Answer
from analyses.requests.competing import CompetingModels
from analyses.requests.cox import CoxRequest
from analyses.requests.kaplan_meier import KaplanMeierRequest
from analyses.requests.sensitivity import SensitivityRequest
from petct.survival.cohort.groups import number_text
from petct.survival.cohort.results import counted
from petct.survival.competing.cumulative import CumulativeIncidenceResult
from petct.survival.cox.result import CoxResult
from petct.survival.cox_repeated.forest_table import ForestTable
from petct.survival.cox_repeated.model_comparison import ModelComparison
from petct.survival.cox_repeated.pooled import PooledCoxResult
from petct.survival.cox_repeated.subgroups import SubgroupTable
from petct.survival.cox_repeated.validation import CoxValidation
from petct.survival.features.pca import PcaResult
from petct.survival.features.scan_result import ScanResult
from petct.survival.kaplan_meier.cut_points import CutPointResult
from petct.survival.kaplan_meier.result import KaplanMeierResult
from petct.survival.with_lifelines.aft_result import TITLES, AftResult

Labels = Mapping[str, str]


def statistics_sentences(answer: Answer, labels: Labels) -> list[str]:
    """Say what was computed, how ties and missing values were dealt with, and how p-values were corrected."""
    request, result = answer.request, answer.result
    if isinstance(request, KaplanMeierRequest):
        if isinstance(result, KaplanMeierResult):
            return _of_kaplan_meier(request, result, answer.cut_point, labels)
        if isinstance(result, CumulativeIncidenceResult):
            return _of_incidence(result, answer.competing, labels)
    if isinstance(result, PcaResult):
        return _of_components(result, answer.model)
    if isinstance(result, ScanResult):
        return _of_scan(result, labels)
    if isinstance(request, SensitivityRequest):
        return _of_protocols(answer, request.organ)
    if isinstance(result, AftResult) and isinstance(request, AftRequest):
        return _of_times(request, result, labels)
    return [*_of_hazards(answer, labels), *_of_validation(answer.validation)]


def _of_kaplan_meier(
    request: KaplanMeierRequest, result: KaplanMeierResult, cut: CutPointResult | None, labels: Labels
) -> list[str]:
    found = [
        f"Survival was estimated by Kaplan-Meier with {result.confidence:.0%} log-log confidence intervals; the median "
        "follow-up by reverse Kaplan-Meier. A patient censored at the time of an event counts as at risk of it."
    ]
    if request.entry is not None:
        found.append(f"Late entries (left truncation) were taken into account by {request.entry}.")
    if request.from_landmark is not None:
        found.append(f"Only patients free of the event at {request.from_landmark:g} days were analysed, from there on.")
    if result.variable is not None:
        found.append(_split(result, cut, labels))
    if cut is not None:
        test = cut.permutation
        searched = f"Among cuts between {cut.smallest_fraction:.0%} and {cut.largest_fraction:.0%} of the patients"
        by = "" if test is None else f" by permutation ({test.n_permutations:,} permutations, seed {test.seed})"
        found.append(
            f"{searched} the one with the largest standardised log-rank statistic was taken, and its p-value corrected "
            f"for the search{by}; no ordinary log-rank test of a searched cut is given."
        )
    elif result.log_rank is not None:
        names = [result.log_rank.name, *(test.name for test in result.weighted_tests)]
        found.append(f"The groups were compared by the two-sided {' and the '.join(names)} test.")
    if result.trend is not None:
        found.append("A trend over the ordered groups was tested.")
    if result.pairwise:
        found.append(f"Groups were compared pairwise, p-values corrected by {_correction(result.correction)}.")
    mean = result.restricted_mean
    if mean is not None and mean.contrasts:
        several = f", corrected by {_correction(mean.correction)}" if len(mean.contrasts) > 1 else ""
        found.append(
            f"Restricted mean survival up to {number_text(mean.tau)} {result.unit}s was compared as difference and "
            f"ratio{several}."
        )
    found.append("Groups of fewer than 10 patients show no p-value.")
    return found


def _split(result: KaplanMeierResult | CumulativeIncidenceResult, cut: CutPointResult | None, labels: Labels) -> str:
    unit = f" {result.variable_unit}" if result.variable_unit else ""
    variable = labels.get(result.variable or "", result.variable or "")
    cuts = ", ".join(number_text(value, 4) for value in result.cut_points)
    at = f" at {cuts}{unit}" if cuts else ""
    rule = "searched cut" if cut is not None else result.rule
    groups = dict.fromkeys((curve.group, curve.n) for curve in result.curves)
    sizes = "; ".join(f"{group.replace('<=', '≤')}{unit}: n = {n}" for group, n in groups)
    return f"Patients were split by {variable} ({rule}{at}; {sizes}); those without a value were left out."


def _correction(name: str) -> str:
    return {"holm": "Holm's method", "bonferroni": "Bonferroni's method"}.get(name, name)


def _of_incidence(result: CumulativeIncidenceResult, models: CompetingModels | None, labels: Labels) -> list[str]:
    found = [
        f"The cumulative incidence of {result.causes[0]} in the presence of competing events was estimated by "
        f"Aalen-Johansen with {result.confidence:.0%} limits on the log-minus-log scale."
    ]
    if result.variable is not None:
        found += [
            _split(result, None, labels),
            "Groups were compared by Gray's test; fewer than 10 patients show no p.",
        ]
    if models is not None and models.fits:
        found.append("Covariates were examined by a Fine-Gray model and by cause-specific Cox models (complete cases).")
    return found


def _of_hazards(answer: Answer, labels: Labels) -> list[str]:
    result, request = answer.result, answer.request
    if not isinstance(request, CoxRequest):
        return []
    names = _listed([labels.get(name, name) for name in request.covariates])
    found = [f"Hazard ratios are of a Cox proportional hazards model (ties by Efron) of {names}."]
    model = (
        result.model
        if isinstance(result, ForestTable)
        else result.full
        if isinstance(result, ModelComparison)
        else result
    )
    if isinstance(model, CoxResult):
        if model.strata:
            found.append(f"The baseline hazard was stratified by {', '.join(labels.get(s, s) for s in model.strata)}.")
        if model.penalty:
            found.append(f"Penalty: {model.penalty}.")
        if model.standard_errors != "model":
            found.append(f"Standard errors are {model.standard_errors}.")
        tests = dict.fromkeys(term.test for term in model.terms if term.p is not None)
        if tests:
            found.append(f"p-values are of: {'; '.join(tests)}.")
        found.append("The assumption of proportional hazards was examined by score tests (as cox.zph of R).")
        found.append(f"{model.events_per_parameter:.1f} events per parameter.")
    if isinstance(result, PooledCoxResult):
        found.append(
            f"Missing values were imputed {result.n_imputations} times (chained equations, predictive mean matching, "
            f"seed {result.seed}) and "
            f"estimates pooled by Rubin's rules; {result.n_complete_cases} patients have all covariates."
        )
    else:
        found.append("Patients without a covariate were left out (complete cases).")
    if isinstance(result, ForestTable):
        found.append("Each covariate was also fitted alone, in the same patients.")
    if isinstance(result, ModelComparison):
        added = ", ".join(labels.get(name, name) for name in result.added)
        found.append(f"The model with {added} added was compared with the one without by {result.test.test}.")
    if isinstance(result, SubgroupTable):
        found.append(
            "The effect was estimated within subgroups, and "
            f"{counted(result.n_interaction_tests, 'interaction')} tested."
        )
    if request.therapy_start is not None:
        found.append("A therapy that began during follow-up counts from its start on (time-varying covariate).")
    return found


def _of_times(request: AftRequest, result: AftResult, labels: Labels) -> list[str]:
    names = _listed([labels.get(name, name) for name in request.covariates])
    distributions = _listed([TITLES[model.distribution] for model in result.models])
    found = [
        f"Time ratios are of accelerated failure time models ({distributions}) of {names}, fitted by lifelines "
        f"{result.lifelines_version}; the distributions were compared by AIC and by the cumulative hazard of the "
        "Cox-Snell residuals.",
        "p-values are of likelihood ratio tests, referred to the F distribution; groups of fewer than 10 patients show "
        "none.",
        f"{result.events_per_parameter:.1f} events per parameter. Patients without a covariate were left out (complete "
        "cases).",
    ]
    if request.entry is not None:
        found.append(f"Late entries (left truncation) were taken into account by {request.entry}.")
    return found


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _of_validation(validation: CoxValidation | None) -> list[str]:
    if validation is None:
        return []
    return [
        f"Calibration and concordance were judged at {validation.time:g} {validation.unit}s and corrected for "
        f"optimism by {validation.n_resamples} bootstrap resamples (seed {validation.seed})."
    ]


def _of_components(result: PcaResult, model: CoxResult | None) -> list[str]:
    found = [
        f"Principal components of {len(result.features)} standardised features by singular value decomposition, in the "
        f"{counted(result.n, 'patient')} with all of them."
    ]
    if result.dropped_columns:
        found.append(f"{counted(len(result.dropped_columns), 'feature')} without values or variance were left out.")
    if model is not None:
        found.append(
            f"A Cox model (ties by Efron) of the first {counted(model.n_parameters, 'component')} was fitted to the "
            "same patients."
        )
    return found


def _of_scan(result: ScanResult, labels: Labels) -> list[str]:
    found = [
        f"{result.n_tested} of {result.n_declared} features of the declared family were tested one by one against the "
        "hazard (log-rank score), hazard ratios per standard deviation by Cox models.",
        f"p-values are of {result.n_permutations:,} permutations (seed {result.seed}) and corrected over the family by "
        "Benjamini-Hochberg (q) and by the step-down maximum of Westfall and Young.",
    ]
    if result.adjusted_for:
        names = ", ".join(labels.get(name, name) for name in result.adjusted_for)
        found.append(f"A second version adjusts for {names}.")
    if result.stability_threshold is not None:
        found.append("Stability is the share of half-samples in which a LASSO chose the feature.")
    return found


def _of_protocols(answer: Answer, organ: str | None) -> list[str]:
    names = _listed([*(answer.protocol_names or {}).values()])
    lesions = f"lesions of {organ.replace('_', ' ')}" if organ else "all lesions"
    return [
        f"The same patients were measured under the protocols {names} ({lesions}). Volumes were compared by Spearman's "
        "rho and by Bland-Altman limits of agreement, in ml and as ratios.",
        f"Under each protocol the hazard ratio of {answer.request.endpoint} per doubling of tumour volume was "
        "estimated by a Cox model (ties by Efron) in the patients whose lesions are known under all of them; a volume "
        "of 0 counts as half the smallest positive one. Each is a test of its own.",
    ]
