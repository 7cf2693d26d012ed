"""``hic bench``: measure landing, pulling a tracker and the verdict, each beside what one would write by hand; and alerts."""

from __future__ import annotations

from typing import Any

import click

from hic_assets.cli.environment import open_environment
from hic_assets.cli.output import Steps, as_json, show_json, show_table

SIZES = {"300k": 300_000, "3m": 3_000_000, "30m": 30_000_000}
# Rows of one month of the sandbox at scale 1, measured with its default seed; only sets how near a size is hit.
ROWS_AT_SCALE_ONE = 648_000
TITLES = {
    "landing": "Landing beside COPY of the same bytes",
    "tracker": "A tracker programme of 200,000 events: the unified framework, and page by page with executemany",
    "parity": "Legacy against unified, a million events each, beside EXCEPT in both directions",
    "alerts": "Alert rules on the outbreaks of made countries, weeks since 2022",
}
TRACKER_EVENTS, PARITY_EVENTS = 200_000, 1_000_000


@click.command(name="bench")
@click.option("--only", type=click.Choice(list(TITLES)), multiple=True, help="Which; default all.")
@click.option(
    "--size", "sizes", multiple=True, type=click.Choice(list(SIZES)), help="Rows landed a month; default 300k and 3m."
)
@click.option("--repeats", default=5, show_default=True, help="Pairs of runs, in turn; of alerts: countries.")
@as_json
def command(only: tuple[str, ...], sizes: tuple[str, ...], repeats: int, json_output: bool) -> None:
    """Measure our ways beside the plain ones, in turn, on the sandbox.

    Landing: speed_against_copy is the median of the pairs' ratios; 1 is as fast as a COPY that checks nothing.
    Tracker: server_seconds is what the server needs for the same requests, outside_seconds the work beside it.
    Alerts: days are from the first Monday of an outbreak to that of the first week with an alarm; false alarms are per 1,000
    weeks of a disease in a district outside outbreaks. The intervals are 95 % ones.
    """
    environment = open_environment()
    found: dict[str, list[dict[str, Any]]] = {}
    for name in only or tuple(TITLES):
        with Steps().step(name) as step:
            found[name] = _measure(name, environment.warehouse, sizes or ("300k", "3m"), repeats, step.now)
    if json_output:
        show_json(found)
        return
    for name, rows in found.items():
        show_table(TITLES[name], tuple(rows[0]), rows)


def _measure(name: str, warehouse: Any, sizes: tuple[str, ...], repeats: int, say: Any) -> list[dict[str, Any]]:
    if name == "tracker":
        from hic_assets.bench import tracker

        return tracker.measure(TRACKER_EVENTS, warehouse, repeats, say)
    if name == "parity":
        from hic_assets.bench import parity

        return [parity.measure(PARITY_EVENTS, warehouse, repeats, say)]
    if name == "alerts":
        from hic_assets.bench import alerts

        return alerts.measure(repeats, say)
    from hic_assets.bench import landing

    return [landing.measure(SIZES[size], warehouse, repeats, ROWS_AT_SCALE_ONE, say) for size in sizes]
