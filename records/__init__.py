"""The rows of all tables: what petct computes and the warehouse stores, each column described once."""
