"""When systems are read: registries daily, months after their reporting deadline; all in Africa/Kigali.

A schedule is registered here or does not exist; switching one off in the UI holds for that installation only.
"""

from collections.abc import Iterable
from datetime import datetime

import dagster as dg

from hic_assets.partitions import TIMEZONE, contiguous_ranges, monthly, range_tags
from hic_assets.resources import WarehouseResource
from hic_assets.sensors import loaded_months
from hic_assets.systems.declare import System

# Completeness registrations leave no trace when they are taken back (contract 1.4), so recent months are read whole
# again; the change sensor covers values older than this.
MONTHS_READ_AGAIN = 3
# Older months are read whole again in turn, so many a week: what leaves no trace at the source (a registration taken
# back, an import under old timestamps) is found within a quarter even of seven years (contract 1.13, reconciliation).
MONTHS_A_WEEK = 6


def monthly_run(system: System, context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run over the last completed months as of the tick."""
    definition = monthly()
    keys = definition.get_partition_keys(current_time=context.scheduled_execution_time)[-MONTHS_READ_AGAIN:]
    if not keys:
        return dg.SkipReason("No month is complete yet.")
    return dg.RunRequest(
        run_key=f"{system.name}-{keys[-1]}-{context.scheduled_execution_time:%Y%m%d%H%M}",
        tags=range_tags(keys[0], keys[-1]),
    )


def months_in_turn(loaded: Iterable[str], at: datetime) -> list[str]:
    """The older months, of those loaded, whose turn it is in the week of ``at``; every one in as few weeks as may be."""
    recent = monthly().get_partition_keys(current_time=at)[-MONTHS_READ_AGAIN:]
    older = sorted(set(loaded) - set(recent))
    if not older:
        return []
    turns = -(-len(older) // MONTHS_A_WEEK)
    week = at.date().toordinal() // 7
    start = week % turns * MONTHS_A_WEEK
    return older[start : start + MONTHS_A_WEEK]


def schedules(system: System, monthly_job: str, reference_job: str) -> list[dg.ScheduleDefinition]:
    """The schedules of one system."""

    @dg.schedule(
        name=f"{system.name}_monthly",
        job_name=monthly_job,
        cron_schedule=system.monthly_cron,
        execution_timezone=TIMEZONE,
        description=f"Reads the last {MONTHS_READ_AGAIN} completed months of {system.title}, after the reporting deadline.",
    )
    def monthly_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return monthly_run(system, context)

    @dg.schedule(
        name=f"{system.name}_reference",
        job_name=reference_job,
        cron_schedule=system.snapshot_cron,
        execution_timezone=TIMEZONE,
        description=f"Reads the registries of {system.title} whole, and rebuilds the dimensions.",
    )
    def reference_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"{system.name}-reference-{context.scheduled_execution_time:%Y%m%d%H%M}")

    @dg.schedule(
        name=f"{system.name}_reconciliation",
        job_name=monthly_job,
        cron_schedule=system.reconciliation_cron,
        execution_timezone=TIMEZONE,
        description=f"Reads older months of {system.title} whole again, {MONTHS_A_WEEK} a week in turn.",
    )
    def reconciliation_schedule(
        context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
    ) -> list[dg.RunRequest] | dg.SkipReason:
        months = months_in_turn(loaded_months(warehouse.open(), system), context.scheduled_execution_time)
        if not months:
            return dg.SkipReason("No month is loaded that is older than those the monthly schedule reads.")
        return [
            dg.RunRequest(
                run_key=f"{first}:{last}:{context.scheduled_execution_time:%Y%m%d}", tags=range_tags(first, last)
            )
            for first, last in contiguous_ranges(months, monthly())
        ]

    return [monthly_schedule, reference_schedule, reconciliation_schedule]
