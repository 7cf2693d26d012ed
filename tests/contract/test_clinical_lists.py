"""The lists of codes and places that the REST systems give whole: every row, as the contract writes it, in a snapshot.

Over HTTP against the sandbox, beside what plain requests are told.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from clinical_country import TODAY, ByHand, Rest, sources

from hic_assets.assets.readers import open_session, open_source
from hic_assets.extract.batches import BatchStream
from hic_assets.jobs import jobs_of
from hic_assets.landing.errors import PartitionShrank
from hic_assets.landing.land import LoadResult, land
from hic_assets.landing.ledger import Partition
from hic_assets.landing.table import Layout
from hic_assets.prepare import prepare
from hic_assets.sandbox import Sandbox, World, running_sandbox
from hic_assets.schedules import read_in_turn, schedules
from hic_assets.systems import SYSTEMS
from hic_assets.systems.declare import Cadence, Feed, System
from hic_assets.warehouse import Warehouse

REST = {system.name: system for system in SYSTEMS if system.api}
# System, table, path, member of the rows, and the members of the contract in the order of the columns.
LISTS = [
    ("efiche", "diagnosis_codes", "code-lists/diagnoses", "data",
     "code label_fr label_en reference_system reference_code"),
    ("efiche", "lab_test_codes", "code-lists/lab-tests", "data", "code label_fr label_en result_type unit loinc_code"),
    ("efiche", "product_codes", "code-lists/products", "data", "code label unit"),
    ("hpemr", "facilities", "facilities", "items", "id name district sector fosaCode"),
    ("hpemr", "diagnosis_codes", "diagnoses", "items", "code displayEn displayRw referenceSystem referenceCode"),
    ("hpemr", "product_codes", "products", "items", "code display unit"),
    ("idsr", "diseases", "diseases", "data", "code nameEn nameFr reporting icd10"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(world=World(scale=0.01, today=TODAY)) as running:
        yield running


@pytest.fixture(scope="module")
def opened(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Rest:
    return sources(sandbox, tmp_path_factory.mktemp("spool"))


def load(system: System, feed: Feed, warehouse: Warehouse, opened: Rest) -> LoadResult:
    """Land a list as the asset does."""
    with open_session(system, warehouse, opened) as session:
        source = open_source(system, feed, Partition(), session, warehouse, opened)
        return land(warehouse, feed.table, Partition(), source.batches, source=source.url)


def test_every_list_is_a_snapshot_that_is_never_empty() -> None:
    feeds = [feed for system in REST.values() for feed in system.feeds if feed.resource and feed.resource.is_whole]
    assert [(feed.table.system, feed.table.name) for feed in feeds] == [(s, name) for s, name, *_ in LISTS]
    for feed in feeds:
        assert (feed.cadence, feed.table.layout, feed.table.may_empty) == (Cadence.SNAPSHOT, Layout.SNAPSHOT, False)
        assert feed.table.deleted_column is None


@pytest.mark.parametrize(("name", "table", "path", "rows", "members"), LISTS, ids=lambda value: str(value).split()[0])
def test_a_list_lands_whole_and_twice_the_same(
    name: str, table: str, path: str, rows: str, members: str, sandbox: Sandbox, opened: Rest, warehouse: Warehouse
) -> None:
    with warehouse.connect(autocommit=True) as connection:
        prepare(connection)
    feed = REST[name].feed(table)
    by_hand = ByHand(sandbox).whole(name, f"api/v1/{path}")[rows]
    real = sorted(str([record[member] for member in members.split()]) for record in by_hand)
    assert len(real) > 1
    first, second = (load(REST[name], feed, warehouse, opened) for _ in range(2))
    assert (first.counts.landed, first.counts.quarantined) == (len(real), 0)
    assert (first.unchanged, second.unchanged) == (False, True)
    columns = ", ".join(feed.table.column_names)
    with warehouse.connect() as connection:
        held = connection.execute(f"select {columns} from raw.{feed.table.relation}".encode()).fetchall()
    assert sorted(str(list(row)) for row in held) == real


def test_an_emptied_list_is_refused_and_the_old_one_stays(sandbox: Sandbox, opened: Rest, warehouse: Warehouse) -> None:
    with warehouse.connect(autocommit=True) as connection:
        prepare(connection)
    feed = REST["idsr"].feed("diseases")
    landed = load(REST["idsr"], feed, warehouse, opened).counts.landed
    nothing = BatchStream("idsr diseases", feed.table.column_names, lambda _: iter(()))
    with pytest.raises(PartitionShrank):
        land(warehouse, feed.table, Partition(), nothing)
    with warehouse.connect() as connection:
        assert connection.execute("select count(*) from raw.idsr_diseases").fetchone() == (landed,)


def test_lists_are_read_by_the_reference_job_and_never_in_turn() -> None:
    hpemr = REST["hpemr"]
    assert [schedule.name for schedule in schedules(hpemr)] == [
        "hpemr_reference",
        "hpemr_monthly",
        "hpemr_reconciliation",
    ]
    assert [feed.table.name for feed in read_in_turn(hpemr)] == ["encounters"]
    jobs = {job.name for job in jobs_of(SYSTEMS)}
    assert {"hpemr_reference", "efiche_reference", "idsr_reference", "all_reference"} <= jobs
    # Those without lists have dimensions and staging views to be built all the same, before their first week or month.
    assert {"ebuzima_reference", "cemr_reference"} <= jobs
