"""Staging models of tracker programmes, written from what the landed registries say a programme asks.

Belongs here: from registries and declarations to the text of dbt files, and what raw data hold beyond them. Does not:
casts and the switch between pipelines (dbt macros), reading a server.
"""
