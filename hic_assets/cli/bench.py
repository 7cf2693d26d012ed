"""``hic bench``: measure landing against a plain COPY of the same bytes, side by side."""

from __future__ import annotations

import click

from hic_assets.cli.environment import open_environment
from hic_assets.cli.output import Steps, as_json, show_json, show_table

SIZES = {"300k": 300_000, "3m": 3_000_000, "30m": 30_000_000}
# Rows of one month of the sandbox at scale 1, measured with its default seed; only sets how near a size is hit.
ROWS_AT_SCALE_ONE = 648_000
COLUMNS = (
    "rows", "mb", "land_seconds", "copy_seconds", "speed_against_copy", "lowest", "highest", "land_rows_a_second",
    "land_peak_mb",
)  # fmt: skip


@click.command(name="bench")
@click.option(
    "--size", "sizes", multiple=True, type=click.Choice(list(SIZES)), help="Rows a month; default 300k and 3m."
)
@click.option("--repeats", default=5, show_default=True, help="Pairs of runs, in turn.")
@as_json
def command(sizes: tuple[str, ...], repeats: int, json_output: bool) -> None:
    """Measure landing: HTTP bytes of the sandbox to a committed, contract-checked partition, beside COPY.

    speed_against_copy is the median of the pairs' ratios: 1 is as fast as a COPY that checks nothing.
    """
    from hic_assets.bench.landing import measure

    environment = open_environment()
    results = []
    for name in sizes or ("300k", "3m"):
        with Steps().step(f"landing {name}") as step:
            results.append(measure(SIZES[name], environment.warehouse, repeats, ROWS_AT_SCALE_ONE, step.now))
    if json_output:
        show_json(results)
    else:
        show_table("Landing beside COPY of the same bytes", COLUMNS, results)
