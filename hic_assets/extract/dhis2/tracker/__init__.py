"""Patient-level data by DHIS2's tracker endpoints (`/api/tracker/*`, contract 1.7): the unified framework's reading.

Belongs here: what the endpoints give and how they are asked. Does not: the old endpoints (`legacy_tracker`), landing.
"""
