"""Statements of ``petlake cox`` as Python."""

from __future__ import annotations

from analyses.context import Resolved
from analyses.requests.recipe import Recipe
from analyses.scripts.parts import Parts, column, read, texts
from analyses.scripts.text import Code, literal
from petct.errors import SurvivalError

_COVARIATES = "petct.survival.cohort.covariates"


def cox_statements(resolved: Resolved, code: Code) -> Parts:
    """Add the statements of a Cox analysis."""
    recipe = resolved.recipe
    read(resolved, code)
    code.use("petct.survival.cohort.outcome", "cause_specific")
    code.add('outcome = cause_specific(times.duration_days, times.event, "day")')
    for name in recipe.names("entry"):
        code.use("dataclasses", "replace")
        code.add(f"outcome = replace(outcome, entry={column(name)})")
    strata = _list(resolved, code, "strata", recipe.names("strata"), category=True)
    how = _common(recipe)
    model = recipe.names("covariates")
    if recipe.has("univariable"):
        covariates = _list(resolved, code, "covariates", model)
        _call(
            code,
            "cox_repeated.forest_table",
            "forest_table",
            [*covariates, *_strata(strata), *_penalty(recipe, code), *how],
        )
    elif recipe.has("added"):
        base = _list(resolved, code, "base", model)
        added = _list(resolved, code, "added", recipe.names("added"))
        _call(code, "cox_repeated.model_comparison", "compare_models", [*base, *added, *_strata(strata), *how])
    elif recipe.has("subgroups"):
        code.add(f"effect = {_covariate(resolved, code, model[0])}")
        variables = _list(resolved, code, "variables", recipe.names("subgroups"), category=True)
        others = _list(resolved, code, "others", model[1:])
        adjusted = [f"adjust_for={others[0]}"] if others else []
        _call(code, "cox_repeated.subgroups", "subgroup_table", ["effect", *variables, *adjusted, *how])
    elif recipe.has("impute"):
        code.use("petct.survival.cox.tests", "DEFAULT_SEED")
        covariates = _list(resolved, code, "covariates", model)
        seed = recipe.value("seed") or "DEFAULT_SEED"
        options = [f"n_imputations={int(recipe.value('impute') or 0)}", f"seed={seed}"]
        _call(code, "cox_repeated.pooled", "cox_imputed", [*covariates, *_strata(strata), *options])
    elif recipe.has("therapy-start"):
        (start,) = recipe.names("therapy-start")
        covariates = _list(resolved, code, "covariates", model)
        options = [f"name={literal(start)}", "patients=values.patient_ids"]
        _call(code, "cox.time_varying", "cox_with_therapy", [column(start), *covariates, *options])
    else:
        covariates = _list(resolved, code, "covariates", model)
        _call(code, "cox.model", "cox", [*covariates, *_strata(strata), *_single_model(resolved, code), *how])
        if recipe.has("horizon"):
            return _validation(resolved, code, covariates)
    code.use("analyses.numbers", "hazard_numbers")
    code.add('return {"result": result}')
    return Parts(
        ('return as_dict(found["result"])',),
        'hazard_numbers(found["result"])',
        'paper.forest_print(found["result"], labels=LABELS)',
    )


def _validation(resolved: Resolved, code: Code, covariates: list[str]) -> Parts:
    recipe = resolved.recipe
    code.use("petct.survival.cox_repeated.validation", "validate_cox")
    code.use("analyses.numbers", "calibration_numbers")
    options = [f"n_resamples={int(recipe.value('resamples') or 0)}"] if recipe.has("resamples") else []
    horizon = literal(float(recipe.value("horizon") or 0))
    code.call("validation", "validate_cox", ["outcome", *covariates, horizon, *_penalty(recipe, code), *options])
    code.add('return {"result": result, "validation": validation}')
    return Parts(
        ('return {**as_dict(found["result"]), "validation": as_dict(found["validation"])}',),
        'calibration_numbers(found["validation"])',
        'paper.calibration_print(found["validation"])',
    )


def _call(code: Code, module: str, function: str, arguments: list[str]) -> None:
    code.use(f"petct.survival.{module}", function)
    code.call("result", function, ["outcome", *arguments])


def _common(recipe: Recipe) -> list[str]:
    return [f"{name}={int(recipe.value(name) or 0)}" for name in ("permutations", "seed") if recipe.has(name)]


def _strata(strata: list[str]) -> list[str]:
    return [f"strata={strata[0]}"] if strata else []


def _penalty(recipe: Recipe, code: Code) -> list[str]:
    penalty = recipe.value("penalty")
    if penalty == "firth":
        code.use("petct.survival.likelihood.penalised", "Firth")
        return ["penalty=Firth()"]
    if penalty == "ridge":
        code.use("petct.survival.likelihood.penalised", "Ridge")
        strength = recipe.value("ridge-strength")
        return [f"penalty=Ridge({'' if strength is None else repr(float(strength))})"]
    return []


def _single_model(resolved: Resolved, code: Code) -> list[str]:
    recipe = resolved.recipe
    found = ["robust=True"] if recipe.has("robust") else []
    for name in recipe.names("cluster"):
        code.use(_COVARIATES, "CategoricalCovariate")
        found.append(f"cluster=CategoricalCovariate({literal(name)}, {texts(name)})")
    found += _penalty(recipe, code)
    if recipe.has("transform"):
        found.append(f"transform={literal(recipe.value('transform'))}")
    return found


def _list(resolved: Resolved, code: Code, target: str, names: tuple[str, ...], *, category: bool = False) -> list[str]:
    """Add a list of covariates; its name, or nothing where it would be empty."""
    if not names:
        return []
    code.add(f"{target} = [", *(f"    {_covariate(resolved, code, name, category=category)}," for name in names), "]")
    return [target]


def _covariate(resolved: Resolved, code: Code, name: str, *, category: bool = False) -> str:
    recipe, found = resolved.recipe, resolved.columns[name]
    if category or found.kind != "number" or name in recipe.names("categories"):
        code.use(_COVARIATES, "CategoricalCovariate")
        reference = _pairs(recipe, "reference").get(name) if not category else None
        end = "" if reference is None else f", reference={literal(reference)}"
        return f"CategoricalCovariate({literal(name)}, {texts(name)}{end})"
    code.use(_COVARIATES, "NumericCovariate")
    scale = _pairs(recipe, "scale-of").get(name, recipe.value("scale"))
    scale = "spline" if name in recipe.names("spline") else scale
    options = "" if scale == "per_sd" else f", scale={literal(scale)}"
    if scale == "per_doubling" and recipe.has("at-zero"):
        options += f", at_zero={literal(recipe.value('at-zero'))}"
    if scale == "spline" and recipe.has("knots"):
        options += f", knots={int(recipe.value('knots') or 3)}"
    return f"NumericCovariate({literal(name)}, {column(name)}, {literal(found.unit)}{options})"


def _pairs(recipe: Recipe, option: str) -> dict[str, str]:
    pairs = recipe.values(option)
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise SurvivalError(
            "OPTION_NOT_A_PAIR",
            "The option names a variable and what is said of it",
            keyword=f"--{option}",
            found=", ".join(wrong),
            expected="VARIABLE=VALUE",
        )
    found = {}
    for pair in pairs:
        name, _, value = pair.rpartition("=") if option == "scale-of" else pair.partition("=")
        found[name] = value
    return found
