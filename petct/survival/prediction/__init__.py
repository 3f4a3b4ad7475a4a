"""Prediction from many features: procedures, cross-validation and frozen models."""
