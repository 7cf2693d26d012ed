"""Changes to a clinical system from outside the process: JSON in, the store's own calls out.

Belongs here: names of the changes and their arguments. Does not belong here: what a change does (see the store).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np

from hic_assets.sandbox.server.clinical.base import ClinicalServer
from hic_assets.sandbox.world.roster import local_midnight

Json = dict[str, Any]


def _day(body: Json, name: str) -> int | None:
    return local_midnight(date.fromisoformat(body[name])) if body.get(name) else None


def _add_late(server: ClinicalServer, body: Json) -> list[str]:
    begin, end = _day(body, "start"), _day(body, "end")
    n, seed = int(body.get("n", 1)), int(body.get("seed", 1))
    return server.store.add_late(body["resource"], n, begin=begin, end=end, seed=seed)


# op -> what it does; ``system`` in the body names the clinical system, the result is put into the reply
OPERATIONS: dict[str, Callable[[ClinicalServer, Json], Any]] = {
    "clinical_drift": lambda s, b: s.store.drift(int(b.get("n", 100)), np.random.default_rng(b.get("seed", 1))),
    "clinical_add_late": _add_late,
    "clinical_edit": lambda s, b: s.store.edit(b["resource"], b["id"], b["values"]),
    "clinical_delete": lambda s, b: s.store.delete(b["resource"], b["id"]),
    "clinical_expire_tokens": lambda s, _: s.gate.expire(),
}


def apply(servers: Mapping[str, ClinicalServer], op: str, body: Json) -> Any:
    """Make one change; KeyError when there is no such clinical system."""
    return OPERATIONS[op](servers[body["system"]], body)
