"""Survival statistics that agree with R's ``survival`` and refuse to manufacture significance."""
