"""Late, edited and deleted reports: the sensor asks for exactly the months they touch, and loading heals them."""

from __future__ import annotations

from datetime import date

import dagster as dg
import numpy as np
import pytest
from pg_servers import rows

from fault.country import LOADED, UNLOADED, Country, struck
from hic_assets.extract.errors import ServerFault
from hic_assets.sandbox.world import geography
from hic_assets.sandbox.world.catalogue import MONTHLY
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sensors.aggregate import Cursor, change_sensor, tick
from hic_assets.systems import HMIS
from hic_assets.systems.declare import Cadence

MAY, JUNE = LOADED


class Watch:
    """The sensor with its cursor."""

    def __init__(self, country: Country) -> None:
        self.country, self.cursor = country, Cursor()

    def tick(self) -> list[str]:
        """One tick; the cursor goes through its text, as between two ticks of the daemon."""
        cursor, months = tick(
            HMIS, Cursor.of(self.cursor.text()), self.country.warehouse, self.country.resources["sources"]
        )
        self.cursor = cursor
        return months

    def differing(self) -> list[str]:
        """Loaded months in which the warehouse differs from the source."""
        return [str(m) for m in LOADED if not self.country.held(m).equals(self.country.truth(m))]

    def load(self, months: list[str]) -> None:
        for month in months:
            assert self.country.months(date.fromisoformat(month)).success


@pytest.fixture
def watch(country: Country) -> Watch:
    country.sandbox.world.advance(minutes=5)
    return Watch(country)


def test_nothing_changed_nothing_requested(watch: Watch) -> None:
    assert watch.differing() == [] == watch.tick()


@pytest.mark.parametrize(
    ("version", "change", "month"),
    [
        ("2.38.7", "edit_values", MAY),
        ("2.40.12", "delete_values", JUNE),
        ("2.43.1", "delete_values", MAY),
        ("2.43.1", "edit_values", JUNE),
    ],
)
def test_exactly_the_touched_month_is_requested(watch: Watch, version: str, change: str, month: date) -> None:
    watch.country.sandbox.world.version = version
    getattr(watch.country.sandbox.world, change)(month, 0.001)
    assert watch.differing() == [str(month)] == watch.tick()
    watch.load([str(month)])
    assert watch.differing() == [] == watch.tick()


def test_a_late_report_brings_its_month(watch: Watch) -> None:
    """A facility that had not sent its report sends it now."""
    world = watch.country.sandbox.world
    roster, reports = world.reports(MAY)
    facility, data_set = np.argwhere(reports.expected & (reports.arrived == NEVER))[0]
    world.set_arrival(roster.uids[facility], MONTHLY[data_set], MAY)
    world.advance(hours=3)
    assert watch.differing() == [str(MAY)] == watch.tick()
    watch.load([str(MAY)])
    assert watch.differing() == [] == watch.tick()


def test_time_passes_and_the_warehouse_follows(watch: Watch) -> None:
    """Reports arrive and are edited as they do: at each tick the requested months are those that differ."""
    seen: set[str] = set()
    for days in (2, 5, 9):
        watch.country.sandbox.world.advance(days=days)
        months = watch.tick()
        assert months == watch.differing()
        seen |= set(months)
        watch.load(months)
        assert watch.differing() == []
    assert seen, "some report came late"


def test_a_month_never_loaded_is_not_requested(watch: Watch) -> None:
    watch.country.sandbox.world.edit_values(UNLOADED, 0.01)
    assert watch.tick() == []


def test_a_month_whose_run_failed_stays_owed(watch: Watch) -> None:
    """Even when the server, asked for newer changes only, speaks of it no more."""
    country = watch.country
    country.sandbox.world.edit_values(JUNE, 0.01)
    assert watch.tick() == [str(JUNE)]
    with struck(country, "unavailable", path="/api/dataValueSets"):
        assert not country.months(JUNE).success
    country.sandbox.world.edit_values(UNLOADED, 0.01)
    country.sandbox.world.advance(days=4)
    assert str(JUNE) in watch.tick()
    country.sandbox.requests.clear()
    assert str(JUNE) in watch.tick()
    watch.load(watch.differing())
    assert watch.tick() == []


