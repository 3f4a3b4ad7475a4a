"""Every table: schema, units, key and grain, and the data dictionary written from them."""
