"""A run that waits for its place in a pool must not use the core that the run it waits for needs."""

from __future__ import annotations

import inspect
import time

from dagster._core.execution.plan import instance_concurrency_context
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

import hic_assets.definitions  # noqa: F401 - loading the code location is what makes runs sleep


def waiting(seconds: float) -> InstanceConcurrencyContext:
    context = InstanceConcurrencyContext.__new__(InstanceConcurrencyContext)
    context._pending_claims = {"dbt_weekly"}
    context._pending_timeouts = {"dbt_weekly": time.time() + seconds}  # type: ignore[assignment]
    return context


def test_it_sleeps_until_it_looks_again_and_no_longer_than_other_steps_may_wait() -> None:
    assert 0.5 < waiting(0.8).interval_to_next_pending_claim_check() <= 0.8
    assert waiting(12).interval_to_next_pending_claim_check() == 1
    assert waiting(-1).interval_to_next_pending_claim_check() == 0
    assert instance_concurrency_context._calculate_timeout_interval(None, 31) == 2
    free = waiting(12)
    free._pending_claims = set()
    assert free.interval_to_next_pending_claim_check() == 0


def test_dagster_still_needs_it() -> None:
    """When this fails, Dagster waits by itself: delete hic_assets/pool_waits.py."""
    assert "min([0, *" in inspect.getsource(instance_concurrency_context)
