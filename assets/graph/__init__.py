"""What Dagster is told: specs, assets, checks and events."""
