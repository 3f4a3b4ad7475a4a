"""Packaged settings: threshold protocols and feature sets, one YAML file each."""
