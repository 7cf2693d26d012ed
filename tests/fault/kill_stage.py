"""The stage for the kills: a source that has changed since the warehouse was loaded, and that load as a template."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pg_servers import copied_database, fresh_database, shared_database

from fault.kill_backfill import REGISTRIES, Backfills
from fault.kill_witness import Version, content, version
from hic_assets.sandbox import Sandbox, World, running_sandbox
from hic_assets.warehouse import Warehouse

MONTHS = ["2025-05-01", "2025-06-01", "2025-07-01"]
FIRST, LAST = MONTHS[0], MONTHS[-1]
THINNED = 8
SEEN = "seen.pickle"


@contextmanager
def changing_source(thinned: int) -> Iterator[Sandbox]:
    """A small country whose replies always hold some duplicates and some rows for the quarantine."""
    world = World(seed=11, scale=0.005, today=date(2025, 9, 15))
    world.facilities = world.facilities[::thinned]
    world.refresh()
    with running_sandbox(world=world) as sandbox:
        sandbox.faults.set("duplicates", rows=3)
        sandbox.faults.set("conflicting_duplicates", rows=1)
        sandbox.faults.set("unknown_facility", rows=2)
        yield sandbox


def change(sandbox: Sandbox) -> None:
    """What data managers do in a month: values are edited and deleted, reports come late and are taken back."""
    world = sandbox.world
    world.advance(days=30)
    for month in map(date.fromisoformat, MONTHS):
        world.edit_values(month, 0.2)
        world.delete_values(month, 0.05)
        registrations = world.registrations(month)
        unit, form = registrations.select("org_unit", "data_set").row(0)
        world.uncomplete(unit, form, month)


def environment(sandbox: Sandbox, warehouse: Warehouse, home: Path) -> dict[str, str]:
    """What a run of this source into this warehouse finds in its environment."""
    return {
        **warehouse.env(),
        "HIC_DAGSTER_URL": warehouse.url,
        "HIC_HOME": str(home),
        "HIC_HMIS_URL": sandbox.url,
        "HIC_HMIS_USERNAME": sandbox.username,
        "HIC_HMIS_PASSWORD": sandbox.password,
    }


@dataclass
class Stage:
    """The source as it is now, the warehouse as it was (`old`), and what a run that is left alone makes of it."""

    server: Warehouse
    sandbox: Sandbox
    folder: Path
    old: Warehouse
    before: Version
    after: Version
    expected: dict[str, list[bytes]]
    seconds: float

    @contextmanager
    def warehouse(self) -> Iterator[tuple[Warehouse, Backfills]]:
        """A warehouse that holds the old version, and what starts runs on it."""
        with copied_database(self.server, self.old.database) as database:
            yield database, self.backfills(database)

    def backfills(self, database: Warehouse) -> Backfills:
        """What starts runs that load this source into a database."""
        return Backfills(environment(self.sandbox, database, self.folder), self.folder / f"{database.database}.log")

    @property
    def left_on_disk(self) -> list[Path]:
        """What runs have left in the folder of bodies on their way."""
        return list((self.folder / "spool").iterdir())


@contextmanager
def stage(server: Warehouse, folder: Path) -> Iterator[Stage]:
    """Load the old version, change the source, and see what an undisturbed backfill makes of it."""
    with changing_source(THINNED) as sandbox, fresh_database(server) as old:
        yield _set(Stage(server, sandbox, folder, old, {}, {}, {}, 0))


@contextmanager
def shared_stage(server: Warehouse, run: str, folder: Path) -> Iterator[Stage]:
    """As `stage`, of which all workers of test run `run` share what was loaded and seen; each has the source for itself."""

    def build(old: Warehouse, made: Path) -> None:
        with changing_source(THINNED) as sandbox:
            scene = _set(Stage(server, sandbox, made, old, {}, {}, {}, 0))
        seen = (scene.before, scene.after, scene.expected, scene.seconds)
        (made / SEEN).write_bytes(pickle.dumps(seen))

    old, made = shared_database(server, run, "kills", build)
    (folder / "spool").mkdir()
    with changing_source(THINNED) as sandbox:
        change(sandbox)
        yield Stage(server, sandbox, folder, old, *pickle.loads((made / SEEN).read_bytes()))


def _set(scene: Stage) -> Stage:
    first = scene.backfills(scene.old)
    first.start("materialise", REGISTRIES).wait()
    first.months(FIRST, LAST).wait()
    scene.before = version(scene.old, MONTHS)
    change(scene.sandbox)
    with scene.warehouse() as (twin, backfills):
        backfills.months(FIRST, LAST).wait()  # once unmeasured, to fill caches
        scene.after, scene.expected = version(twin, MONTHS), content(twin)
    with scene.warehouse() as (_, backfills):
        run = backfills.months(FIRST, LAST)
        began = time.monotonic()
        run.wait()
        scene.seconds = time.monotonic() - began
    assert all(scene.before[key] != scene.after[key] for key in scene.before), "each replacement can be seen"
    return scene
