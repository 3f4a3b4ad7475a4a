"""Who may read, and what was tested, saved and done."""
