"""The `hic` command from outside: help, JSON, exit codes, and what it says when something is missing."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hic_command import Hic
from pg_servers import rows

from hic_assets.cli import COMMANDS, cli, main
from hic_assets.cli.errors import CommandError, explain
from hic_assets.cli.quarantine import Known, relation_of
from hic_assets.parity.ddl import create_parity
from hic_assets.sandbox import running_sandbox
from hic_assets.systems import SYSTEMS
from hic_assets.warehouse import Warehouse

NOBODY = "postgresql://clerk:Very-Secret-1@127.0.0.1:9/hic"


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_every_command_says_what_it_is_for(command: str | None) -> None:
    done = CliRunner().invoke(cli, [command, "--help"] if command else ["--help"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Usage:")
    documented = [line for line in done.output.splitlines()[1:] if line.strip()]
    assert len(documented[0].split()) > 4
    if command is None:
        assert all(f"\n  {name} " in done.output for name in COMMANDS)


def test_wrong_usage_is_2(hic: Hic) -> None:
    done = hic("demo", "--months", "twelve")
    assert done.returncode == 2
    assert "'twelve' is not a valid integer" in done.stderr
    assert hic("no-such-command").returncode == 2


LOOKING = [["systems"], ["systems", "--json"], ["status"], ["status", "--json"], ["quarantine"], ["parity"]]


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
def test_commands_that_only_look_say_that_postgresql_is_down_and_are_3(hic: Hic, command: list[str]) -> None:
    """Never as if nothing had been loaded, which is another thing."""
    done = hic(*command)
    assert done.returncode == 3
    assert "the embedded PostgreSQL is not running: 'hic demo' or 'hic dev' starts it." in done.stderr
    assert "never loaded" not in done.stdout


@pytest.mark.parametrize(
    "command",
    [["systems"], ["parity"], ["status", "--json"], ["quarantine"], ["demo"], ["dev", "--port", "0"], ["psql"]],
)
def test_a_warehouse_that_does_not_answer_is_3_and_one_clear_message(hic: Hic, command: list[str]) -> None:
    done = hic(*command, HIC_WAREHOUSE_URL=NOBODY)
    assert done.returncode == 3
    said = done.stdout + done.stderr
    assert "cannot connect to the warehouse at postgresql://clerk@127.0.0.1:9/hic" in said
    assert "is it running, is the address right" in said
    assert "Secret" not in said
    assert "Traceback" not in said


def test_a_warehouse_url_that_is_none_is_3(hic: Hic) -> None:
    done = hic("status", HIC_WAREHOUSE_URL="clerk:Very-Secret-1")
    assert done.returncode == 3
    assert "HIC_WAREHOUSE_URL is not a PostgreSQL URL" in done.stderr
    assert "Secret" not in done.stderr


def test_a_port_that_is_taken_is_3(hic: Hic) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = hic("dev", "--port", str(port))
    assert done.returncode == 3
    assert f"port {port} on 127.0.0.1 is taken" in done.stderr
    assert "--port" in done.stderr


def test_a_server_without_credentials_is_3_before_anything_is_loaded(hic: Hic, own_server: dict[str, str]) -> None:
    done = hic("demo", HIC_HMIS_URL="https://hmis.example.org", HIC_HMIS_USERNAME="reader", **own_server)
    assert done.returncode == 3, done.stderr
    assert "set HIC_HMIS_TOKEN, or HIC_HMIS_USERNAME and HIC_HMIS_PASSWORD" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_home_that_cannot_be_written_is_3(hic: Hic, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    done = hic("demo", HIC_HOME=str(file / "home"))
    assert done.returncode == 3
    assert str(file) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_told_in_words() -> None:
    import errno

    import psycopg

    full = OSError(errno.ENOSPC, "No space left on device", "/data/spool/body")
    assert explain(full) == (
        "the disk is full (/data/spool/body): free some space, or set HIC_HOME to a folder on another disk."
    )
    words = explain(psycopg.errors.DiskFull("could not extend file"))
    assert words == "the disk of the PostgreSQL server is full: could not extend file"


def test_the_exit_code_of_a_command_error_is_its_own() -> None:
    assert CommandError("x").exit_code == 3
    assert CommandError("x", exit_code=1).exit_code == 1


class TestStatus:
    def test_nothing_is_started_to_look(self, hic: Hic, tmp_path: Path) -> None:
        done = hic("status", "--json")
        assert done.returncode == 3
        assert json.loads(done.stdout) == {"warehouse": None, "systems": [s.name for s in SYSTEMS], "tables": []}
        assert not (tmp_path / "postgres").exists()
        assert "the embedded PostgreSQL is not running: 'hic demo' or 'hic dev' starts it" in done.stderr
        plain = hic("status")
        assert (plain.returncode, plain.stdout) == (3, "")

    def test_nothing_is_loaded_yet(self, hic: Hic, own_server: dict[str, str]) -> None:
        done = hic("status", **own_server)
        assert done.returncode == 0
        assert "Nothing is loaded" in done.stdout

    def test_what_is_loaded_and_what_failed(self, hic: Hic, own_server: dict[str, str], warehouse: Warehouse) -> None:
        fill(warehouse)
        done = hic("status", "--json", **own_server)
        assert done.returncode == 0, done.stderr
        (table,) = json.loads(done.stdout)["tables"]
        assert table.items() >= {
            "system": "hmis", "table": "data_values", "partitions": 2, "first": "2024-01-01", "last": "2024-02-01",
            "rows": 20, "quarantined": 2, "running": 0, "last_failure": None,
        }.items()  # fmt: skip
        assert set(table) == {
            "system", "table", "relation", "partitions", "first", "last", "rows", "quarantined", "loaded_at",
            "source_watermark", "running", "last_failure",
        }  # fmt: skip
        rows(
            warehouse,
            """insert into ops.load (system, table_name, partition_key, status, error)
               values ('hmis', 'data_values', '2024-02-01', 'failed', 'the server is down')""",
        )
        failed = hic("status", **own_server)
        assert failed.returncode == 1
        assert "hmis data_values: the latest load failed: the server is down" in failed.stdout
        assert warehouse.params["password"] not in failed.stdout


class TestQuarantine:
    def test_rows_by_table_partition_and_rule(self, hic: Hic, own_server: dict[str, str], warehouse: Warehouse) -> None:
        assert json.loads(hic("quarantine", "--json", **own_server).stdout) == []
        fill(warehouse)
        found = json.loads(hic("quarantine", "--json", **own_server).stdout)
        expected = {
            "system": "hmis",
            "table": "data_values",
            "rule": "unknown_facility",
            "rows": 1,
            "for_example": "f9",
        }
        assert found == [expected | {"partition": m} for m in ("2024-01-01", "2024-02-01")]
        assert json.loads(hic("quarantine", "--json", "--table", "constants", **own_server).stdout) == []
        for name in ("data_values", "raw.hmis_data_values"):
            of_one = hic("quarantine", "--json", "--table", name, **own_server)
            assert json.loads(of_one.stdout) == found, name
        shown = hic("quarantine", **own_server).stdout
        assert "system" in shown and "hmis" in shown and "unknown_facility" in shown
        empty = hic("quarantine", "--table", "constants", **own_server)
        assert (empty.returncode, empty.stdout) == (0, "Nothing is in quarantine of raw.hmis_constants.\n")

    def test_a_table_that_is_not_there_is_2_with_the_close_ones(self, hic: Hic, own_server: dict[str, str]) -> None:
        done = hic("quarantine", "--table", "raw.hmis_data_vlaues", **own_server)
        assert done.returncode == 2
        assert "there is no table 'raw.hmis_data_vlaues': did you mean hmis_data_values" in done.stderr

    def test_names_of_one_and_of_several(self) -> None:
        known = [Known("events", "tb_events"), Known("events", "hiv_events"), Known("constants", "hmis_constants")]
        assert relation_of("constants", known) == relation_of("raw.hmis_constants", known) == "hmis_constants"
        assert relation_of("TB_events", known) == relation_of("raw/tb_events", known) == "tb_events"
        with pytest.raises(click.BadParameter, match=r"name of 2 tables: raw\.hiv_events, raw\.tb_events\."):
            relation_of("events", known)
        with pytest.raises(click.BadParameter, match="'hic status' lists"):
            relation_of("xyzzy", known)


class TestARoleWithoutGrants:
    """An analyst who may connect, and was given nothing."""

    @pytest.fixture
    def analyst(self, warehouse: Warehouse, own_server: dict[str, str]) -> Iterator[dict[str, str]]:
        role = f"analyst_{uuid.uuid4().hex[:8]}"
        with warehouse.connect(autocommit=True) as connection:
            create_parity(connection, SYSTEMS)
            connection.execute(f"create role {role} login password 'Very-Secret-1'".encode())
            try:
                theirs = Warehouse({**warehouse.params, "user": role, "password": "Very-Secret-1"})
                yield {"HIC_WAREHOUSE_URL": theirs.url, "role": role}
            finally:
                connection.execute(f"drop role {role}".encode())

    @pytest.mark.parametrize(
        "command", [["status"], ["quarantine"], ["parity"], ["systems"], ["cutover", "tb", "--by", "me"]]
    )
    def test_is_told_what_to_ask_for(
        self,
        analyst: dict[str, str],
        command: list[str],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("HIC_WAREHOUSE_URL", analyst["HIC_WAREHOUSE_URL"])
        monkeypatch.setattr("sys.argv", ["hic", *command])
        monkeypatch.setattr("signal.signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 3
        out, err = capsys.readouterr()
        (line,) = err.strip().splitlines()
        assert f'PostgreSQL does not let the role "{analyst["role"]}" do this (permission denied for' in line
        assert f'the role "{analyst["role"]}"' in line and "grant " not in line and "hic psql" in line
        assert "Secret" not in line and out == ""


class TestPsql:
    def test_a_query(self, hic: Hic, own_server: dict[str, str], warehouse: Warehouse) -> None:
        done = hic("psql", "-XAt", "-c", "select current_database(), 1", **own_server)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == f"{warehouse.database}|1"

    def test_its_exit_code_is_psqls(self, hic: Hic, own_server: dict[str, str]) -> None:
        assert hic("psql", "-X", "-c", "select nothing", **own_server).returncode == 1


def test_stop_without_a_server(hic: Hic) -> None:
    done = hic("stop", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"stopped": False})


def fill(warehouse: Warehouse) -> None:
    """Two months of data values, each with a row in quarantine."""
    for month in ("2024-01-01", "2024-02-01"):
        rows(
            warehouse,
            """with made as (
                 insert into ops.load (system, table_name, partition_key, status, is_current, rows_read, landed,
                                       quarantined, finished_at)
                 values ('hmis', 'data_values', %s, 'committed', true, 11, 10, 1, %s) returning load_id)
               insert into ops.quarantine (load_id, rule, reason, row_text)
               select load_id, 'unknown_facility', 'f9', '{}' from made""",
            (month, datetime(2024, 3, 1, tzinfo=UTC)),
        )


def test_looking_makes_nothing(hic: Hic, postgres_server: Warehouse) -> None:
    name = f"hic_test_{uuid.uuid4().hex[:12]}"
    with postgres_server.connect(autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        try:
            url = postgres_server.with_database(name).url
            assert hic("psql", "-At", "-c", "select 1", HIC_WAREHOUSE_URL=url).stdout == "1\n"
            assert hic("quarantine", "--json", HIC_WAREHOUSE_URL=url).stdout == "[]\n"
            assert "Nothing is loaded" in hic("status", HIC_WAREHOUSE_URL=url).stdout
            with postgres_server.with_database(name).connect() as looked:
                assert looked.execute("select to_regnamespace('raw'), to_regnamespace('ops')").fetchone() == (
                    None,
                    None,
                )
        finally:
            connection.execute(f"drop database {name} with (force)".encode())


def test_wrong_credentials_are_tried_once(hic: Hic) -> None:
    with running_sandbox(scale=0.01) as sandbox:
        done = hic("demo", HIC_HMIS_URL=sandbox.url, HIC_HMIS_USERNAME="admin", HIC_HMIS_PASSWORD="wrong-17")
        assert done.returncode == 3
        assert "Check the credentials" in done.stderr and "wrong-17" not in done.stderr
        assert [request.status for request in sandbox.requests] == [401]


def test_a_word_that_is_no_command_is_2_with_what_it_may_have_meant(hic: Hic) -> None:
    done = hic("explian")
    assert done.returncode == 2
    assert "Did you mean 'explain'?" in done.stderr
    assert "Did you mean" not in hic("xyzzy").stderr
