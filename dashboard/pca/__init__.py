"""The page of principal components."""
