"""The tables of the registry, one module a group; ``warehouse.tables`` puts them together."""
