"""Builds the months of the tracker programmes again that newly loaded weeks feed, or whose build failed.

Belongs here: which months to request. Does not: how a week feeds two months (``partitions``), building them (dbt).
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from psycopg.errors import UndefinedTable

from hic_assets.partitions import contiguous_ranges, months_touched, partitions_of, range_of, range_tags, today
from hic_assets.resources import WarehouseResource
from hic_assets.systems.declare import Cadence, System
from hic_assets.warehouse import Warehouse

MONTHS_JOB = "programme_months"
# How long a build of months that failed is asked for again, once a day; each try that fails counts anew.
_FAILED_SINCE = timedelta(days=14)

# A load is seen by its end, which it notes a moment before others can see it.
_UNSEEN = timedelta(minutes=10)


_FED = """
with loads as (
    select load_id, system, table_name, window_start, window_end, finished_at from ops.load
    where is_current and window_start is not null
      and (system, table_name) in (select * from unnest(%(systems)s::text[], %(tables)s::text[]))
), switched as (
    select system, table_name, c.at
    from unnest(%(systems)s::text[], %(tables)s::text[], %(programmes)s::text[]) as f (system, table_name, programme)
    join ops.cutover c using (programme)
)
select load_id, window_start, window_end, finished_at from loads
where %(since)s::timestamptz is null or finished_at > %(since)s
union all
select load_id, window_start, window_end, s.at from loads join switched s using (system, table_name)
where %(since)s::timestamptz is null or s.at > %(since)s
"""


def months_fed(
    warehouse: Warehouse, systems: Iterable[System], since: datetime | None
) -> tuple[dict[str, list[str]], datetime | None]:
    """Months whose records may be others since ``since``, each with the loads that make them so; and the newest time.

    Those are the months touched by tracker loads that ended since, and all of a programme whose staging models have
    been switched to the other pipeline since.
    """
    feeds = [(f, f.programme) for s in systems for f in s.feeds if f.programme]
    asked = {
        "systems": [f.table.system for f, _ in feeds],
        "tables": [f.table.name for f, _ in feeds],
        "programmes": [programme.name for _, programme in feeds],
        "since": since and since - _UNSEEN,
    }
    with warehouse.connect() as connection:
        found = connection.execute(_FED, asked).fetchall()
    months: dict[str, list[str]] = {}
    for load, start, end, at in found:
        for month in months_touched(start, end - timedelta(days=1)):
            months.setdefault(month, []).append(f"{load}@{at:%Y%m%d%H%M%S}")
    return months, max((row[3] for row in found), default=since)


def months_failed(instance: dg.DagsterInstance) -> list[str]:
    """Keys of the months whose newest build, of those of the last two weeks, failed."""
    since = datetime.now(UTC) - _FAILED_SINCE
    newest: dict[str, dg.DagsterRunStatus] = {}
    for record in instance.get_run_records(dg.RunsFilter(job_name=MONTHS_JOB, created_after=since)):
        if found := range_of(record.dagster_run.tags):
            for month in months_touched(*map(date.fromisoformat, found)):
                newest.setdefault(month, record.dagster_run.status)
    return [month for month, status in newest.items() if status is dg.DagsterRunStatus.FAILURE]


def _occasion(months: dict[str, list[str]], first: str, last: str) -> str:
    """What tells this set of loads from any other, one that was noted late among them included."""
    said = sorted(f"{month} {load}" for month, loads in months.items() if first <= month <= last for load in loads)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def _requests(months: Iterable[str], why: Callable[[str, str], str]) -> list[dg.RunRequest]:
    """Runs of exactly these months; ``why``: from the first and last of a run to what tells its occasion from others."""
    definition = partitions_of(Cadence.MONTHLY)
    assert definition is not None  # noqa: S101 - months are partitions
    return [
        dg.RunRequest(run_key=f"{first}:{last}:{why(first, last)}", tags=range_tags(first, last))
        for first, last in contiguous_ranges(months, definition)
    ]


def months_sensor(systems: Sequence[System]) -> dg.SensorDefinition:
    """Builds the months that newly loaded weeks feed: a week that straddles two months feeds both."""
    trackers = [system for system in systems if system.programmes]

    @dg.sensor(
        name=MONTHS_JOB,
        job_name=MONTHS_JOB,
        minimum_interval_seconds=600,
        description="Builds the completed months of the tracker programmes that loads have touched since they were built, "
        "and once a day those whose build failed.",
    )
    def sensor(context: dg.SensorEvaluationContext, warehouse: WarehouseResource) -> dg.SensorResult | dg.SkipReason:
        since = datetime.fromisoformat(context.cursor) if context.cursor else None
        try:
            months, until = months_fed(warehouse.open(), trackers, since)
        except UndefinedTable:
            return dg.SkipReason("Nothing was loaded yet.")
        failed = [month for month in months_failed(context.instance) if month not in months]
        asked = [
            *_requests(months, lambda first, last: _occasion(months, first, last)),
            *_requests(failed, lambda *_: f"failed:{today()}"),
        ]
        return dg.SensorResult(
            run_requests=asked,
            cursor=until.isoformat() if until else None,
            skip_reason=None if asked else "No load has touched a completed month, and no build of one failed.",
        )

    return sensor
