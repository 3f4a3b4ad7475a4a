"""The SQL that builds the derived tables of a snapshot, one file a table; read by ``warehouse.snapshots.derived``."""
