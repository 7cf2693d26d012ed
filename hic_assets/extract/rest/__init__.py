"""The REST kit: systems that are no DHIS2, each declared by a `RestApi` and `Resource`s, read by `records`.

Knows nothing of Dagster, of any one system, of landing.
"""
