"""What every benchmark needs: a database of its own, a fresh process a side, and that process's peak memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import sql

from hic_assets.prepare import prepare
from hic_assets.warehouse import Warehouse, create_schemas
from hic_assets.warehouse.url import parse_url


@contextmanager
def bench_database(warehouse: Warehouse) -> Iterator[Warehouse]:
    """A database of its own beside the warehouse, made ready as the warehouse is, dropped at the end."""
    name = f"hic_bench_{os.getpid()}"
    with warehouse.connect(autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
    database = warehouse.with_database(name)
    try:
        with database.connect(autocommit=True) as connection:
            create_schemas(connection)
            prepare(connection)
        yield database
    finally:
        with warehouse.connect(autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def in_process(module: str, arguments: Sequence[str], options: Mapping[str, str], warehouse: Warehouse) -> Any:
    """What one side prints last, as JSON, run in a fresh interpreter. Secrets go by the environment, not the command line.

    Raises:
        RuntimeError: the side failed; with what it wrote.
    """
    call = [sys.executable, "-m", module, *arguments]
    secret = {"HIC_BENCH_OPTIONS": json.dumps(dict(options)), "HIC_BENCH_URL": warehouse.url}
    done = subprocess.run(call, env={**os.environ, **secret}, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"the {arguments[0]} side failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def given() -> tuple[Warehouse, dict[str, str]]:
    """In the measured process: the warehouse and the options it was started with."""
    return Warehouse(parse_url(os.environ["HIC_BENCH_URL"])), json.loads(os.environ["HIC_BENCH_OPTIONS"])


def peak_mb() -> float:
    """Peak resident memory of this process so far, in MB."""
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6
