"""Statements of ``petlake pca`` and ``petlake scan`` as Python."""

from __future__ import annotations

from analyses.context import Resolved
from analyses.scripts.parts import Parts, column, read, texts
from analyses.scripts.text import Code, literal, wrapped


def pca_statements(resolved: Resolved, code: Code) -> Parts:
    """Add the statements of principal components, and of the Cox model of the first of them."""
    recipe = resolved.recipe
    read(resolved, code)
    _matrix(resolved, code)
    code.use("petct.survival.features.pca", "pca")
    code.use("analyses.numbers", "component_numbers")
    code.add("result = pca(matrix, names, values.patient_ids)")
    figure = 'paper.components_print(found["result"])'
    table = 'component_numbers(found["result"])'
    n_in_model = recipe.value("cox")
    if n_in_model is None:
        code.add('return {"result": result}')
        return Parts(('return {**as_dict(found["result"]), "cox": None}',), table, figure)
    code.use("petct.survival.cox.model", "cox")
    code.use("petct.survival.cohort.covariates", "NumericCovariate")
    code.use("petct.survival.cohort.outcome", "cause_specific")
    code.add(
        'outcome = cause_specific(times.duration_days, times.event, "day")',
        "complete = np.isin(values.patient_ids, result.row_ids)",
        f"first = result.components[:{int(n_in_model)}]",
        "scores = [NumericCovariate(each.name, np.array(each.scores)) for each in first]",
        "model = cox(outcome.subset(complete), scores)",
        'return {"result": result, "cox": model}',
    )
    return Parts(('return {**as_dict(found["result"]), "cox": as_dict(found["cox"])}',), table, figure)


def scan_statements(resolved: Resolved, code: Code) -> Parts:
    """Add the statements of a scan."""
    recipe = resolved.recipe
    read(resolved, code)
    _matrix(resolved, code)
    code.use("petct.survival.features.feature_table", "FeatureTable")
    code.use("petct.survival.cohort.outcome", "cause_specific")
    code.use("petct.survival.features.scan", "scan")
    code.use("analyses.numbers", "scan_numbers")
    code.add('outcome = cause_specific(times.duration_days, times.event, "day")')
    if recipe.value("feature-set") is not None:
        code.add("units = {c.name: c.unit for c in family}")
    else:
        pairs = [f"{literal(name)}: {literal(resolved.columns[name].unit)}" for name in resolved.features]
        code.add(*wrapped("units = {", pairs, "}"))
    options = ["units=units"]
    if recipe.has("adjust-for"):
        code.add("covariates = [")
        for name in recipe.names("adjust-for"):
            found = resolved.columns[name]
            kind = "NumericCovariate" if found.kind == "number" else "CategoricalCovariate"
            code.use("petct.survival.cohort.covariates", kind)
            values = f"{column(name)}, {literal(found.unit)}" if found.kind == "number" else texts(name)
            code.add(f"    {kind}({literal(name)}, {values}),")
        code.add("]")
        options.append("adjust_for=covariates")
    if recipe.has("stability"):
        options.append("stability=True")
    if recipe.has("permutations"):
        options.append(f"n_permutations={int(recipe.value('permutations') or 0)}")
    if recipe.has("seed"):
        options.append(f"seed={int(recipe.value('seed') or 0)}")
    code.call("result", "scan", ["outcome", "FeatureTable(tuple(names), matrix)", *options])
    code.add('return {"result": result}')
    return Parts(
        ('return {**as_dict(found["result"]), "found": list(found["result"].found)}',),
        'scan_numbers(found["result"])',
        'paper.volcano_print(found["result"])',
    )


def _matrix(resolved: Resolved, code: Code) -> None:
    code.use("numpy")
    if resolved.recipe.value("feature-set") is None:
        code.add(*wrapped("names = [", [literal(name) for name in resolved.features], "]"))
    code.add("matrix = np.column_stack([values.columns[name] for name in names])")
