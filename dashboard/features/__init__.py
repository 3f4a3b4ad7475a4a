"""The page of many features."""
