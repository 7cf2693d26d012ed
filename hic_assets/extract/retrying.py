"""How long and how often a source is asked: limits of a session, and what is tried again after which wait."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import tenacity

from hic_assets.extract.errors import (
    ServerFault,
    SourceError,
    TimedOut,
    TooLarge,
    TransientSourceError,
    TruncatedBody,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HttpOptions:
    """Limits of one session. Seconds and bytes.

    `read_timeout`: longest silence. `attempt_seconds`: longest one whole reply may take. `max_bytes`: of a
    decoded body. Waits are drawn from 0 to `first_wait` doubled at each attempt, at most `max_wait`; a
    server's Retry-After is honoured up to `max_retry_after`. `size_attempts`: attempts at a request
    that the caller can divide, when it fails as requests do that ask for too much. `clock` serves Retry-After
    dates. `pace` is called before every request, and waits where they would come too fast.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 120.0
    attempt_seconds: float = 1800.0
    max_bytes: int = 4 * 1024**3
    max_attempts: int = 5
    size_attempts: int = 2
    first_wait: float = 1.0
    max_wait: float = 60.0
    max_retry_after: float = 120.0
    compressed: bool = True
    verify: bool | str = True
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[float, float], float] = random.uniform
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    pace: Callable[[], None] = lambda: None


def asks_too_much(error: BaseException | None) -> bool:
    """Whether a failure is of the kind that a smaller request may not have (contract 1.3, bulk strategy)."""
    if isinstance(error, TimedOut | TruncatedBody | TooLarge):
        return True
    return isinstance(error, ServerFault) and error.status in {500, 502, 504}


def retrying_of(options: HttpOptions, divisible: bool) -> tenacity.Retrying:
    """Retries TransientSourceError and re-raises the last error (contract 1.9).

    Waits with full jitter, or as long as the server's Retry-After says. `divisible`: see `HttpOptions`.
    """

    def stop(state: tenacity.RetryCallState) -> bool:
        too_much = divisible and asks_too_much(_error(state))
        limit = min(options.max_attempts, options.size_attempts) if too_much else options.max_attempts
        return state.attempt_number >= limit

    def wait(state: tenacity.RetryCallState) -> float:
        error = _error(state)
        if isinstance(error, SourceError) and error.retry_after is not None:
            return min(error.retry_after, options.max_retry_after)
        ceiling = options.first_wait * 2 ** (state.attempt_number - 1)
        return options.jitter(0.0, min(ceiling, options.max_wait))

    def tell(state: tenacity.RetryCallState) -> None:
        pause = state.next_action.sleep if state.next_action else 0.0
        number, limit = state.attempt_number, options.max_attempts
        log.warning("%s (attempt %d of %d, next in %.1f s)", _error(state), number, limit, pause)

    return tenacity.Retrying(
        stop=stop,
        wait=wait,
        retry=tenacity.retry_if_exception_type(TransientSourceError),
        sleep=options.sleep,
        before_sleep=tell,
        reraise=True,
    )


def _error(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
