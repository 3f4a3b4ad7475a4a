"""The partial likelihood: risk sets, penalties, the elastic net and the baseline hazard."""
