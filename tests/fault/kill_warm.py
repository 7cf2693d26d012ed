"""What the fork server does before the first fork: the code location and an empty run, so that no run pays for imports.

Not for Polars, whose threads a fork would not take along: it is imported, but computes nothing.
"""

from __future__ import annotations

import importlib
import warnings

import dagster as dg

from fault.kill_backfill import QUIET


def empty_run() -> None:
    """Materialise an asset that does nothing, partitioned as the real ones are."""
    months = dg.MonthlyPartitionsDefinition("2025-01-01", end_date="2025-03-01")

    @dg.asset(partitions_def=months, backfill_policy=dg.BackfillPolicy.single_run())
    def nothing() -> None:
        """Nothing."""

    assert dg.materialize([nothing], partition_key="2025-01-01", run_config=QUIET).success


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    importlib.import_module("hic_assets.definitions")
    empty_run()
