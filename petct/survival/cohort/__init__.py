"""What every method takes: outcome, columns, groups, covariates, folds."""
