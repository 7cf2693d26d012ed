"""A full disk: where bodies are spooled, where landing spills, and under PostgreSQL. A clear error, the old data intact."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from landing.builders import JANUARY, PERIODS, Given, batch, prepare, values
from pg_servers import rows

from fault.kill_stage import FIRST, LAST, MONTHS, Stage, shared_stage
from fault.kill_witness import assert_ledger_is_whole, assert_nothing_is_left, content, version
from hic_assets.landing.errors import SpillFull
from hic_assets.landing.land import land
from hic_assets.systems import HMIS
from hic_assets.warehouse import Warehouse

DATA_VALUES = HMIS.feed("data_values").table

pytestmark = [pytest.mark.timeout(300)]


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of its own of so many kilobytes; skips where we may not mount one."""
    folder.mkdir(exist_ok=True)
    options = f"size={kilobytes}k,mode=777"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False, text=True
    )
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()


@pytest.fixture(scope="module")
def scene(postgres_server: Warehouse, run_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with shared_stage(postgres_server, run_name, tmp_path_factory.mktemp("disk")) as scene:
        yield scene


def test_no_space_for_bodies(scene: Stage, tmp_path: Path) -> None:
    with scene.warehouse() as (warehouse, backfills):
        (tmp_path / "spool").mkdir()
        with small_disk(tmp_path / "spool", 32) as disk:
            said = backfills.months(FIRST, LAST, HIC_HOME=str(tmp_path)).failed()
            assert "no space left for the body" in said
            assert f"Free space in {disk}" in said
            assert list(disk.iterdir()) == []
        assert_nothing_is_left(warehouse)
        left = version(warehouse, MONTHS)
        values_of = {key for key in left if key[0] == "hmis_data_values"}
        assert all(left[key] == scene.before[key] for key in values_of)
        failed = rows(warehouse, "select error from ops.load where status = 'failed'")
        assert failed and all(error.startswith(("SpoolFull: ", "SpillFull: ")) for (error,) in failed)
        backfills.months(FIRST, LAST).wait()
        assert content(warehouse) == scene.expected
        assert_ledger_is_whole(warehouse)


def test_no_space_for_what_landing_spills(warehouse: Warehouse, tmp_path: Path) -> None:
    prepare(warehouse)
    held = land(warehouse, DATA_VALUES, JANUARY, Given(batch(values(900))), periods=PERIODS[JANUARY])
    many = [batch(values(900)) for _ in range(40)]  # 8 bytes a key: the smallest disks have a page or two
    with (
        small_disk(tmp_path / "spill", 64) as disk,
        pytest.raises(SpillFull, match=r"no space left.*unchanged.*HIC_HOME"),
    ):
        land(warehouse, DATA_VALUES, JANUARY, Given(*many), periods=PERIODS[JANUARY], spill_dir=disk)
    assert rows(warehouse, "select count(*), min(_load_id) from raw.hmis_data_values") == [(900, held.load_id)]
    assert rows(warehouse, "select status from ops.load order by load_id") == [("committed",), ("failed",)]


def test_no_space_under_postgresql(warehouse: Warehouse, tmp_path: Path) -> None:
    """New tables go to a table space on a small disk."""
    prepare(warehouse)
    held = land(warehouse, DATA_VALUES, JANUARY, Given(batch(values(900))), periods=PERIODS[JANUARY])
    name = f"tiny_{uuid.uuid4().hex[:8]}"
    place = Path(f"/var/tmp/{name}")
    with small_disk(place, 512):
        try:
            with warehouse.connect(autocommit=True) as connection:
                (data,) = connection.execute("show data_directory").fetchone() or ("",)
                os.chown(place, Path(data).stat().st_uid, -1)
                connection.execute(f"create tablespace {name} location '{place}'".encode())
                connection.execute(f"alter database {warehouse.database} set default_tablespace = {name}".encode())
            many = [batch(values(900)) for _ in range(20)]
            with pytest.raises(psycopg.errors.DiskFull, match="No space left on device"):
                land(warehouse, DATA_VALUES, JANUARY, Given(*many), periods=PERIODS[JANUARY])
        finally:
            with warehouse.connect(autocommit=True) as connection:
                connection.execute(f"alter database {warehouse.database} reset default_tablespace".encode())
            with warehouse.connect(autocommit=True) as connection:
                connection.execute(f"drop tablespace if exists {name}".encode())
    assert rows(warehouse, "select count(*), min(_load_id) from raw.hmis_data_values") == [(900, held.load_id)]
    found = rows(warehouse, "select status, error like '%%No space left%%' from ops.load order by load_id")
    assert found == [("committed", None), ("failed", True)]
