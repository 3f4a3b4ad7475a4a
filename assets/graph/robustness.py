"""The asset of robustness: how well repeated measurements agree over the cohort."""

from collections.abc import Iterator

import dagster as dg

from assets.graph.specs import column_metadata
from assets.robustness_rows import ROBUSTNESS, write_robustness
from assets.settings import StudySettings
from assets.steps.radiomics import RADIOMIC_FEATURES
from assets.steps.robustness import PERTURBED_FEATURES
from warehouse.registry.tables import table


def robustness_assets(settings: StudySettings | None) -> list[dg.AssetsDefinition]:
    """The agreement over the cohort; a study that does not ask for it has no such asset."""
    if settings is not None and settings.robustness is None:
        return []
    declared = table(ROBUSTNESS.name)
    perturbed = [PERTURBED_FEATURES.name] if settings is None or PERTURBED_FEATURES.is_asked(settings) else []

    @dg.asset(
        name=declared.name,
        group_name=declared.group,
        description=declared.description,
        deps=[dg.AssetKey(name) for name in (RADIOMIC_FEATURES.name, *perturbed)],
        code_version=ROBUSTNESS.code_version,
        kinds={"parquet"},
        metadata=column_metadata(declared.name),
        check_specs=[dg.AssetCheckSpec("not_empty", asset=declared.name, description="There is at least one row.")],
        required_resource_keys={"study"},
    )
    def robustness(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        n_rows = write_robustness(context.resources.study.settings()) or 0
        yield dg.MaterializeResult(
            metadata={"rows": n_rows},
            check_results=[dg.AssetCheckResult(passed=n_rows > 0, check_name="not_empty", asset_key=declared.name)],
        )

    return [robustness]
