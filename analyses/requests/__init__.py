"""What is asked: one request per analysis, its hypotheses and the recipe."""
