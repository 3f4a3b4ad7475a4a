"""Assets of robustness: features of perturbed lesions, and how well repeated measurements agree."""

from collections.abc import Iterator

import dagster as dg

from assets.graph.specs import column_metadata, patient_spec
from assets.robustness_rows import ROBUSTNESS, write_robustness
from assets.settings import CODE_VERSIONS, StudySettings
from warehouse.registry.tables import table


def perturbation_specs(settings: StudySettings | None) -> list[dg.AssetSpec]:
    """Features of perturbed lesions, of a study that asks for them."""
    if settings is not None and "perturbed_features" not in settings.patient_tables:
        return []
    return [patient_spec("perturbed_features", settings)]


def robustness_assets(settings: StudySettings | None) -> list[dg.AssetsDefinition]:
    """The agreement over the cohort; a study that does not ask for it has no such asset."""
    if settings is not None and settings.robustness is None:
        return []
    perturbed = perturbation_specs(settings)

    @dg.asset(
        name=ROBUSTNESS,
        group_name=table(ROBUSTNESS).group,
        description=table(ROBUSTNESS).description,
        deps=[dg.AssetKey("radiomic_features"), *(spec.key for spec in perturbed)],
        code_version=CODE_VERSIONS[ROBUSTNESS],
        kinds={"parquet"},
        metadata=column_metadata(ROBUSTNESS),
        check_specs=[dg.AssetCheckSpec("not_empty", asset=ROBUSTNESS, description="There is at least one row.")],
        required_resource_keys={"study"},
    )
    def robustness(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        n_rows = write_robustness(context.resources.study.settings()) or 0
        yield dg.MaterializeResult(
            metadata={"rows": n_rows},
            check_results=[dg.AssetCheckResult(passed=n_rows > 0, check_name="not_empty", asset_key=ROBUSTNESS)],
        )

    return [robustness]
