"""One patient: the step that computes each table."""
