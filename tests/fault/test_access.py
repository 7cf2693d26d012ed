"""Who is spoken to, in which dialect, and within which bounds."""

from __future__ import annotations

from datetime import date

import pytest
from pg_servers import rows

from fault.country import LOADED, MONTHLY, REGISTRATIONS, UNLOADED, Country, struck
from hic_assets.extract.auth import BasicAuth, TokenAuth
from hic_assets.sandbox.server.dialect import VERSIONS
from hic_assets.systems import HMIS
from hic_assets.systems.declare import Cadence

DATA = "/api/dataValueSets"
WRONG = "wrong-Secret-77"


@pytest.mark.parametrize("job", ["data_values", MONTHLY])
def test_wrong_credentials_are_tried_once(country: Country, month: date, job: str) -> None:
    """Neither another asset of the run nor its retry tries them again: that would lock the account."""
    country.auth = BasicAuth("hic_reader", WRONG)
    before = country.held(month)
    run = country.months(*LOADED, job=job)
    assert len(country.sandbox.requests) == 1
    country.assert_failed(run, month, "the credentials were refused", "HTTP 401", "Check the credentials")
    assert country.held(month).equals(before)


def test_wrong_credentials_are_tried_once_by_all_registries_together(country: Country) -> None:
    country.auth = TokenAuth(WRONG)
    run = country.registries()
    assert len(country.sandbox.requests) == 1
    failed = [load for table in ("organisation_units", "data_sets") for load in country.loads(None, table)[1:]]
    assert [load["status"] for load in failed] == ["failed", "failed"]
    assert "the credentials were refused" in run.failure
    country.assert_tidy(run)


def test_a_token_is_as_good_as_a_password(country: Country, month: date) -> None:
    country.auth = TokenAuth(country.sandbox.token)
    country.sandbox.world.edit_values(month, 0.05)
    run = country.months(month)
    assert run.success
    assert country.held(month).equals(country.truth(month))
    country.assert_tidy(run)


def test_another_server_at_the_address_stops_everything_before_landing(country: Country, month: date) -> None:
    country.sandbox.world.edit_values(month, 0.05)
    before = country.held(month)
    with struck(country, "wrong_system_id"):
        run = country.months(*LOADED, job=MONTHLY)
    assert {request.path.rpartition("/api/")[2] for request in country.sandbox.requests} == {"system/info"}
    country.assert_failed(run, month, "the system id is", "land it under a new system")
    assert country.held(month).equals(before)


@pytest.mark.parametrize("version", ["2.37.9.1", "2.36.0"])
def test_a_server_that_is_too_old_is_refused(country: Country, month: date, version: str) -> None:
    before = country.held(month)
    country.sandbox.world.version = version
    run = country.months(month)
    country.assert_failed(run, month, f"DHIS2 {version} is older than 2.38", "Upgrade the server.")
    assert len(country.sandbox.requests) == 1, "a permanent failure is not retried"
    assert country.held(month).equals(before)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_dialect_loads_the_same_month(country: Country, version: str) -> None:
    country.sandbox.world.version = version
    run = country.months(UNLOADED, job=MONTHLY)
    assert run.success, run.failure
    assert country.held(UNLOADED).equals(country.truth(UNLOADED))
    assert country.held(UNLOADED, REGISTRATIONS).equals(country.truth(UNLOADED, REGISTRATIONS))
    assert country.truth(UNLOADED).height > 10_000


def test_dialects_have_one_version_each_from_38_to_43() -> None:
    assert [version.split(".")[1] for version in VERSIONS] == ["38", "39", "40", "41", "42", "43"]


def test_registries_are_the_same_in_the_newest_dialect(country: Country) -> None:
    country.sandbox.world.version = VERSIONS[-1]
    run = country.registries()
    assert run.success
    for feed in HMIS.by_cadence(Cadence.SNAPSHOT):
        assert run.materialised(feed.table.name)[None]["unchanged"], feed.table.name


def test_a_server_that_hangs_ends_within_bounded_requests(country: Country, month: date) -> None:
    """Each request is cut off at the read timeout, halved until nothing is left to halve, and then it is over."""
    before = country.held(month)
    country.limit(read_timeout=0.15)
    with struck(country, "slow", seconds=60, path=DATA):
        run = country.months(month)
    country.assert_failed(run, month, "no reply within 0.15 s", "raise the timeout")
    asked = [r for r in country.sandbox.requests if DATA in r.path]
    # Two runs of the step; four requests at once; seven halvings of 2 attempts each of the first slice.
    assert len(asked) <= 2 * (3 * 2 + 8 * 4 * 2)
    assert country.held(month).equals(before)


def test_a_body_that_trickles_forever_ends_at_its_budget(country: Country, month: date) -> None:
    """Bytes keep coming, so the read timeout never strikes; the budget of the whole reply does."""
    before = country.held(month)
    country.limit(read_timeout=5, attempt_seconds=0.05)
    with struck(country, "slow", seconds=0.5, trickle=5, path=DATA):
        run = country.months(month)
    country.assert_failed(run, month, "the reply took longer than 0.05 s", "raise the timeout")
    assert country.held(month).equals(before)


def test_a_body_over_the_cap_is_asked_for_in_pieces(country: Country, month: date) -> None:
    country.sandbox.world.edit_values(month, 0.05)
    largest = max(
        size for (size,) in rows(country.warehouse, "select bytes from ops.load_slice where slice like '%202506%'")
    )
    country.limit(max_bytes=int(0.97 * largest))
    run = country.months(month)
    assert run.success, run.failure
    whole = 1 + 1 + 31  # who it is, the tree, the units above the districts and each district
    assert len(country.sandbox.requests) > whole, "districts were divided"
    assert country.held(month).equals(country.truth(month))


def test_a_body_over_the_cap_that_cannot_be_divided_ends_clearly(country: Country, month: date) -> None:
    before = country.held(month)
    country.limit(max_bytes=8_000)
    run = country.months(month)
    country.assert_failed(run, month, "larger than the cap of 8,000 bytes", "raise the cap", country.sandbox.url)
    assert country.held(month).equals(before)
