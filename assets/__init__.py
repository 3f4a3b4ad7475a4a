"""Declarations: the Dagster assets, each of which reads, calls petct, writes and reports."""
