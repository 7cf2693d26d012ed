"""hic run as each of the roles, and the command."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from pydantic import SecretStr
from roles_world import PASSWORD, World, roles_on

from hic_assets.cli import cli
from hic_assets.extract.batches import Batch, BatchStream
from hic_assets.identity.ddl import hold_to_key
from hic_assets.landing.land import land
from hic_assets.landing.ledger import Partition
from hic_assets.landing.table import Column, Layout, Table
from hic_assets.prepare import prepare
from hic_assets.settings import Settings
from hic_assets.warehouse import Warehouse, WarehouseError, open_warehouse
from hic_assets.warehouse.grants import grant_reading_if_used

TABLE = Table("cemr", "visits", "Visits.", (Column("id", "Key.", key=True), Column("name", "Name.")), Layout.NATIVE)


def named(names: list[str]) -> BatchStream:
    frame = pl.DataFrame({"id": names, "name": names})
    return BatchStream("visits", ("id", "name"), lambda _: iter([Batch(frame, "all")]))


def test_the_loader_lands_and_sees_no_mart(world: World) -> None:
    url = SecretStr(world.of("loader").url)
    opened = open_warehouse(Settings(warehouse_url=url, dagster_url=SecretStr(world.warehouse.url)))
    with opened.connect(autocommit=True) as connection:
        prepare(connection)
    month = Partition("2024-01", date(2024, 1, 1), date(2024, 2, 1))
    for names in (["a", "b"], ["c"]):
        result = land(opened, TABLE, month, named(names), accept_shrink=True)
        assert result.counts.landed == len(names)
    # What another login landed is replaced, too: by the pipeline, and by the loader again.
    for login, names in (("pipeline", ["d"]), ("loader", ["e"])):
        land(world.of(login), TABLE, month, named(names))
    assert world.ask("transformer", "select name from raw.cemr_visits") == [("e",)]
    for relation in ("dwh.fct_visit", "reporting.rpt_visits", "identity.person", "staging.stg_cemr__patients"):
        world.refused("loader", f"select * from {relation}")
    world.refused("loader", "insert into access.user_district (login, district) values ('x', '101')")
    world.refused("loader", f"set role {world.roles.transformer}")


def test_the_transformer_builds_and_writes_nothing_raw(world: World) -> None:
    url = SecretStr(world.of("transformer").url)
    opened = open_warehouse(Settings(warehouse_url=url, dagster_url=SecretStr(world.warehouse.url)))
    with opened.connect(autocommit=True) as connection:
        prepare(connection)
        hold_to_key(connection, b"k" * 40)
        connection.execute("select count(*) from staging.stg_cemr__patients")
        connection.execute(
            "create or replace view reporting.rpt_units as select org_unit_uid, name from dwh.fct_moved, intermediate.int_org_unit"
        )
        connection.execute("create table dwh.fct_more (district_code text); drop table dwh.fct_moved cascade")
        grant_reading_if_used(connection)
        made = connection.execute("select tableowner from pg_tables where tablename = 'fct_more'").fetchone()
        assert made == (world.roles.transformer,)
    for relation in ("raw.cemr_patients", "ops.load", "access.user_district", "access.role_set"):
        world.refused("transformer", f"delete from {relation}")
    world.refused("transformer", "drop table raw.cemr_patients")
    assert world.ask("district", "select * from dwh.fct_more") == []


def test_a_reader_cannot_open_the_warehouse_for_work(world: World) -> None:
    url = SecretStr(world.of("analyst").url)
    with pytest.raises(WarehouseError, match="may not create schemas"):
        open_warehouse(Settings(warehouse_url=url, dagster_url=url))


# The command


def test_the_command(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HIC_HOME", str(tmp_path))
    monkeypatch.setenv("HIC_WAREHOUSE_URL", warehouse.url)
    with roles_on(warehouse) as world:

        def run(*words: str) -> str:
            result = CliRunner().invoke(cli, ["roles", *words], catch_exceptions=False)
            assert result.exit_code == 0, result.output
            assert PASSWORD not in result.output and warehouse.params["password"] not in result.output
            return result.output

        assert world.roles.analyst in run("apply", "--prefix", world.roles.prefix)
        assert json.loads(run("apply", "--json")) == {"roles": list(world.roles.names), "changed": []}
        assert "no password yet" in run("add-user", world.login("ann"), "--role", "analyst")
        assert json.loads(run("add-user", world.login("ann"), "--role", "loader", "--json"))["created"] is False
        shown = json.loads(run("show", "--json"))
        assert shown["logins"] == [{"name": world.login("ann"), "role": "loader", "districts": []}]
        relations = [(r["relation"], r["analyst"], r["district"]) for r in shown["relations"]]
        made = ("dwh.fct_idsr_alert", "dwh.fct_quality_disruption", "ops.idsr_alert_fired")
        assert relations == [(name, True, True) for name in made]
        assert "own rows, by district_code" in " ".join(run("show").split())
        run("remove-user", world.login("ann"))
        assert json.loads(run("show", "--json"))["logins"] == []
