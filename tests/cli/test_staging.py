"""`hic staging` from outside: what it writes, and what it says when the registries ask for something else now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hic_command import Hic
from psycopg import sql
from tracker_forms import registries_of

from hic_assets.prepare import prepare
from hic_assets.staging.registries import registry_tables
from hic_assets.systems import SYSTEMS
from hic_assets.warehouse import Warehouse

TRACKERS = [system for system in SYSTEMS if system.programmes]
EVENTS = "staging/hiv_tracker/stg_hiv__events.sql"


@pytest.fixture
def landed(warehouse: Warehouse) -> dict[str, str]:
    """Variables of a warehouse in which the sandbox's registries are landed."""
    with warehouse.connect() as connection:
        prepare(connection)
        for system in TRACKERS:
            rows = registries_of(system.name)
            for table in registry_tables(system):
                names = sql.SQL(", ").join(map(sql.Identifier, table.column_names))
                copy = sql.SQL("copy {} ({}, _load_id) from stdin").format(sql.Identifier("raw", table.relation), names)
                with connection.cursor().copy(copy) as into:
                    for row in rows[table.name]:
                        into.write_row([*(row.get(name) for name in table.column_names), 1])
    return {"HIC_WAREHOUSE_URL": warehouse.url, "HIC_DAGSTER_URL": warehouse.url}


def test_it_writes_once_and_says_when_a_programme_asks_for_more(
    hic: Hic, landed: dict[str, str], warehouse: Warehouse, tmp_path: Path
) -> None:
    arguments = ("staging", "--project", str(tmp_path))
    assert hic(*arguments, "--check", **landed).returncode == 1 and not (tmp_path / "models").exists()
    done = hic(*arguments, "--json", **landed)
    assert done.returncode == 0, done.stderr
    written = json.loads(done.stdout)
    assert written["written"] and {change["what"] for change in written["changes"]} == {"new"}
    assert (tmp_path / "models" / EVENTS).is_file() and len(written["changes"]) > 60
    done = hic(*arguments, "--check", **landed)
    assert (done.returncode, done.stdout) == (0, "The staging models are what the registries and declarations say.\n")

    with warehouse.connect() as connection:
        connection.execute(
            "insert into raw.hiv_tracker_program_stage_data_elements"
            " (program_stage, data_element, program, code, value_type, sort_order, _load_id)"
            " values ('HivStgVis01', 'DeNewField1', 'HivPrgRw001', 'BRAND_NEW', 'DATE', '1', 2)"
        )
        connection.execute("update raw.hiv_tracker_program_stages set name = 'Seen' where id = 'HivStgVis01'")
    done = hic(*arguments, "--check", "--json", **landed)
    assert done.returncode == 1
    changes = {change["file"]: change for change in json.loads(done.stdout)["changes"]}
    assert set(changes) == {EVENTS, "staging/hiv_tracker/_hiv.yml"}
    assert changes[EVENTS]["columns added"] == "brand_new" and changes[EVENTS]["columns removed"] == ""
    assert hic(*arguments, "--check", "--system", "cancer_registry", **landed).returncode == 0
    assert "brand_new" in hic(*arguments, "--system", "hiv_tracker", **landed).stdout
    assert hic(*arguments, "--check", **landed).returncode == 0


def test_what_is_missing_is_said_and_nothing_is_written(
    hic: Hic, landed: dict[str, str], warehouse: Warehouse, tmp_path: Path
) -> None:
    arguments = ("staging", "--project", str(tmp_path))
    done = hic(*arguments, "--system", "hmis", **landed)
    assert done.returncode == 2 and "no tracker is called hmis; there are hmis_tracker, hiv_tracker" in done.stderr
    with warehouse.connect() as connection:
        connection.execute("delete from raw.hmis_tracker_programs where id = 'TbPrgRw0001'")
    done = hic(*arguments, **landed)
    assert done.returncode == 1
    assert "hmis_tracker: programme tb (TbPrgRw0001) is not in the registry 'programs': load the" in done.stderr
    assert "(job hmis_tracker_reference), or check the UID" in done.stderr
    with warehouse.connect() as connection:
        connection.execute("truncate raw.hiv_tracker_programs")
    done = hic(*arguments, "--system", "hiv_tracker", **landed)
    assert done.returncode == 3
    assert "load the registries of HIV Tracker first (job hiv_tracker_reference)" in done.stderr
    assert not (tmp_path / "models").exists()
