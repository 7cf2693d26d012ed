"""The embedded server's life: created, found again, killed, started twice at once, moved to another port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest
from pg_servers import rows

from hic_assets.settings import Settings
from hic_assets.warehouse import (
    EmbeddedServerError,
    Warehouse,
    WarehouseError,
    binaries,
    embedded,
    existing_warehouse,
    open_warehouse,
)
from hic_assets.warehouse.connect import of_server
from hic_assets.warehouse.ports import free_ports
from hic_assets.warehouse.server_config import MEGABYTE, explain, render, server_settings

REPOSITORY = Path(__file__).parents[2]
DURABLE = {"fsync": "off", "shared_buffers": "64MB"}
"""Commits outlive the server's processes, though not the machine."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another account")


@contextmanager
def state_folder() -> Iterator[Path]:
    """A folder that every account can enter; its server is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="hic-home-"))
    folder.chmod(0o755)
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    """A state folder without a cluster."""
    with state_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def used_home() -> Iterator[Path]:
    """A state folder that several tests use one after the other; its server may run or not."""
    with state_folder() as folder:
        yield folder


def start(home: Path) -> embedded.Server:
    return embedded.start(home, DURABLE)


def maintenance(server: embedded.Server) -> Warehouse:
    return of_server(server, "postgres")


def test_data_survives_stop_and_start(used_home: Path) -> None:
    first = start(used_home)
    rows(maintenance(first), "create table kept as select 42 as answer")
    assert start(used_home) == first
    assert embedded.stop(used_home)
    assert embedded.status(used_home) is None
    assert not embedded.stop(used_home)
    again = start(used_home)
    assert (again.port, again.password, again.notes) == (first.port, first.password, ())
    assert rows(maintenance(again), "select answer from kept") == [(42,)]


def test_settings_of_the_server(used_home: Path) -> None:
    server = start(used_home)
    names = "wal_level max_wal_senders jit TimeZone max_connections listen_addresses unix_socket_directories"
    found = dict(rows(maintenance(server), "select name, setting from pg_settings"))
    assert [found[name] for name in names.split()] == ["minimal", "0", "off", "UTC", "100", "127.0.0.1", ""]
    sorted_names = rows(
        maintenance(server),
        "select lower('ÉCOLE'), array(select x from unnest('{b,a,B,É}'::text[]) x order by x)",
    )
    assert sorted_names == [("école", ["B", "a", "b", "É"])]


def test_password_is_private_and_needed(used_home: Path) -> None:
    server = start(used_home)
    assert server.password not in repr(server)
    assert stat.S_IMODE((used_home / "postgres/password").stat().st_mode) == 0o600
    wrong = Warehouse({**maintenance(server).params, "password": "not-this-one"})
    with pytest.raises(WarehouseError, match="refused user") as caught:
        wrong.connect()
    assert "not-this-one" not in str(caught.value)


def test_only_the_password_made_by_the_machine_is_cheap_to_check(used_home: Path) -> None:
    """A connection costs half as much; what people choose later is as dear to guess as anywhere."""
    server = maintenance(start(used_home))
    with server.connect() as connection:
        connection.execute("create role somebody password 'Umuganda-2026'")
        found = connection.execute("select rolname, substr(rolpassword, 1, 18) from pg_authid where rolpassword > ''")
        kept = dict(found.fetchall())
        connection.rollback()
    assert kept.pop(server.params["user"]).startswith("SCRAM-SHA-256$1:")
    assert kept == {"somebody": "SCRAM-SHA-256$4096"}


def test_outlives_the_process_that_started_it(used_home: Path) -> None:
    embedded.stop(used_home)
    _start_elsewhere(used_home).wait()
    server = embedded.status(used_home)
    assert server is not None
    assert rows(maintenance(server), "select 1") == [(1,)]


def test_two_starts_at_once_give_one_server(home: Path) -> None:
    others = [_start_elsewhere(home) for _ in range(2)]
    mine = start(home)
    pids = {int(other.communicate()[0]) for other in others}
    assert pids == {mine.pid}


def test_recovers_from_kill(used_home: Path) -> None:
    server = start(used_home)
    rows(maintenance(server), "create table kept_after_kill as select 42 as answer")
    with maintenance(server).connect() as session:  # a session at work when the server dies
        session.execute("select 1")
        os.kill(server.pid, signal.SIGKILL)
        assert (server.data_directory / "postmaster.pid").exists()
        _wait_gone(server.pid)
        assert embedded.status(used_home) is None
        again = start(used_home)
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    assert again.pid != server.pid
    assert rows(maintenance(again), "select answer from kept_after_kill") == [(42,)]


def test_pid_file_with_the_number_of_another_program(used_home: Path) -> None:
    server = start(used_home)
    pid_file = server.data_directory / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    embedded.stop(used_home)
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    assert embedded.status(used_home) is None
    assert start(used_home).pid != os.getppid()


def test_taken_port_is_changed_and_told(used_home: Path) -> None:
    server = start(used_home)
    embedded.stop(used_home)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", server.port))
        other.listen()
        moved = start(used_home)
        assert moved.port != server.port
        assert moved.notes == (
            f"Port {server.port} is used by another process: the embedded PostgreSQL now listens on {moved.port}.",
        )
    embedded.stop(used_home)
    assert start(used_home).port == moved.port


def test_port_taken_between_the_look_and_the_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        free = list(zip(range(3), free_ports(None), strict=False))
        monkeypatch.setattr(embedded, "free_ports", lambda _: iter([taken, *(port for _, port in free)]))
        assert start(home).port in {port for _, port in free}


def test_half_created_cluster_is_made_anew(home: Path) -> None:
    assert embedded.status(home) is None
    assert not embedded.stop(home)
    (home / "postgres/data.partial/base").mkdir(parents=True)
    assert rows(maintenance(start(home)), "select 1") == [(1,)]
    assert not (home / "postgres/data.partial").exists()


def test_other_major_version_is_refused(home: Path) -> None:
    server = start(home)
    embedded.stop(home)
    (server.data_directory / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 17, and the installed server is 18"):
        start(home)


def test_refused_configuration_is_told(home: Path) -> None:
    with pytest.raises(EmbeddedServerError, match=r"(?s)refuses its configuration.*work_mem"):
        embedded.start(home, {"work_mem": "much"})


def test_no_room_is_told_before_anything_is_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hic_assets.warehouse.cluster._NEEDED_BYTES", 10**18)
    with pytest.raises(EmbeddedServerError, match=r"not enough disk .* HIC_HOME"):
        start(home)
    assert not (home / "postgres/data").exists()


def test_home_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(EmbeddedServerError, match=r"cannot create .*HIC_HOME"):
        start(file)


@as_root
def test_root_uses_another_folder_when_the_account_cannot_enter_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "ROOT_FALLBACK", home / "fallback")
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    try:
        server = start(closed)
        assert server.data_directory.is_relative_to(home / "fallback")
        assert "cannot enter" in server.notes[0]
        assert psutil.Process(server.pid).username() != "root"
        assert rows(maintenance(server), "select 1") == [(1,)]
        embedded.stop(closed)
        assert start(closed).data_directory == server.data_directory
    finally:
        embedded.stop(closed)


@as_root
def test_root_copies_programs_that_the_account_cannot_reach(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = binaries.client_directory().parents[1]
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    for part in (f"{package.name}/pginstall{binaries.MAJOR}", f"{package.name}.libs"):
        if (package.parent / part).exists():
            shutil.copytree(package.parent / part, closed / part)
    inside = closed / package.name / f"pginstall{binaries.MAJOR}" / "bin"
    monkeypatch.setattr(binaries, "ROOT_FALLBACK", home / "fallback")
    monkeypatch.setattr(binaries, "client_directory", lambda: inside)
    assert rows(maintenance(start(home)), "select 1") == [(1,)]
    copies = list((home / "fallback").iterdir())
    embedded.stop(home)
    start(home)
    assert list((home / "fallback").iterdir()) == copies
    assert len(copies) == 1


def test_missing_wheel_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "WHEEL", "no_such_wheel")
    with pytest.raises(EmbeddedServerError, match=r"pip install no-such-wheel.*HIC_WAREHOUSE_URL"):
        binaries.client_directory()


def test_opening_makes_both_databases_and_children_reach_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A run in this process, of an earlier test, has exported the address of its warehouse.
    for name in ("HIC_WAREHOUSE_URL", "HIC_DAGSTER_URL"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(home=home)
    assert existing_warehouse(settings) is None
    start(home)
    warehouse = open_warehouse(settings)
    assert open_warehouse(settings) == warehouse == existing_warehouse(settings)
    assert rows(warehouse, "select datname from pg_database where not datistemplate order by 1") == [
        ("dagster",),
        ("hic",),
        ("postgres",),
    ]
    psql = binaries.client_directory() / "psql"
    query = "select current_database(), current_user"
    child = subprocess.run([psql, "-XAtc", query], env=warehouse.env(), capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "hic|hic"


def test_failures_are_explained() -> None:
    full = explain("The creation", "/x/data", "could not write: No space left on device")
    assert full.startswith("The creation of the embedded PostgreSQL in /x/data failed. The disk is full")
    assert "HIC_HOME" in explain("The start", "/x", "FATAL: could not open file: Permission denied")
    assert explain("The start", "/x", "FATAL: odd").endswith("PostgreSQL said:\nFATAL: odd")


def test_settings_follow_the_machine() -> None:
    small, large = server_settings(1024 * MEGABYTE, None), server_settings(64 * 1024 * MEGABYTE, 10**12)
    assert (small["shared_buffers"], large["shared_buffers"]) == ("128MB", "512MB")
    assert "dynamic_shared_memory_type" not in large
    assert server_settings(10**10, 64 * MEGABYTE)["dynamic_shared_memory_type"] == "mmap"
    assert render({"b": "it's", "a": "1"}).splitlines()[1:] == ["a = '1'", "b = 'it''s'"]


def _start_elsewhere(home: Path) -> subprocess.Popen[str]:
    program = (
        "import sys; from pathlib import Path; from hic_assets.warehouse import embedded; "
        f"print(embedded.start(Path(sys.argv[1]), {DURABLE!r}).pid)"
    )
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(
        [sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True, env=environment
    )


def _wait_gone(pid: int) -> None:
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
