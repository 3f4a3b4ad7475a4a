"""The measured claims, one script a claim."""
