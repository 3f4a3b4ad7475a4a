"""The lake: paths, locks, Parquet rows, volumes and pictures."""
