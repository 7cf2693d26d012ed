"""Reading a clinical system of a sandbox over HTTP, page by page, as a client does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import requests

from hic_assets.sandbox import Sandbox
from hic_assets.sandbox.world.roster import local_midnight

Json = dict[str, Any]
SECONDS = 20


def token(sandbox: Sandbox, name: str = "hpemr") -> str:
    """A fresh access token."""
    account = sandbox.credentials[name]
    reply = requests.post(
        f"{sandbox.urls[name]}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(account["username"], account["password"]),
        timeout=SECONDS,
    )
    return str(reply.json()["access_token"])


def headers(sandbox: Sandbox, name: str) -> dict[str, str]:
    """What shows that we may ask."""
    if name == "efiche":
        return {"X-Api-Key": sandbox.credentials[name]["token"]}
    return {"Authorization": f"Bearer {token(sandbox, name)}"}


def get(
    sandbox: Sandbox, name: str, path: str, given: dict[str, str] | None = None, **params: Any
) -> requests.Response:
    """One GET below ``api/v1``; ``given`` replaces the headers."""
    shown = headers(sandbox, name) if given is None else given
    url = f"{sandbox.urls[name]}/api/v1/{path}"
    return requests.get(url, params=params, headers=shown, timeout=SECONDS, allow_redirects=False)


def efiche_pages(sandbox: Sandbox, resource: str, size: int = 200, **params: Any) -> Iterator[requests.Response]:
    """Every page of a question."""
    shown, page, pages = headers(sandbox, "efiche"), 1, 1
    while page <= pages:
        reply = get(sandbox, "efiche", resource, shown, page=page, per_page=size, **params)
        yield reply
        pages, page = reply.json()["meta"]["total_pages"], page + 1


def hpemr_pages(sandbox: Sandbox, resource: str, size: int = 500, **params: Any) -> Iterator[requests.Response]:
    """Every page of a question."""
    shown, cursor = headers(sandbox, "hpemr"), ""
    while cursor is not None:
        asked = {**params, "limit": size} | ({"cursor": cursor} if cursor else {})
        reply = get(sandbox, "hpemr", resource, shown, **asked)
        yield reply
        cursor = reply.json()["next_cursor"]


def efiche_records(sandbox: Sandbox, resource: str, start: date, last: date, size: int = 200) -> list[Json]:
    """The records of these days, both included."""
    days = {"date_from": f"{start:%d/%m/%Y}", "date_to": f"{last:%d/%m/%Y}"}
    return [row for page in efiche_pages(sandbox, resource, size, **days) for row in page.json()["data"]]


def hpemr_records(sandbox: Sandbox, resource: str, start: date, end: date, size: int = 500) -> list[Json]:
    """The records of [start, end)."""
    moments = {"from": local_midnight(start), "to": local_midnight(end)}
    return [row for page in hpemr_pages(sandbox, resource, size, **moments) for row in page.json()["items"]]


def control(sandbox: Sandbox, **body: Any) -> dict[str, Any]:
    reply = requests.post(sandbox.control_url, json=body, timeout=60)
    assert reply.status_code == 200, reply.text
    return reply.json()
