"""From an indicator's value to the rows behind it: sides, parts, fact rows, raw rows, loads, requests; and whether they agree.

Belongs here: finding and checking, on a connection with the asker's own rights. Does not: printing (``cli.explain``), nor any
rule of how a value is made: measures, operands and conditions are read from the catalogue, the compiler and the dbt project.
"""
