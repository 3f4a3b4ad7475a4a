"""Composition roots: the Dagster definitions, the study file, the engines and the command line."""
