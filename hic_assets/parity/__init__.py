"""Whether the unified tables of a tracker programme hold what the legacy ones do, and the sign-off that follows.

Belongs here: the comparison inside PostgreSQL, its results in ``ops``, readiness, cutover. Does not: reading or landing
either side. Nothing else depends on this folder but the commands, the checks, the sensor's question which pipeline was
left behind, and the preparation of the warehouse: it goes when the last legacy pipeline goes.
"""
