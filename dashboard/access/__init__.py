"""Who looks, what they may see, and what is written down of it."""
