"""How a run waits for its place in a pool: asleep.

Dagster's in-process executor asks when to look again for a free place, and is always told "now": it then asks as fast as it can,
with a whole core, for as long as another run holds the place (dagster-io/dagster#20367, never merged). On two cores that is half of
what the run it waits for could use. Belongs here: only that; a test tells when Dagster has mended it.
"""

from __future__ import annotations

import time

from dagster._core.execution.plan import instance_concurrency_context
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

LONGEST = 1.0
"""Seconds; other steps may have become ready meanwhile."""

LOOKS_EVERY = 2
"""Seconds between looks, at most: Dagster's grow to fifteen, in which the pool stands empty."""


def sleep_while_waiting() -> None:
    """Let runs of this process sleep until their next look at the pool, and look often."""
    InstanceConcurrencyContext.interval_to_next_pending_claim_check = _interval  # type: ignore[method-assign]
    instance_concurrency_context.MAX_CONCURRENCY_CLAIM_BLOCKED_INTERVAL = LOOKS_EVERY


def _interval(self: InstanceConcurrencyContext) -> float:
    """Seconds to the next look."""
    waits = [ready_at - time.time() for ready_at in self._pending_timeouts.values()]
    return max(0.0, min([LONGEST, *waits])) if self._pending_claims else 0.0
