"""FASTR module 3: months in which a service was used otherwise than usual, and by how much.

Arithmetic on arrays: which months stand out (`chart`, `tags`), what would have been without them (`effect`). Above it: all
places and indicators (`panels`), and their table (`warehouse`). Does not belong here: how counts are adjusted (dbt), and
when it is run (`assets.disruption`).

Source: FASTR-Analytics/modules, m003/script.R of 16 July 2026, and its methodology pages; written from the formulas.
Where that is wrong, it is done right here: docs/data-quality.md has the table of differences.
"""
