"""Many features: their table, preparation, harmonisation, scan and components."""
