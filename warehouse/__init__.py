"""The store: the only code that knows paths, Parquet and DuckDB."""
