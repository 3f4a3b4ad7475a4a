"""Statements of ``petlake km`` as Python."""

from __future__ import annotations

from analyses.context import Resolved
from analyses.scripts.parts import Parts, column, read, texts
from analyses.scripts.text import Code, literal
from petct.errors import SurvivalError
from petct.survival.cohort.groups import QUANTILE_RULES

_GROUPS = "petct.survival.cohort.groups"
_NAMED_WEIGHTS = {"peto-peto": "PETO_PETO", "gehan-breslow": "GEHAN_BRESLOW", "tarone-ware": "TARONE_WARE"}
# What the command says where no number is.
_CODES = {"--split": "SPLIT_UNKNOWN", "--weights": "WEIGHTING_UNKNOWN", "--landmarks": "TIME_INVALID"}
_QUANTILES = {name: n for n, name in QUANTILE_RULES.items() if n > 2}


def km_statements(resolved: Resolved, code: Code) -> Parts:
    """Add the statements of a Kaplan-Meier analysis, or of cumulative incidences."""
    read(resolved, code)
    if resolved.recipe.has("competing"):
        return _competing(resolved, code)
    recipe = resolved.recipe
    code.use("petct.survival.kaplan_meier.estimate", "kaplan_meier")
    code.use("petct.survival.cohort.outcome", "cause_specific")
    code.use("analyses.numbers", "survival_numbers")
    code.add('outcome = cause_specific(times.duration_days, times.event, "day")')
    (entry,) = recipe.names("entry") or ("",)
    if entry:
        code.use("dataclasses", "replace")
        code.add(f"outcome = replace(outcome, entry={column(entry)})")
    landmark = recipe.value("from-landmark")
    if landmark is not None:
        code.use("dataclasses", "replace")
        code.use("petct.survival.cohort.landmark", "landmark_cohort")
        code.add(
            f"cohort = landmark_cohort(outcome, {_number(landmark, '--from-landmark')})",
            "outcome = cohort.outcome",
            "values = values.of([p for p, kept in zip(values.patient_ids, cohort.kept, strict=True) if kept])",
        )
    grouping = _grouping(resolved, code)
    options = [f"landmarks={literal(_numbers(recipe.value('landmarks'), '--landmarks'))}"]
    options = options if recipe.has("landmarks") else []
    if recipe.has("tau"):
        options.append(f"tau={_number(recipe.value('tau') or '', '--tau')}")
    if recipe.has("weights"):
        options.append(f"weightings=[{', '.join(_weighting(name, code) for name in recipe.names('weights'))}]")
    options += [f"{flag}=True" for flag in ("trend", "pairwise") if recipe.has(flag)]
    if recipe.has("correction"):
        options.append(f"correction={literal(recipe.value('correction'))}")
    code.call("result", "kaplan_meier", ["outcome", *grouping, *options])
    if landmark is not None:
        code.add("result = replace(result, notes=(cohort.note, *result.notes))")
    searched = recipe.value("split") == "optimal"
    code.add('return {"result": result, "cut_point": cut}' if searched else 'return {"result": result}')
    together = 'return {**as_dict(found["result"]), "cut_point": as_dict(found["cut_point"])}'
    return Parts(
        (together if searched else 'return as_dict(found["result"])',),
        'survival_numbers(found["result"])',
        'paper.kaplan_meier_print(found["result"], labels=LABELS)',
    )


def _competing(resolved: Resolved, code: Code) -> Parts:
    recipe = resolved.recipe
    code.use("petct.survival.competing.outcome", "CompetingOutcome")
    code.use("petct.survival.competing.cumulative", "cumulative_incidence")
    code.use("analyses.numbers", "incidence_numbers")
    code.call(
        "outcome",
        "CompetingOutcome",
        ["times.duration_days", "times.event", '"day"', '(ENDPOINT, f"competing event of {ENDPOINT}")'],
    )
    grouping = _grouping(resolved, code)
    landmarks = _numbers(recipe.value("landmarks"), "--landmarks")
    options = [f"landmarks={literal(landmarks)}"] if landmarks else []
    code.call("result", "cumulative_incidence", ["outcome", *grouping, *options])
    numbers = ['return as_dict(found["result"])']
    functions: tuple[tuple[str, ...], ...] = ()
    if recipe.has("covariates"):
        functions = (_ATTEMPT,)
        _models(resolved, code)
        numbers = [
            'models = found["cause_specific"]',
            "return {",
            '    **as_dict(found["result"]),',
            '    "fine_gray": shown(found["fine_gray"]),',
            '    "cause_specific": {cause: shown(model) for cause, model in models.items()},',
            "}",
        ]
        functions = (_ATTEMPT, _SHOWN)
    else:
        code.add('return {"result": result}')
    return Parts(
        tuple(numbers),
        'incidence_numbers(found["result"])',
        'paper.cumulative_incidence_print(found["result"], labels=LABELS)',
        functions,
    )


