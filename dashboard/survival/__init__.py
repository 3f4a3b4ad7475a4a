"""The page of survival curves."""
