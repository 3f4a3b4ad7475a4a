"""Radiomic features: feature sets, their definitions, and the engine that computes them."""
