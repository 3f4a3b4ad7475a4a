"""The page of segmentation protocols."""
