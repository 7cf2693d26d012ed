"""``/api/system/info``.

Source: contract 1.1; keys as recorded from servers of each version.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from hic_assets.sandbox.server.faults import Fault
from hic_assets.sandbox.world import World
from hic_assets.sandbox.world.hashing import key


def system_id(world: World, *, wrong: bool = False, name: str = "") -> str:
    """A stable identifier of an instance, in the shape of a UUID."""
    parts = (world.seed, wrong, name) if name else (world.seed, wrong)
    digits = f"{int(key('system', *parts)):016x}{int(key('id', *parts)):016x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def info(
    world: World, base: str, struck: dict[str, Fault], version: str = "", own_id: str = "", name: str = "HMIS"
) -> Response:
    """What a user without superuser rights sees: dates are server-local and have no offset."""
    version = version or world.version
    wrong = "wrong_system_id" in struck
    now = world.now.astimezone(world.timezone)
    night = now.replace(hour=2, minute=13, second=5, microsecond=0)
    if night > now:
        night -= timedelta(days=1)
    minutes = int((now - night).total_seconds()) // 60
    content: dict[str, Any] = {
        "contextPath": base,
        "userAgent": "python",
        "calendar": "iso8601",
        "dateFormat": "yyyy-mm-dd",
        "serverDate": now.strftime("%Y-%m-%dT%H:%M:%S.000"),
        "serverTimeZoneId": str(world.timezone),
        "serverTimeZoneDisplayName": now.tzname() or str(world.timezone),
        "lastAnalyticsTableSuccess": night.strftime("%Y-%m-%dT%H:%M:%S.000"),
        "intervalSinceLastAnalyticsTableSuccess": f"{minutes // 60} h, {minutes % 60} m, 0 s",
        "lastAnalyticsTableRuntime": "00:41:07.213",
        "version": version,
        "revision": f"{int(key('revision', version)):016x}"[:7],
        "buildTime": "2026-07-01T10:00:00.000",
        "encryption": False,
        "emailConfigured": False,
        "redisEnabled": False,
        "systemId": own_id if own_id and not wrong else system_id(world, wrong=wrong, name=own_id),
        "systemName": f"{name} sandbox",
        "instanceBaseUrl": base,
        "isMetadataVersionEnabled": False,
    }
    return JSONResponse(content)
