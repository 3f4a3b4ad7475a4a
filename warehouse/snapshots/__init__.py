"""Snapshots built, published, listed and compared."""