_ATTEMPT = (
    "def attempt(fit, *data):",
    '    """Return a model, or the sentence with which it is refused."""',
    "    try:",
    "        return fit(*data)",
    "    except SurvivalError as refusal:",
    "        return refusal.sentence()",
)
_SHOWN = (
    "def shown(model) -> dict:",
    '    """Return a model for JSON, or that it is refused."""',
    '    return {"refused": model} if isinstance(model, str) else as_dict(model)',
)


def _models(resolved: Resolved, code: Code) -> None:
    code.use("petct.errors", "SurvivalError")
    code.use("petct.survival.cox.model", "cox")
    code.use("petct.survival.competing.fine_gray", "fine_gray")
    code.add("covariates = [")
    for name in resolved.recipe.names("covariates"):
        found = resolved.columns[name]
        kind = "NumericCovariate" if found.kind == "number" else "CategoricalCovariate"
        code.use("petct.survival.cohort.covariates", kind)
        values = f"{column(name)}, {literal(found.unit)}" if found.kind == "number" else texts(name)
        code.add(f"    {kind}({literal(name)}, {values}),")
    code.add(
        "]",
        "hazards = {",
        "    label: attempt(cox, outcome.of_interest(cause).cause_specific(), covariates)",
        "    for cause, label in enumerate(outcome.causes, 1)",
        "}",
        "model = attempt(fine_gray, outcome, covariates)",
        'return {"result": result, "fine_gray": model, "cause_specific": hazards}',
    )


def _grouping(resolved: Resolved, code: Code) -> list[str]:
    """Add the split; the argument that passes it on, none for the whole cohort."""
    recipe = resolved.recipe
    variable = recipe.value("by")
    if variable is None:
        return []
    found = resolved.columns[variable]
    split = recipe.value("split") or "median"
    name, unit = literal(variable), literal(found.unit)
    numeric = found.kind == "number"
    if recipe.has("order") or split == "category" or (split == "median" and not numeric):
        code.use(_GROUPS, "split_by_category")
        order = [literal(list(recipe.names("order")))] if recipe.has("order") else []
        code.call("grouping", "split_by_category", [texts(variable), name, *order])
        return ["grouping"]
    if not numeric:
        raise SurvivalError(
            "COLUMN_NOT_NUMERIC",
            "The column holds categories, not numbers",
            keyword=variable,
            hint="Use --split category.",
        )
    if split == "optimal":
        code.use("petct.survival.kaplan_meier.cut_points", "maximally_selected_cut")
        code.use(_GROUPS, "split_at_chosen_cut")
        options = {"permutations": "n_permutations", "resamples": "n_resamples", "seed": "seed"}
        given = [f"{argument}={int(recipe.value(o) or 0)}" for o, argument in options.items() if recipe.has(o)]
        code.call("cut", "maximally_selected_cut", ["outcome", column(variable), name, unit, *given])
        code.call("grouping", "split_at_chosen_cut", [column(variable), "cut.cut", name, unit])
        return ["grouping"]
    if split == "median":
        code.use(_GROUPS, "split_by_median")
        code.call("grouping", "split_by_median", [column(variable), name, unit])
        return ["grouping"]
    groups = _QUANTILES.get(split)
    if split.startswith("quantiles:") and split.removeprefix("quantiles:").isdigit():
        groups = int(split.removeprefix("quantiles:"))
    if groups is not None:
        code.use(_GROUPS, "split_by_quantiles")
        code.call("grouping", "split_by_quantiles", [column(variable), str(groups), name, unit])
        return ["grouping"]
    code.use(_GROUPS, "split_at")
    code.call("grouping", "split_at", [column(variable), literal(_numbers(split, "--split")), name, unit])
    return ["grouping"]


def _weighting(name: str, code: Code) -> str:
    if name in _NAMED_WEIGHTS:
        code.use("petct.survival.kaplan_meier.log_rank", _NAMED_WEIGHTS[name])
        return _NAMED_WEIGHTS[name]
    code.use("petct.survival.kaplan_meier.log_rank", "Weighting")
    rho, gamma = (_number(part, "--weights") for part in (name if ":" in name else f"{name}:").split(":", 1))
    return f"Weighting({literal(f'Fleming-Harrington rho {rho:g}, gamma {gamma:g}')}, rho={rho!r}, gamma={gamma!r})"


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        code = _CODES.get(option, "OPTION_NOT_NUMERIC")
        raise SurvivalError(code, "The value of an option is not a number", keyword=option, found=text) from None


def _numbers(text: str | None, option: str) -> list[float]:
    return [_number(part, option) for part in (text or "").split(",") if part.strip()]
