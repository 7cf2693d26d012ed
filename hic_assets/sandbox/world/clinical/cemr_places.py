"""Health centres as community health workers have them in their phones: by name and district, in many spellings.

Belongs here: those spellings, one a worker. Does not belong here: which health centre it is. Source: trap 13 (26 names
occur in more than one place, spelling varies by source).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import salted, uniform
from hic_assets.sandbox.world.trackers import names
from hic_assets.sandbox.world.trackers.packing import I64

# share of workers, and what becomes of "Rukoma HC" in their phones
_NAMES = (
    (0.62, "{name} HC"),
    (0.12, "{name}"),
    (0.08, "{name} Health Centre"),
    (0.06, "CS {name}"),
    (0.05, "{NAME} HC"),
)
_MISSPELT = (names.R_L, names.Y_I, names.LETTERS, names.BLANK)
_DISTRICTS = (0.86, 0.06, 0.04)
"""Workers with the district as it is written, in capitals, with a word in front; the rest left it empty."""
_NO_CODE, _ZEROS_LOST = 0.35, 0.2


def health_centres(story: Story, place: I64, worker: I64) -> dict[str, pl.Series]:
    """``health_centre``, ``district`` and ``facility_code`` (the FOSA code, often missing or without its zeros)."""
    pairs, which = np.unique(np.stack([place, worker], axis=1), axis=0, return_inverse=True)
    h = salted(pairs[:, 1].astype(np.uint64), story.seed, "phone")
    draws = {salt: uniform(salted(h, salt)) for salt in ("name", "misspelt", "district", "code")}
    rows = [_told(story, int(at), {salt: float(u[i]) for salt, u in draws.items()}) for i, at in enumerate(pairs[:, 0])]
    schema = {"health_centre": pl.String, "district": pl.String, "facility_code": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")[which.ravel().tolist()].to_dict()


def _told(story: Story, at: int, u: dict[str, float]) -> tuple[str, str | None, str | None]:
    facility = story.facilities[at]
    name, district = facility.name.removesuffix(" HC").removesuffix(" MC"), str(story.places.names["district"][at])
    code = facility.code if u["code"] >= _NO_CODE else None
    if code and u["code"] < _NO_CODE + _ZEROS_LOST:
        code = code.lstrip("0")
    return _name(name, u["name"], u["misspelt"]), _district(district, u["district"]), code


def _name(name: str, u: float, misspelt: float) -> str:
    """The remaining workers have it misspelt."""
    for share, pattern in _NAMES:
        if u < share:
            return pattern.format(name=name, NAME=name.upper())
        u -= share
    return names.spelt(name, _MISSPELT[int(misspelt * len(_MISSPELT))]) + " HC"


def _district(name: str, u: float) -> str | None:
    plain, capitals, prefixed = np.cumsum(_DISTRICTS)
    if u < plain:
        return name
    if u < capitals:
        return name.upper()
    return f"Akarere ka {name}" if u < prefixed else None
