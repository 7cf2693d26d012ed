"""The published contract of a system: its OpenAPI document, as it lies in ``docs/contracts``, at the server itself.

Belongs here: finding and serving it. Does not belong here: what it says.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from starlette.responses import Response

from hic_assets.sandbox.server.clinical.problems import Problem

FOLDER = Path(__file__).resolve().parents[4] / "docs" / "contracts"
PATHS = ("openapi.json", "openapi.yaml")


@cache
def document(system: str) -> dict[str, Any]:
    """The contract of a system. FileNotFoundError where this installation has none (it is part of the checkout)."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{system}.yaml").read_text(encoding="utf-8"))
    return found


def reply(system: str, path: str, base: str) -> Response:
    """The contract as JSON or YAML, naming the server that serves it."""
    try:
        whole = document(system) | {"servers": [{"url": base, "description": "this server"}]}
    except FileNotFoundError:
        raise Problem(404, "This installation has no contract to show.") from None
    if path.endswith("json"):
        return Response(json.dumps(whole, ensure_ascii=False), media_type="application/json")
    return Response(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), media_type="application/yaml")
