"""From result to figure, once."""
