"""dbt models as assets, in four sets: registries and dimensions, who patients are, and what is computed a week or a month at a time.

Belongs here: how a run's partitions become one dbt call. Does not: any model (``dbt_project/``).
The window goes by ``--event-time-start/end``: ``--vars`` would make dbt parse the whole project anew.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliInvocation,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from dagster_dbt.core.dbt_event_iterator import DbtEventIterator
from packaging.version import Version

from hic_assets.assets.columns import Catalog
from hic_assets.assets.lineage import share_lineage
from hic_assets.partitions import landing_partition, partitions_of
from hic_assets.resources import WarehouseResource
from hic_assets.settings import Settings
from hic_assets.systems import PROGRAMMES, SYSTEMS
from hic_assets.systems.declare import Cadence
from hic_assets.warehouse import Warehouse
from hic_assets.warehouse.grants import grant_reading_if_used

if TYPE_CHECKING:
    from dbt.adapters.base import BaseAdapter

PROJECT_DIR = Path(__file__).resolve().parents[2] / "dbt_project"
PARSED = "partial_parse.msgpack"
# Unit tests prove the code, not the data: they run in the test suite. They are no asset checks either. And dbt's account of
# a call in JSON is read by nobody: Dagster follows what it prints, and the manifest is there already. Writing it is a second
# a call; a log file with every statement, several.
COMMON = ("build", "--exclude-resource-type", "unit_test", "--no-write-json", "--log-level-file", "info")
# Tags of the models that are built by the window of a run.
WINDOWED = (Cadence.WEEKLY.value, Cadence.MONTHLY.value)
# The tag of what is built after identity resolution, by no window.
IDENTITY = "identity"
# One call at a time, over all runs: a later one then reads what the one before it was not built from.
POOL = "dbt"
# How long the folder of a call that did not succeed (its log, the SQL as it was run) is kept.
KEPT_SECONDS = 7 * 24 * 3600


class ManifestMissing(RuntimeError):
    """The dbt project was not parsed; the definitions cannot be loaded without its manifest."""


class Translator(DagsterDbtTranslator):
    """Groups, owners and kinds from the models' own ``meta``; names without the database they were parsed for."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The spec dagster-dbt makes, with the layer, and the cadence by which jobs select it, as tags."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id)
        if node is None:
            return spec
        cadence = next((one for one in (*WINDOWED, IDENTITY) if one in node["tags"]), "reference")
        return spec.merge_attributes(
            deps=[self.get_asset_key(source) for source in _behind_views(manifest, node)]
            if cadence in WINDOWED
            else [],
            tags={"layer": node["schema"], "hic/cadence": cadence},
            metadata={"dagster/table_name": f"{node['schema']}.{node['alias']}"},
        )


