"""The thin Dagster layer: factories that turn declarations into assets. No SQL of the warehouse, no HTTP here."""
