"""``hic bench``: measure landing, pulling a tracker and the verdict, each beside what one would write by hand; alerts
and linkage against what is known to be true; and how long analysts' questions take.
"""

from __future__ import annotations

from typing import Any

import click

from hic_assets.cli.environment import open_environment
from hic_assets.cli.output import Steps, as_json, show_json, show_table

SIZES = {"300k": 300_000, "3m": 3_000_000, "30m": 30_000_000}
RECORDS = {"10k": 10_000, "30k": 30_000, "100k": 100_000, "1m": 1_000_000}
# Rows of one month of the sandbox at scale 1, measured with its default seed; only sets how near a size is hit.
ROWS_AT_SCALE_ONE = 648_000
TITLES = {
    "landing": "Landing beside COPY of the same bytes",
    "tracker": "A tracker programme of 200,000 events: the unified framework, and page by page with executemany",
    "parity": "Legacy against unified, a million events each, beside EXCEPT in both directions",
    "alerts": "Alert rules on the outbreaks of made countries, weeks since 2022",
    "linkage": "Who is who, against the truth",
    "queries": "The questions of docs/queries.md on the warehouse as it is",
}
LINKAGE_TITLES = {
    "accuracy": "Records put together, against the truth of a sandbox country (of pairs, and of whole persons)",
    "pairs": "The same by pair of systems",
    "noise": "The same by what differs in a pair",
    "febrl": "FEBRL data sets 3 and 4",
    "growth": "Time and memory by size: a first run, then a hundredth of the records against the rest",
}
TRACKER_EVENTS, PARITY_EVENTS = 200_000, 1_000_000


@click.command(name="bench")
@click.option("--only", type=click.Choice(list(TITLES)), multiple=True, help="Which; default all.")
@click.option(
    "--size",
    "sizes",
    multiple=True,
    type=click.Choice([*SIZES, *RECORDS]),
    help="Rows landed a month; default 300k and 3m. Of linkage: records, 10k to 1m; default 10k, 30k and 100k.",
)
@click.option("--repeats", default=5, show_default=True, help="Pairs of runs, in turn; of alerts: countries.")
@as_json
def command(only: tuple[str, ...], sizes: tuple[str, ...], repeats: int, json_output: bool) -> None:
    """Measure our ways beside the plain ones, in turn, on the sandbox.

    Landing: speed_against_copy is the median of the pairs' ratios; 1 is as fast as a COPY that checks nothing.
    Tracker: server_seconds is what the server needs for the same requests, outside_seconds the work beside it.
    Alerts: days are from the first Monday of an outbreak to that of the first week with an alarm; false alarms are per 1,000
    weeks of a disease in a district outside outbreaks. The intervals are 95 % ones.
    Linkage: seconds_grow and pairs_grow are exponents against the size before; 1 is growth in proportion.
    """
    environment = open_environment()
    found: dict[str, list[dict[str, Any]]] = {}
    for name in only or tuple(TITLES):
        with Steps().step(name) as step:
            if name == "linkage":
                found |= _linkage(environment.warehouse, sizes, step.now)
            else:
                landed = tuple(s for s in sizes if s in SIZES) or ("300k", "3m")
                found[name] = _measure(name, environment.warehouse, landed, repeats, step.now)
    if json_output:
        show_json(found)
        return
    for name, rows in found.items():
        show_table(LINKAGE_TITLES.get(name) or TITLES[name], tuple(rows[0]), rows)


def _linkage(warehouse: Any, sizes: tuple[str, ...], say: Any) -> dict[str, list[dict[str, Any]]]:
    from hic_assets.bench import linkage

    chosen = [s for s in sizes if s in RECORDS] or ["10k", "30k", "100k"]
    return linkage.measure([RECORDS[s] for s in chosen], warehouse, say)


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
    if name == "queries":
        from hic_assets.bench import queries

        return queries.measure(warehouse, repeats, say)
    from hic_assets.bench import landing

    return [landing.measure(SIZES[size], warehouse, repeats, ROWS_AT_SCALE_ONE, say) for size in sizes]
