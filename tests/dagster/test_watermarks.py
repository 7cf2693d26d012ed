"""Asking for changes table by table: when a watermark waits, for how long, and what is said of what could not be read."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from hic_assets.landing.stale import Stale
from hic_assets.sensors.occasions import Asked, read_cursor, written
from hic_assets.sensors.watermarks import PATIENCE, Found, Watermarks, ask_each
from hic_assets.systems.idsr import IDSR

FEED = IDSR.feeds[0]
T0 = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
STALE = [Stale(date(2026, 2, 2), {"missing": 1}, T0)]


def asked(marks: Watermarks, now: datetime, **told: Any) -> Watermarks:
    """The watermarks after the table was asked about at ``now``."""
    found = Found(FEED, **({"stale": [], "watermark": now} | told))
    kept, stale, errors = ask_each(cast(Any, None), [FEED], marks, lambda *_: found)
    assert (bool(stale), errors) == (bool(found.stale), [])
    return kept


def test_a_watermark_waits_for_what_is_stale_and_then_moves_on() -> None:
    marks = asked({FEED.table.name: T0.isoformat()}, T0 + DAY, stale=STALE)
    assert marks[FEED.table.name] == T0.isoformat()
    assert asked(marks, T0 + 2 * DAY) == {FEED.table.name: (T0 + 2 * DAY).isoformat()}


def test_it_waits_no_longer_than_patience_and_what_came_meanwhile_is_still_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    marks = {FEED.table.name: T0.isoformat()}
    seen = []
    for day in range(1, 3 * PATIENCE.days):
        marks = asked(marks, T0 + day * DAY, stale=STALE)
        seen.append((T0 + day * DAY) - datetime.fromisoformat(marks[FEED.table.name]))
    assert max(seen) <= 2 * PATIENCE
    assert len([record for record in caplog.records if "not asked for any more" in record.message]) == 2


def test_changes_that_could_not_be_read_are_told_and_asked_for_again(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        marks = asked({FEED.table.name: T0.isoformat()}, T0 + DAY, unreadable=3)
    assert marks[FEED.table.name] == T0.isoformat()
    assert "raw.idsr_notifications: 3 changes could not be read as records" in caplog.text


def test_the_cursor_survives_being_kept_and_those_of_before_are_read() -> None:
    kept = ({FEED.table.name: T0.isoformat()}, Asked("2026-03-01", {"weekly:2026-02-02 ab", "weekly:2026-02-09 cd"}))
    assert read_cursor(written(*kept)) == kept
    assert read_cursor('{"cases": "2026-03-01T00:00:00+00:00"}') == ({"cases": T0.isoformat()}, Asked())
    assert read_cursor(None) == ({}, Asked())
