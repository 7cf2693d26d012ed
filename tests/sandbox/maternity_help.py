"""What the tests of EBUZIMA and CEMR share: contracts as validators, and windows that make sense."""

from __future__ import annotations

from datetime import date
from typing import Any

import jsonschema_rs
import polars as pl
import yaml
from schemathesis.generation.modes import GenerationMode

from hic_assets.sandbox import World
from hic_assets.sandbox.server.clinical.contract import FOLDER
from hic_assets.sandbox.world.clinical.base import ClinicalSystem
from hic_assets.sandbox.world.clinical.store import ClinicalStore
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.roster import local_midnight, next_month

MONTH = date(2026, 6, 1)


def record_validator(system: str, schema: str) -> jsonschema_rs.Draft202012Validator:
    """The validator of one schema of a contract."""
    document = yaml.safe_load((FOLDER / f"{system}.yaml").read_text())
    wanted = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(wanted, validate_formats=True)


def story(world: World) -> Story:
    return world.clinical.story()


def everything(store: ClinicalStore, resource: str) -> pl.DataFrame:
    """All that is visible now, of all months."""
    return store.records(resource)


def month_of(store: ClinicalStore, resource: str, month: date = MONTH) -> pl.DataFrame:
    return store.records(resource, local_midnight(month), local_midnight(next_month(month)))


def told(system: ClinicalSystem, world: World, resource: str, month: date = MONTH) -> pl.DataFrame:
    """What a world tells of a month in the end."""
    return system.resource(resource).tell(story(world), month)


def window_mended(case: Any, window: tuple[str, str, str], example: tuple[str, str]) -> None:
    """Make a good question of one that the contract allows: OpenAPI cannot say that a window has two ends in order, nor
    how late a moment may be. Questions that are meant to be wrong stay as they are.
    """
    if case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    start, end, _ = window
    query = case.query
    for name in [n for n in window if n in query and not "0002" < str(query[n])[:4] < "2099"]:
        del query[name]
    if start not in query or end not in query or query[end][:10] <= query[start][:10]:
        query[start], query[end] = example
