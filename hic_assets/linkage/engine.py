"""Splink on a DuckDB of its own: one linker over one frame, quiet, with frequencies from the model.

Belongs here: what the training and the scoring of pairs share. Does not belong here: either of them.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl
from splink import DuckDBAPI, Linker

MEMORY = "4GB"
"""What DuckDB may hold before it spills to a temporary folder."""


@contextmanager
def linker(
    frame: pl.DataFrame, settings: dict[str, Any], lookups: Mapping[str, pl.DataFrame], memory: str = MEMORY
) -> Iterator[Linker]:
    """A linker over a frame with ``id``; closed, with all its tables, at the end."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="hic-linkage-") as spill, duckdb.connect(":memory:") as connection:
        connection.execute(f"set memory_limit = '{memory}'")
        connection.execute("set preserve_insertion_order = false")
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"set temp_directory = '{spill}'")
        api = DuckDBAPI(connection)
        made = Linker(
            api.register(_table(connection, "records", frame)), settings, log_level=None, validate_settings=False
        )
        for column, lookup in lookups.items():
            registered = api.register(_table(connection, f"tf_{column}", lookup))
            made.table_management.register_term_frequency_lookup(registered, column)
        yield made


def _table(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> str:
    """The frame as a table of the database, and its name."""
    connection.register(f"{name}_frame", frame.to_arrow())
    connection.execute(f"create or replace table {name} as select * from {name}_frame")
    connection.unregister(f"{name}_frame")
    return name


def put(made: Linker, name: str, frame: pl.DataFrame) -> str:
    """Put another frame into the linker's database; returns the name of the table."""
    return _table(made._db_api.duckdb_con, name, frame)
