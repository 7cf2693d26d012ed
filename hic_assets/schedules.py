"""When systems are read: registries daily, months after their reporting deadline; all in Africa/Kigali.

A schedule is registered here or does not exist; switching one off in the UI holds for that installation only.
"""

import dagster as dg

from hic_assets.partitions import TIMEZONE, monthly, range_tags
from hic_assets.systems.declare import System

# Completeness registrations leave no trace when they are taken back (contract 1.4), so recent months are read whole
# again; the change sensor covers values older than this.
MONTHS_READ_AGAIN = 3


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

    return [monthly_schedule, reference_schedule]
