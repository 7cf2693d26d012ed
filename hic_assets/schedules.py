"""When systems are read: registries daily, months after their reporting deadline, weeks when they end; in Africa/Kigali.

A schedule is registered here or does not exist; switching one off in the UI holds for that installation only.
"""

from collections.abc import Iterable
from datetime import datetime

import dagster as dg

from hic_assets.jobs import DISRUPTION, IDENTITY, REFERENCE, has
from hic_assets.partitions import TIMEZONE, contiguous_ranges, partitions_of, range_tags
from hic_assets.resources import WarehouseResource
from hic_assets.sensors.aggregate import loaded_partitions, values_feeds
from hic_assets.systems.declare import Cadence, Feed, System

# Completeness registrations leave no trace when they are taken back (contract 1.4), so recent months are read whole
# again; the change sensor covers values older than this.
MONTHS_READ_AGAIN = 3
# Records of a week are entered for some weeks after it; the change sensor covers those that come later still.
WEEKS_READ_AGAIN = 4
READ_AGAIN = {Cadence.MONTHLY: MONTHS_READ_AGAIN, Cadence.WEEKLY: WEEKS_READ_AGAIN}
# Older partitions are read whole again in turn, so many a week: what leaves no trace at the source (a registration taken
# back, an import under old timestamps) is found within a quarter even of seven years (contract 1.13, reconciliation).
MONTHS_A_WEEK = 6
IN_TURN = {Cadence.MONTHLY: MONTHS_A_WEEK, Cadence.WEEKLY: 26}
# Weeks of records are read from four in the morning of Monday; by then they are there, or come with the next run.
IDENTITY_CRON = "0 12 * * 1"
# Whatever months the night has loaded again.
DISRUPTION_CRON = "0 7 * * *"
_PERIOD = {Cadence.MONTHLY: "month", Cadence.WEEKLY: "week"}


def recent_run(
    system: System, cadence: Cadence, partitions: int, context: dg.ScheduleEvaluationContext
) -> dg.RunRequest | dg.SkipReason:
    """One run over the last completed partitions of a cadence as of the tick."""
    definition = partitions_of(cadence)
    assert definition is not None  # noqa: S101 - snapshots have no recent partitions
    keys = definition.get_partition_keys(current_time=context.scheduled_execution_time)[-partitions:]
    if not keys:
        return dg.SkipReason(f"No {_PERIOD[cadence]} is complete yet.")
    return dg.RunRequest(
        run_key=f"{system.name}-{keys[-1]}-{context.scheduled_execution_time:%Y%m%d%H%M}",
        tags=range_tags(keys[0], keys[-1]),
    )


def in_turn(loaded: Iterable[str], at: datetime, cadence: Cadence = Cadence.MONTHLY) -> list[str]:
    """The older partitions, of those loaded, whose turn it is in the week of ``at``; all in as few weeks as may be."""
    definition, many = partitions_of(cadence), IN_TURN[cadence]
    assert definition is not None  # noqa: S101 - snapshots are never old
    recent = definition.get_partition_keys(current_time=at)[-READ_AGAIN[cadence] :]
    older = sorted(set(loaded) - set(recent))
    if not older:
        return []
    turns = -(-len(older) // many)
    week = at.date().toordinal() // 7
    start = week % turns * many
    return older[start : start + many]


def schedules(system: System) -> list[dg.ScheduleDefinition]:
    """The schedules of one system: one a job it has, and one for what leaves no trace at the source."""
    made = [_reference(system)] if has([system], Cadence.SNAPSHOT) else []
    if has([system], Cadence.MONTHLY):
        words = "after the reporting deadline"
        made.append(_recent(system, Cadence.MONTHLY, system.monthly_cron, words))
    if has([system], Cadence.WEEKLY):
        words = "by both pipelines" if system.programmes else "after the reporting deadline"
        made.append(_recent(system, Cadence.WEEKLY, system.weekly_cron, words))
    if system.programmes:
        return [*made, _keys(system)]
    return [*made, *(_older(system, feed) for feed in read_in_turn(system))]


def identity_schedule() -> dg.ScheduleDefinition:
    """Identity resolution, once the weeks of records are loaded."""
    words = "Compares the records of persons that the week brought with all there are."
    return _of_job(IDENTITY, IDENTITY_CRON, words)


def disruption_schedule() -> dg.ScheduleDefinition:
    """Disruptions of services, once the night's months are loaded."""
    return _of_job(DISRUPTION, DISRUPTION_CRON, "Judges anew which services were used otherwise than usual.")


def _of_job(job: str, cron: str, words: str) -> dg.ScheduleDefinition:
    """The schedule of a job without partitions, by the job's name."""
    return dg.ScheduleDefinition(
        name=job, job_name=job, cron_schedule=cron, execution_timezone=TIMEZONE, description=words
    )


def _recent(system: System, cadence: Cadence, cron: str, words: str) -> dg.ScheduleDefinition:
    partitions = READ_AGAIN[cadence]

    @dg.schedule(
        name=f"{system.name}_{cadence.value}",
        job_name=f"{system.name}_{cadence.value}",
        cron_schedule=cron,
        execution_timezone=TIMEZONE,
        description=f"Reads the last {partitions} completed {_PERIOD[cadence]}s of {system.title}, {words}.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return recent_run(system, cadence, partitions, context)

    return schedule


def _reference(system: System) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"{system.name}_{REFERENCE}",
        job_name=f"{system.name}_{REFERENCE}",
        cron_schedule=system.snapshot_cron,
        execution_timezone=TIMEZONE,
        description=f"Reads the registries of {system.title} whole, and rebuilds what is made of them.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"{system.name}-reference-{context.scheduled_execution_time:%Y%m%d%H%M}")

    return schedule


def _keys(system: System) -> dg.ScheduleDefinition:
    words = f"Compares every key of {system.title} with what is held."
    return _of_job(f"{system.name}_key_reconciliation", system.reconciliation_cron, words)


def read_in_turn(system: System) -> list[Feed]:
    """By cadence, the table whose loaded partitions say which there are: reported values; of a REST API its first table.

    Snapshots have none: they are read whole every day.
    """
    values = values_feeds(system)
    records = [feed for feed in system.feeds if feed.resource and not feed.resource.is_whole]
    first = {feed.cadence: feed for feed in reversed(records)}
    return list((values or first).values())


def _older(system: System, feed: Feed) -> dg.ScheduleDefinition:
    cadence = feed.cadence
    definition, what = partitions_of(cadence), _PERIOD[cadence]
    assert definition is not None  # noqa: S101 - snapshots are never old
    name = f"{system.name}_weekly_reconciliation" if cadence is Cadence.WEEKLY else f"{system.name}_reconciliation"

    @dg.schedule(
        name=name,
        job_name=f"{system.name}_{cadence.value}",
        cron_schedule=system.reconciliation_cron,
        execution_timezone=TIMEZONE,
        description=f"Reads older {what}s of {system.title} whole again, {IN_TURN[cadence]} a week in turn.",
    )
    def schedule(
        context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
    ) -> list[dg.RunRequest] | dg.SkipReason:
        loaded = loaded_partitions(warehouse.open(), feed)
        keys = in_turn(loaded, context.scheduled_execution_time, cadence)
        if not keys:
            return dg.SkipReason(f"No {what} is loaded that is older than those the {cadence.value} schedule reads.")
        return [
            dg.RunRequest(
                run_key=f"{first}:{last}:{context.scheduled_execution_time:%Y%m%d}", tags=range_tags(first, last)
            )
            for first, last in contiguous_ranges(keys, definition)
        ]

    return schedule
