"""Published checklists as YAML."""
