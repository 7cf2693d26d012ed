"""Landing speed: HTTP bytes to a committed, contract-checked partition, beside ``COPY`` of the same bytes.

Each measurement is a process of its own, so that its peak memory is its own. The bodies are rendered by the sandbox
beforehand and sent as files: what is measured is our side. The baseline is psycopg's text COPY of the same CSV bytes,
from disk, into a table with the same columns, created in the same transaction; it checks nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from psycopg import sql

from hic_assets.assets.readers import data_sets_of
from hic_assets.bench.harness import bench_database, given, in_process, peak_mb
from hic_assets.extract.auth import BasicAuth
from hic_assets.extract.dhis2 import metadata
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.data_values import _fetch, data_values
from hic_assets.extract.dhis2.org_units import units_to_level
from hic_assets.extract.dhis2.slices import plan
from hic_assets.landing.land import land
from hic_assets.landing.ledger import Partition
from hic_assets.systems import HMIS
from hic_assets.warehouse import Warehouse

MONTH = Partition("2025-03-01", date(2025, 3, 1), date(2025, 4, 1))
TABLE = HMIS.feed("data_values").table
CHUNK = 1 << 18


@dataclass(frozen=True)
class Measured:
    """One run of one side."""

    rows: int
    seconds: float
    peak_mb: float


def land_once(client_options: dict[str, str], warehouse: Warehouse, spool: Path) -> Measured:
    """Read one month over HTTP and land it, as the asset does."""
    started = time.perf_counter()
    with _client(client_options, spool) as client:
        data_sets = data_sets_of(warehouse, HMIS, HMIS.feed("data_values"))
        source = data_values(client, data_sets, ["202503"], split_level=HMIS.slice_level)
        result = land(warehouse, TABLE, MONTH, source, periods=frozenset({"202503"}), source=client.http.base_url)
    return Measured(result.counts.landed, time.perf_counter() - started, peak_mb())


def _client(options: dict[str, str], spool: Path) -> Dhis2Client:
    return Dhis2Client(options["url"], BasicAuth(options["username"], options["password"]), spool_dir=spool)


def copy_once(bodies: Path, warehouse: Warehouse) -> Measured:
    """COPY the same bytes as they are into an identical table: the floor any landing is compared to."""
    started = time.perf_counter()
    held = ("_source_updated_at" if c == TABLE.updated_column else c for c in TABLE.column_names)
    columns = sql.SQL(", ").join(map(sql.Identifier, held))
    target = sql.Identifier("raw_partitions", "bench_copy")
    with warehouse.connect() as connection:
        connection.execute(sql.SQL("drop table if exists {}").format(target))
        connection.execute(
            sql.SQL("create table {} (like raw.hmis_data_values including defaults)").format(target)
            + sql.SQL(
                "; alter table {} alter _load_id set default 0, alter _partition set default '2025-03-01'"
            ).format(target)
        )
        rows = 0
        for body in sorted(bodies.iterdir()):
            statement = sql.SQL("copy {} ({}) from stdin (format csv, header, freeze)").format(target, columns)
            with connection.cursor() as cursor:
                with cursor.copy(statement) as copy, body.open("rb") as file:
                    while chunk := file.read(CHUNK):
                        copy.write(chunk)
                rows += cursor.rowcount
        connection.commit()
    return Measured(rows, time.perf_counter() - started, peak_mb())


def load_registries(ready: dict[str, str], warehouse: Warehouse, spool: Path) -> None:
    """Land the metadata that the contract and the plan need."""
    with _client(ready, spool) as client:
        for name in ("organisation_units", "data_elements", "category_option_combos", "data_sets"):
            land(warehouse, HMIS.feed(name).table, Partition(), getattr(metadata, name)(client))


def save_bodies(ready: dict[str, str], warehouse: Warehouse, spool: Path, bodies: Path) -> None:
    """Read every slice once, keeping the bytes: this renders the sandbox's cache, and is what the baseline copies."""
    with _client(ready, spool) as client:
        data_sets = data_sets_of(warehouse, HMIS, HMIS.feed("data_values"))
        slices = plan(data_sets, ["202503"], units_to_level(client, HMIS.slice_level), HMIS.slice_level)
        for number, slice_ in enumerate(slices):
            with _fetch(client, "csv", False, slice_) as body:
                os.link(body.path, bodies / f"{number:04d}.csv")


def measure(rows: int, warehouse: Warehouse, repeats: int, rows_at_scale_one: float, say: Any) -> dict[str, Any]:
    """Both sides in turn, ``repeats`` times, at about ``rows`` rows; medians and the ratio of each pair."""
    from hic_assets.cli.sandbox_process import sandbox_process

    scale = rows / rows_at_scale_one
    with tempfile.TemporaryDirectory(prefix="hic-bench-") as folder, bench_database(warehouse) as database:
        cache, bodies, spool = (Path(folder) / n for n in ("cache", "bodies", "spool"))
        for path in (cache, bodies, spool):
            path.mkdir()
        options = ["--port", "0", "--scale", f"{scale:.4f}", "--cache-dir", str(cache), "--today", "2025-06-15"]
        with sandbox_process(options, Path(folder) / "sandbox.log") as ready:
            say(f"rendering about {rows:,} rows")
            load_registries(dict(ready), database, spool)
            save_bodies(dict(ready), database, spool, bodies)
            size = sum(p.stat().st_size for p in bodies.iterdir())
            pairs: list[tuple[Measured, Measured]] = []
            for number in range(repeats):
                say(f"{rows:,} rows, run {number + 1} of {repeats}")
                landed = _measured("land", dict(ready), database, spool)
                copied = _measured("copy", {"bodies": str(bodies)}, database, spool)
                pairs.append((landed, copied))
    return _summary(pairs, size)


def _summary(pairs: Sequence[tuple[Measured, Measured]], size: int) -> dict[str, Any]:
    ratios = [copied.seconds / landed.seconds for landed, copied in pairs]
    seconds = median(landed.seconds for landed, _ in pairs)
    return {
        "rows": pairs[0][0].rows,
        "rows_copied": pairs[0][1].rows,
        "mb": round(size / 1e6, 1),
        "land_seconds": round(seconds, 2),
        "copy_seconds": round(median(copied.seconds for _, copied in pairs), 2),
        "speed_against_copy": round(median(ratios), 2),
        "lowest": round(min(ratios), 2),
        "highest": round(max(ratios), 2),
        "land_rows_a_second": round(pairs[0][0].rows / seconds),
        "land_peak_mb": round(max(landed.peak_mb for landed, _ in pairs)),
    }


def _measured(side: str, options: dict[str, str], warehouse: Warehouse, spool: Path) -> Measured:
    return Measured(**in_process("hic_assets.bench.landing", [side, "--spool", str(spool)], options, warehouse))


def _main() -> None:
    """Entry of the measured process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("side", choices=("land", "copy"))
    parser.add_argument("--spool", type=Path, required=True)
    arguments = parser.parse_args()
    warehouse, options = given()
    if arguments.side == "land":
        measured = land_once(options, warehouse, arguments.spool)
    else:
        measured = copy_once(Path(options["bodies"]), warehouse)
    sys.stdout.write(json.dumps(measured.__dict__) + "\n")


if __name__ == "__main__":
    _main()
