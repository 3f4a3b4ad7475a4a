"""Analyses as they are asked for and written up: requests, findings, manuscript parts, scripts, bundles."""
