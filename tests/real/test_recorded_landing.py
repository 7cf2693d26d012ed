"""Recorded responses landed by the declared tables: what may in, what is refused, and why."""

from __future__ import annotations

import pytest
from pg_servers import rows
from recorded_server import Recorded

from hic_assets.assets.readers import open_source
from hic_assets.extract.batches import BatchSource
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.completeness import completeness
from hic_assets.extract.dhis2.data_values import data_values
from hic_assets.extract.dhis2.metadata import metadata
from hic_assets.landing.ddl import create_ops, create_raw_table
from hic_assets.landing.errors import MetadataMissing, TooManyQuarantined
from hic_assets.landing.land import LoadResult, land
from hic_assets.landing.ledger import Partition
from hic_assets.partitions import month_partition
from hic_assets.systems import HMIS
from hic_assets.warehouse import Warehouse

pytestmark = pytest.mark.real

ROOT = {"organisationUnits": [{"id": "ImspTQPwCqd", "name": "Sierra Leone", "level": 1}]}
VALUE_ELEMENTS = ("Ix2HsbDMLea", "eY5ehpbEsB7", "f7n9E0hX8qk", "FTRrcoaog83")


@pytest.fixture
def registries(recorded: Recorded, client: Dhis2Client, warehouse: Warehouse) -> Warehouse:
    """Units, data elements, option combos and data sets as recorded, landed."""
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
    for resource, file, name in (
        ("organisationUnits", "organisationUnits_big_v40", "organisation_units"),
        ("dataElements", "dataElements_datim_v33api", "data_elements"),
        ("categoryOptionCombos", "categoryOptionCombos_datim_v33api", "category_option_combos"),
        ("dataSets", "dataSets_datim_v33api", "data_sets"),
    ):
        recorded.file(f"/api/{resource}", f"{file}.json")
        loaded = load(warehouse, name, metadata(client, name))
        assert (loaded.counts.quarantined, loaded.counts.landed) == (0, loaded.counts.read)
    recorded.body("/api/organisationUnits", ROOT)
    return warehouse


def load(warehouse: Warehouse, name: str, source: BatchSource, month: str | None = None) -> LoadResult:
    partition = month_partition(f"{month[:4]}-{month[4:]}-01") if month else Partition()
    periods = frozenset({month} if month else ())
    return land(warehouse, HMIS.feed(name).table, partition, source, periods=periods)


def know(warehouse: Warehouse, table: str, *ids: str) -> None:
    """Put ids into a registry that the recordings come without: they are of several servers."""
    for uid in ids:
        rows(warehouse, f"insert into raw.hmis_{table} (id, _load_id) values (%s, 0)", (uid,))


def refusals(warehouse: Warehouse, load_id: int) -> dict[str, int]:
    found = rows(warehouse, "select rule, count(*)::int from ops.quarantine where load_id = %s group by 1", (load_id,))
    return dict(found)


def test_a_report_of_a_form_that_is_not_known_is_kept_apart(
    recorded: Recorded, client: Dhis2Client, registries: Warehouse
) -> None:
    """Two servers' recordings: the values speak of data elements that the other server has not."""
    recorded.file("/api/dataValueSets", "dataValueSets_single_dataset_period_orgunit_v40.json")
    source = data_values(client, ["pBOMPrpg1QX"], ["202201"], split_level=1)
    loaded = load(registries, "data_values", source, "202201")
    assert refusals(registries, loaded.load_id) == {"unknown_data_element": 4}

    know(registries, "data_elements", *VALUE_ELEMENTS)
    know(registries, "category_option_combos", "HllvX50cXC0")
    loaded = load(registries, "data_values", source, "202201")
    assert (loaded.counts.landed, loaded.counts.quarantined) == (4, 0)
    landed = rows(
        registries,
        "select value, _source_updated_at::text from raw.hmis_data_values where data_element = 'FTRrcoaog83'",
    )
    assert [(value, moment[:19]) for value, moment in landed] == [("12", "2014-03-02 22:45:05")]


def test_a_week_is_no_month(recorded: Recorded, client: Dhis2Client, registries: Warehouse) -> None:
    recorded.file("/api/dataValueSets", "dataValueSets_weekly.json")
    know(registries, "data_elements", "g9eOBujte1U")
    know(registries, "category_option_combos", "Gmbgme7z9BF")
    loaded = load(registries, "data_values", data_values(client, ["x"], ["201910"], split_level=1), "201910")
    assert refusals(registries, loaded.load_id) == {"period_outside_partition": 1}


def test_an_impossible_period_is_kept_apart(recorded: Recorded, client: Dhis2Client, registries: Warehouse) -> None:
    recorded.file("/api/completeDataSetRegistrations", "completeDataSetRegistrations.json")
    know(registries, "data_sets", "lyLU2wR22tC")
    know(registries, "category_option_combos", "bRowv6yZOF2")
    source = completeness(client, ["lyLU2wR22tC"], ["201906"], split_level=1)
    loaded = load(registries, "complete_registrations", source, "201906")
    assert (loaded.counts.read, loaded.counts.landed) == (4, 1)
    assert refusals(registries, loaded.load_id) == {"impossible_period": 1, "period_outside_partition": 2}


def test_options_without_ids_are_refused_as_a_whole(
    recorded: Recorded, client: Dhis2Client, registries: Warehouse
) -> None:
    with pytest.raises(TooManyQuarantined, match="126 of 126 rows"):
        load(registries, "category_option_combo_options", metadata(client, "category_option_combo_options"))


def test_a_server_without_yearly_forms_is_no_error_but_without_monthly_ones_is(
    client: Dhis2Client, registries: Warehouse
) -> None:
    opened = open_source(HMIS, HMIS.feed("yearly_values"), Partition(), client, registries, 1)
    assert load(registries, "yearly_values", opened.batches).counts.read == 0
    with pytest.raises(MetadataMissing, match="names no Monthly data set"):
        open_source(HMIS, HMIS.feed("data_values"), month_partition("2022-01-01"), client, registries, 1)


def test_without_any_form_yearly_values_are_an_error_too(client: Dhis2Client, warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        create_raw_table(connection, HMIS.feed("data_sets").table)
    with pytest.raises(MetadataMissing, match="names no Yearly data set"):
        open_source(HMIS, HMIS.feed("yearly_values"), Partition(), client, warehouse, 1)
