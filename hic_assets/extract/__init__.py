"""How each kind of source system is read, by protocol. Knows nothing of Dagster or of the warehouse."""
