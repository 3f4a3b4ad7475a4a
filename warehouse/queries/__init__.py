"""A snapshot read: columns, selection, protocols and SQL."""
