"""One Cox model: its fit, tests, residuals, curves and wording."""