def _behind_views(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Raw tables that a model of weeks or months reads through views of the reference set.

    Such a view is no step of a run of months, and Dagster orders only what is: the months would be built while the
    tables behind the views are still being loaded.
    """
    parents = (manifest["nodes"].get(name) for name in node["depends_on"]["nodes"])
    views = [p for p in parents if p and p["config"].get("materialized") == "view" and not {*WINDOWED} & {*p["tags"]}]
    names = sorted({name for view in views for name in view["depends_on"]["nodes"]})
    return [source for name in names if (source := manifest["sources"].get(name)) and source["schema"] == "raw"]


def manifest_path() -> Path:
    """The parsed project, made by ``hic manifest``.

    Raises:
        ManifestMissing: it has not been made; says how.
    """
    path = PROJECT_DIR / "target" / "manifest.json"
    if not path.is_file():
        raise ManifestMissing(f"{path} is missing: run 'hic manifest' (every 'make' target does it for you).")
    return path


def event_time_args(keys: list[str], cadence: Cadence = Cadence.MONTHLY) -> tuple[str, ...]:
    """dbt arguments for a run of weekly or monthly partitions: the half-open window from the first to after the last."""
    windows = [landing_partition(cadence, key) for key in sorted(keys)]
    return ("--event-time-start", f"{windows[0].start}", "--event-time-end", f"{windows[-1].end}")


def with_columns(call: DbtCliInvocation) -> Iterator[Any]:
    """The call's events, models with their columns and where these come from.

    By itself dagster-dbt looks up the columns of tests too: of 200 tests that took longer than of 40 models. And it
    parses a model once a column: of staging views of records, up to a hundred columns each out of one JSON object, that takes
    minutes and tells nothing; their columns are in the project's descriptions.
    """
    share_lineage()
    for event in call.stream():
        if isinstance(event, dg.Output | dg.AssetMaterialization) and not _stages_records(event):
            yield from DbtEventIterator(iter([event]), call).fetch_column_metadata(with_column_lineage=True)
        else:
            yield event


def _stages_records(event: dg.Output[Any] | dg.AssetMaterialization) -> bool:
    """Whether a model stages records of a tracker programme or of a REST system, a raw column a column."""
    unique_id = event.metadata.get("unique_id")
    name = str(unique_id.value if isinstance(unique_id, dg.MetadataValue) else unique_id).rpartition(".")[2]
    staged = [*(programme.name for programme in PROGRAMMES), *(system.name for system in SYSTEMS if system.api)]
    return any(name.startswith(f"stg_{one}__") for one in staged)


def in_database(manifest: Mapping[str, Any], database: str) -> dict[str, Any]:
    """The manifest with its relations in ``database``, where dagster-dbt looks up their columns.

    It names the database of whoever parsed the project, which need not be the one that dbt is run on.
    """

    def moved(node: Mapping[str, Any]) -> dict[str, Any]:
        name = node.get("relation_name")
        moved_name = name and f'"{database}".' + name.removeprefix(f'"{node["database"]}".')
        return {**node, "database": database, "relation_name": moved_name}

    return {**manifest, **{k: {n: moved(node) for n, node in manifest[k].items()} for k in ("nodes", "sources")}}


def dbt_asset_definitions() -> list[dg.AssetsDefinition]:
    """The four sets of dbt assets."""
    manifest = json.loads(manifest_path().read_text())
    translator = Translator(DagsterDbtTranslatorSettings(enable_source_metadata=True))
    whole = [_whole(manifest, translator, tag) for tag in ("reference", IDENTITY)]
    return [*whole, *(_windowed(manifest, translator, cadence) for cadence in (Cadence.WEEKLY, Cadence.MONTHLY))]


def _whole(manifest: dict[str, Any], translator: Translator, tag: str) -> dg.AssetsDefinition:
    """The models that are built whole: ``dbt_reference``, ``dbt_identity``."""

    @dbt_assets(
        manifest=manifest,
        select=f"tag:{tag}",
        dagster_dbt_translator=translator,
        name=f"dbt_{tag}",
        pool=POOL,
    )
    def models(context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: WarehouseResource) -> Iterator[Any]:
        yield from _build(context, dbt, warehouse, ())

    return models


def _windowed(manifest: dict[str, Any], translator: Translator, cadence: Cadence) -> dg.AssetsDefinition:
    """The models that are built by the window of a run: ``dbt_weekly``, ``dbt_monthly``."""

    @dbt_assets(
        manifest=manifest,
        select=f"tag:{cadence.value}",
        dagster_dbt_translator=translator,
        name=f"dbt_{cadence.value}",
        partitions_def=partitions_of(cadence),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=POOL,
    )
    def models(context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: WarehouseResource) -> Iterator[Any]:
        window = event_time_args(list(context.partition_keys), cadence)
        # Eager: a relationship test of a fact runs also where its dimension is no ancestor of anything in this call.
        yield from _build(context, dbt, warehouse, (*window, "--indirect-selection", "eager"))

    return models


def _build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: WarehouseResource, arguments: tuple[str, ...]
) -> Iterator[Any]:
    """One dbt call. Its profile reads libpq's variables, which only this process may know."""
    opened = warehouse.open()
    os.environ.update(opened.env() | {"PGOPTIONS": warehouse.pseudonyms()})
    home = Settings().home / "dbt"
    _forget_old(home)
    target = home / context.run.run_id / context.op_execution_context.op.name
    parsed = home / f"parsed-{_connection(opened)}.msgpack"
    if not parsed.is_file():
        _move(PROJECT_DIR / "target" / PARSED, parsed)
    _reuse(parsed, target / PARSED)
    try:
        # Before dbt is started, which nobody would follow if there were no connection.
        with opened.connect(autocommit=True) as connection:
            call = dbt.cli([*COMMON, *arguments], context=context, target_path=target)
            call.manifest = in_database(call.manifest, opened.database)
            call.adapter = cast("BaseAdapter", Catalog(connection))
            yield from with_columns(call)
    finally:
        # What was built anew is denied to its readers until now, also where a later model or a test failed.
        with opened.connect(autocommit=True) as connection:
            grant_reading_if_used(connection)
    _reuse(target / PARSED, parsed)
    # dbt keeps a folder a call for ever; what succeeded is in the event log.
    shutil.rmtree(target.parent, ignore_errors=True)


def _forget_old(home: Path) -> None:
    """Remove what calls that failed or were killed have left, once nobody will look at it any more."""
    for folder in home.glob("*/"):
        with suppress(FileNotFoundError):  # another call was quicker
            if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _connection(warehouse: Warehouse) -> str:
    """A name for what of the connection dbt looks at, to tell whether a parsed project is of use to it."""
    told = "|".join(f"{warehouse.params.get(name)}" for name in ("host", "port", "user", "dbname"))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _move(parsed: Path, destination: Path) -> None:
    """Make the project as it was parsed at installation good for this server. Where that fails, dbt parses it."""
    if not parsed.is_file():
        return
    destination.parent.mkdir(parents=True, exist_ok=True)
    for old in destination.parent.glob("parsed-*.msgpack"):
        old.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent) as folder:
        made = Path(folder) / PARSED
        call = [sys.executable, "-m", "hic_assets.dbt_parsed", f"{parsed}", f"{made}", f"{PROJECT_DIR}"]
        if subprocess.run(call, stdout=sys.stderr, check=False).returncode == 0:  # noqa: S603 - our own arguments
            made.replace(destination)


def _reuse(parsed: Path, destination: Path) -> None:
    """Hand dbt's parsed project on: seconds are lost a call without."""
    if not parsed.is_file():
        return
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent) as folder:
        Path(shutil.copy(parsed, folder)).replace(destination)


class InstalledDbt(DbtCliResource):
    """dbt whose version is read from its package, and which is not imported here.

    By itself dagster-dbt runs ``dbt --version`` before every call: two seconds, and a question to PyPI from the
    warehouse's network. And it makes an adapter to look columns up, which here the warehouse is asked for (``columns.py``).
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        return None


def dbt_resource() -> DbtCliResource:
    """dbt as it is run by the assets: the one installed beside this Python, whatever PATH says."""
    executable = Path(sys.executable).with_name("dbt")
    return InstalledDbt(
        project_dir=os.fspath(PROJECT_DIR), profiles_dir=os.fspath(PROJECT_DIR), dbt_executable=os.fspath(executable)
    )
