"""`hic systems`: every system of the country once, how far behind it is, and what is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hic_command import Hic

from hic_assets.cli.systems import lag_days, line_of
from hic_assets.systems import SYSTEMS
from hic_assets.systems.declare import Cadence
from hic_assets.systems.national import National, national_systems

# A Sunday: of weeks due after three days the one from Monday the 9th, of months due after ten October.
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NATIONAL = {national.name: national for national in national_systems(SYSTEMS)}
ELEVEN = [
    "hmis",
    "idsr",
    "hmis_tracker",
    "crvs",
    "hiv_tracker",
    "immunization_tracker",
    "cancer_registry",
    "efiche",
    "hpemr",
    "ebuzima",
    "cemr",
]


def held(last: str | None = "2026-11-09", **more: Any) -> dict[str, Any]:
    """A table's line of the ledger."""
    given = {"loaded_at": NOW, "last": last, "rows": 5, "quarantined": 1, "last_failure": None}
    return given | more


def line(national: National, **tables: dict[str, Any]) -> dict[str, Any]:
    systems = {feed.table.name: feed.table.system for feed in national.feeds}
    return line_of(national, {(systems[name], name): table for name, table in tables.items()}, NOW)


def test_the_eleven_systems_of_the_country_hold_every_table_once() -> None:
    assert sorted(NATIONAL) == sorted(ELEVEN)
    spoken_for = [feed for national in NATIONAL.values() for feed in national.feeds]
    assert len(spoken_for) == len({f.table.relation for f in spoken_for}) == sum(len(s.feeds) for s in SYSTEMS)
    assert {f.table.relation for f in NATIONAL["idsr"].feeds} >= {"idsr_notifications", "hmis_weekly_values"}
    assert [server.name for server in NATIONAL["crvs"].servers] == ["hmis_tracker"]


def test_ok_when_what_is_due_is_there() -> None:
    names = [feed.table.name for feed in NATIONAL["ebuzima"].feeds]
    found = line(NATIONAL["ebuzima"], **{name: held() for name in names})
    assert (found["state"], found["lag_days"], found["rows"], found["quarantined"]) == ("ok", 0, 25, 5)
    assert (found["cadence"], found["tables"], found["last_load"]) == ("weekly", 5, NOW)


def test_the_worst_table_says_how_far_behind_a_system_is() -> None:
    names = [feed.table.name for feed in NATIONAL["ebuzima"].feeds]
    tables = {name: held() for name in names} | {"newborns": held("2026-10-26")}
    found = line(NATIONAL["ebuzima"], **tables)
    assert (found["state"], found["lag_days"]) == ("behind", 14)


@pytest.mark.parametrize(("last", "lag"), [("2026-10-01", 0), ("2026-09-01", 30)])
def test_months_are_due_some_days_after_they_end(last: str, lag: int) -> None:
    feed = next(f for f in NATIONAL["cemr"].feeds if f.cadence is Cadence.MONTHLY)
    assert lag_days(feed, held(last), NOW) == lag
    assert lag_days(feed, held(last), NOW.replace(day=9)) == max(0, lag - 30), "October is not due on the 9th"


@pytest.mark.parametrize(("age", "lag"), [(1, 0), (2, 0), (5, 3)])
def test_a_registry_is_as_old_as_its_last_load(age: int, lag: int) -> None:
    feed = next(f for f in NATIONAL["hmis"].feeds if f.cadence is Cadence.SNAPSHOT)
    assert lag_days(feed, held(None, loaded_at=NOW - timedelta(days=age)), NOW) == lag


def test_never_partly_and_failed() -> None:
    assert line(NATIONAL["cemr"])["state"] == "never loaded"
    assert line(NATIONAL["cemr"])["lag_days"] is None
    assert line(NATIONAL["cemr"], patients=held("2026-10-01"))["state"] == "partly loaded"
    failed = held("2026-10-01", last_failure="the server is down")
    found = line(NATIONAL["cemr"], patients=failed, community_encounters=held("2026-10-01"))
    assert (found["state"], found["failures"]) == ("FAILED", {"patients": "the server is down"})
    never = held(None, loaded_at=None, rows=None, quarantined=None, last_failure="no such host")
    assert line(NATIONAL["cemr"], patients=never)["state"] == "FAILED"


def test_nothing_is_loaded_and_that_is_no_failure(hic: Hic, own_server: dict[str, str]) -> None:
    done = hic("systems", "--json", **own_server)
    assert done.returncode == 0, done.stderr
    lines = json.loads(done.stdout)
    assert [found["system"] for found in lines] == list(NATIONAL)
    assert {found["state"] for found in lines} == {"never loaded"}
    assert "never loaded" in hic("systems", **own_server).stdout
