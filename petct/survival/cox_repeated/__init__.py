"""The Cox model fitted again: per covariate, subgroup, imputation, protocol and resample."""