def test_a_failed_tick_loses_nothing(watch: Watch) -> None:
    watch.country.sandbox.world.edit_values(JUNE, 0.01)
    with struck(watch.country, "unavailable"), pytest.raises(ServerFault):
        watch.tick()
    assert watch.tick() == [str(JUNE)]


def test_a_month_is_released_when_its_unknown_facility_becomes_known(watch: Watch) -> None:
    country, world = watch.country, watch.country.sandbox.world
    sector = next(u.uid for u in geography.tree() if u.level == 5)
    new = world.add_facility("Poste de santé de Kabuga", sector, listed=False)
    # Its report is the newest change of the month, and it is refused: the month must not stay owed for that.
    world.edit_values(JUNE, 1.0, [new])
    assert str(JUNE) in watch.tick()
    watch.load([str(JUNE)])
    waiting = country.quarantine()
    assert waiting["rule"].unique().to_list() == ["unknown_facility"]
    assert waiting["row"].str.contains(new, literal=True).all()
    assert watch.tick() == [], "nothing can be done for these rows yet"

    world.list_facility(new)
    assert watch.tick() == [], "the registry does not know it yet"
    assert country.registries("organisation_units").success
    assert watch.tick() == [str(JUNE)]
    watch.load([str(JUNE)])
    assert country.quarantine().is_empty()
    assert country.held(JUNE).equals(country.truth(JUNE))
    assert watch.tick() == []


def test_a_month_is_released_when_every_unknown_disaggregation_becomes_known(watch: Watch) -> None:
    """Beside rows that are no JSON in quarantine, which the question must step over."""
    country, world = watch.country, watch.country.sandbox.world
    row = country.truth(JUNE).row(0, named=True)
    world.set_value(row["data_element"], row["period"], row["org_unit"], "5", "newCombo001")
    with struck(country, "ragged_rows", rows=1):
        watch.load(watch.tick())
    assert set(country.quarantine()["rule"]) == {"ragged", "unknown_category_option_combo"}
    assert watch.tick() == []
    # The sandbox cannot add one, so the registry learns it here.
    rows(
        country.warehouse,
        """insert into raw.hmis_category_option_combos (id, _load_id)
           select 'newCombo001', max(load_id) + 1 from ops.load""",
    )
    rows(
        country.warehouse,
        "update raw.hmis_category_option_combos set _load_id = (select max(load_id) + 1 from ops.load)",
    )
    assert watch.tick() == [str(JUNE)]
    watch.load([str(JUNE)])
    assert country.quarantine().is_empty()
    assert country.held(JUNE).equals(country.truth(JUNE))


def test_the_sensor_requests_ranges_and_keeps_its_cursor(watch: Watch) -> None:
    country = watch.country
    for month in LOADED:
        country.sandbox.world.edit_values(month, 0.01)
    sensor = change_sensor(HMIS, Cadence.MONTHLY)
    with dg.build_sensor_context(instance=country.instance, resources=country.resources) as context:
        result = sensor(context)
    assert isinstance(result, dg.SensorResult) and result.run_requests
    [request] = result.run_requests
    assert request.tags["dagster/asset_partition_range_start"] == str(MAY)
    assert request.tags["dagster/asset_partition_range_end"] == str(JUNE)
    assert set(Cursor.of(result.cursor).owed) == {str(MAY), str(JUNE)}
    with (
        struck(country, "unavailable"),
        dg.build_sensor_context(instance=country.instance, resources=country.resources, cursor=result.cursor) as again,
    ):
        skipped = sensor(again)
    assert isinstance(skipped, dg.SkipReason) and skipped.skip_message
    assert "HTTP 503" in skipped.skip_message and country.sandbox.password not in skipped.skip_message
