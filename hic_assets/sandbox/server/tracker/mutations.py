"""Changes to a tracker from outside the process: JSON in, the store's own calls out.

Belongs here: names of the changes and their arguments. Does not belong here: what a change does (see the store).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from hic_assets.sandbox.server.tracker.instance import TrackerInstance
from hic_assets.sandbox.world.trackers.catalogue import ElementSpec

Json = dict[str, Any]


def _day(body: Json, name: str) -> date | None:
    return date.fromisoformat(body[name]) if body.get(name) else None


def _insert_event(tracker: TrackerInstance, body: Json) -> str:
    day = date.fromisoformat(body["occurred_at"])
    return tracker.store.insert_event(body["program"], body["enrollment"], body["stage"], day, body.get("values"))


def _edit_event(tracker: TrackerInstance, body: Json) -> None:
    tracker.store.edit_event(
        body["uid"],
        values=body.get("values"),
        occurred_at=_day(body, "occurred_at"),
        status=body.get("status"),
    )


def _insert_person(tracker: TrackerInstance, body: Json) -> list[str]:
    made = tracker.store.insert_person(
        body["program"],
        org_unit=body.get("org_unit"),
        enrolled_at=_day(body, "enrolled_at"),
        attributes=body.get("attributes"),
    )
    return list(made)


def _add_data_element(tracker: TrackerInstance, body: Json) -> None:
    blank = ElementSpec("", "", "", "", "TEXT", None, compulsory=False)
    tracker.add_data_element(body["program"], body["stage"], replace(blank, **body["element"]))


# op -> what it does; ``system`` in the body names the tracker, the result is put into the reply
OPERATIONS: dict[str, Callable[[TrackerInstance, Json], Any]] = {
    "tracker_drift": lambda t, b: t.store.drift(int(b.get("n", 100)), np.random.default_rng(b.get("seed", 1))),
    "tracker_insert_event": _insert_event,
    "tracker_edit_event": _edit_event,
    "tracker_insert_person": _insert_person,
    "tracker_edit_attributes": lambda t, b: t.store.edit_attributes(b["tracked_entity"], b["values"]),
    "tracker_delete": lambda t, b: t.store.delete(b["kind"], b["uid"]),
    "tracker_purge_deleted": lambda t, _: t.store.purge_deleted(),
    "tracker_add_data_element": _add_data_element,
    "tracker_max_limit": lambda t, b: setattr(t, "max_limit", int(b["rows"])),
}


def apply(trackers: Mapping[str, TrackerInstance], op: str, body: Json) -> Any:
    """Make one change; KeyError when there is no such tracker."""
    return OPERATIONS[op](trackers[body["system"]], body)
