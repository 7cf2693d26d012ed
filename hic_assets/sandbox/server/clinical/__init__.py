"""The clinical systems over HTTP, each below its own context path (``/efiche``).

Belongs here: which there are. Adding one is a line here and a line in ``world/clinical/systems.py``.
"""

from __future__ import annotations

from hic_assets.sandbox.server.clinical import cemr, ebuzima, efiche, hpemr, idsr
from hic_assets.sandbox.server.clinical.base import Api

CLINICAL: dict[str, Api] = {
    api.name: api
    for api in (
        efiche.API,
        hpemr.API,
        ebuzima.API,
        cemr.API,
        idsr.API,
    )
}
