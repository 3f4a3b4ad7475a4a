"""How good predictions are: concordance, prediction error, discrimination, calibration."""
