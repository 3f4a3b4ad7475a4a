"""Survival statistics that agree with R's ``survival`` and withhold p-values that are not valid."""
