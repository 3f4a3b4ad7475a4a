"""The page of Cox models."""
