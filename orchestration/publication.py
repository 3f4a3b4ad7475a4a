"""Publish from the command line, and tell Dagster of it, so that the UI shows what there is."""

from assets.graph.cohort import record_snapshot
from assets.publishing import publish_snapshot
from assets.settings import StudySettings
from orchestration.instance import study_instance
from warehouse.snapshots.publish import Published


def publish(settings: StudySettings) -> Published:
    """Publish what is in the lake; raises ``WarehouseError`` as ``assets.publishing.publish_snapshot`` does."""
    published = publish_snapshot(settings)
    with study_instance(settings.folder) as instance:
        record_snapshot(instance, published)
    return published
