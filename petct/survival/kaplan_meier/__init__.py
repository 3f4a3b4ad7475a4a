"""Survival curves, tests between groups, restricted means and cut-points."""
