"""A small country's clinical systems, read by hand over HTTP: plain requests, plain JSON, no kit.

Belongs here: asking and reading as a careful person would. Does not: what a record should say (`clinical_contracts`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import requests
from clinical_contracts import STATES, Told, column_of, leaves
from pydantic import SecretStr

from hic_assets.extract.http import HttpOptions
from hic_assets.extract.rest.api import RestApi
from hic_assets.extract.rest.client import RestSource
from hic_assets.resources import SourcesResource
from hic_assets.sandbox import Sandbox
from hic_assets.settings import SourceSettings
from hic_assets.systems import SYSTEMS
from hic_assets.systems.declare import Feed, System

KIGALI = ZoneInfo("Africa/Kigali")
SECONDS = 20
# The 53rd week of 2026 ends in 2027.
WINDOWS = {
    "weekly": ((date(2026, 12, 28), date(2027, 1, 4)), (date(2026, 11, 2), date(2026, 11, 9))),
    "monthly": ((date(2026, 12, 1), date(2027, 1, 1)), (date(2026, 8, 1), date(2026, 9, 1))),
}
TODAY = date(2027, 1, 20)


class Spelled(str):
    """A number as it was written."""


def declared(told: Told) -> tuple[System, Feed]:
    """The system and the feed of a resource."""
    system = next(s for s in SYSTEMS if s.name == told.system)
    return system, system.feed(told.name)


def milliseconds(day: date) -> int:
    """The moment a day begins in Kigali."""
    return int(datetime(day.year, day.month, day.day, tzinfo=KIGALI).timestamp() * 1000)


class Rest(SourcesResource):
    """The systems of one sandbox, and no pause between requests."""

    settings: dict[str, dict[str, str]]
    folder: str

    def rest(self, system: System) -> RestSource:
        assert system.api is not None
        mine = self.settings[system.name]
        secret: dict[str, SecretStr] = {name: SecretStr(mine[name]) for name in ("password", "token") if name in mine}
        found = SourceSettings(system=system.name, url=mine["url"], username=mine.get("username"), **secret)  # type: ignore[arg-type]
        options = HttpOptions(max_attempts=2, sleep=lambda _: None)
        return RestSource(quick(system), found, self.spool(), options)

    def spool(self) -> Path:
        return Path(self.folder)


def quick(system: System) -> RestApi:
    """Its API as declared, without the pace: the sandbox is ours."""
    assert system.api is not None
    return replace(system.api, requests_per_second=100_000)


def sources(sandbox: Sandbox, folder: Path) -> Rest:
    """What opens sessions with the systems of a sandbox."""
    names = sandbox.credentials
    return Rest(settings={n: {"url": sandbox.urls[n], **sandbox.credentials[n]} for n in names}, folder=str(folder))


# ---- asking by hand


@dataclass
class ByHand:
    """A person with the contract and a command line."""

    sandbox: Sandbox

    def records(self, told: Told, start: date, end: date) -> list[dict[str, Any]]:
        """The records of [start, end), numbers as they were written."""
        ask: Callable[[Told, date, date], Iterator[dict[str, Any]]] = getattr(self, f"_{told.system}")
        return list(ask(told, start, end))

    def whole(self, system: str, path: str) -> dict[str, Any]:
        """A list that is read whole."""
        mine = self.sandbox.credentials[system]
        headers = {"efiche": {"X-Api-Key": mine.get("token")}, "idsr": {"Authorization": f"ApiKey {mine.get('token')}"}}
        shown = headers[system] if system in headers else {"Authorization": self._hpemr_token()}
        reply = requests.get(f"{self.sandbox.urls[system]}/{path}", headers=shown, timeout=SECONDS)
        reply.raise_for_status()
        found: dict[str, Any] = reply.json()
        return found

    def _get(self, told: Told, params: dict[str, Any], auth: Any = None, **headers: str) -> requests.Response:
        url = f"{self.sandbox.urls[told.system]}/{told.path}"
        reply = requests.get(url, params=params, auth=auth, headers=headers, timeout=SECONDS)
        reply.raise_for_status()
        return reply

    def _efiche(self, told: Told, start: date, end: date) -> Iterator[dict[str, Any]]:
        days = {"date_from": f"{start:%d/%m/%Y}", "date_to": f"{end - timedelta(days=1):%d/%m/%Y}", "per_page": 190}
        page, pages = 1, 1
        while page <= pages:
            key = self.sandbox.credentials["efiche"]["token"]
            body = parsed(self._get(told, {**days, "page": page}, **{"X-Api-Key": key}).text)
            yield from body["data"]
            page, pages = page + 1, int(body["meta"]["total_pages"])

    def _hpemr(self, told: Told, start: date, end: date) -> Iterator[dict[str, Any]]:
        shown = self._hpemr_token()
        asked: dict[str, Any] = {"from": milliseconds(start), "to": milliseconds(end), "limit": 40}
        while True:
            body = parsed(self._get(told, asked, Authorization=shown).text)
            yield from body["items"]
            if body["next_cursor"] is None:
                return
            asked["cursor"] = body["next_cursor"]

    def _hpemr_token(self) -> str:
        mine = self.sandbox.credentials["hpemr"]
        form, who = {"grant_type": "client_credentials"}, (mine["username"], mine["password"])
        reply = requests.post(f"{self.sandbox.urls['hpemr']}/oauth/token", data=form, auth=who, timeout=SECONDS)
        return f"Bearer {reply.json()['access_token']}"

    def _ebuzima(self, told: Told, start: date, end: date) -> Iterator[dict[str, Any]]:
        mine = self.sandbox.credentials["ebuzima"]
        who = (mine["username"], mine["password"])
        days = {"startDate": f"{start}T00:00:00+02:00", "endDate": f"{end}T00:00:00+02:00", "limit": 17}
        reply = self._get(told, days, who)
        while True:
            yield from parsed(reply.text)["results"]
            if "next" not in reply.links:
                return
            reply = requests.get(reply.links["next"]["url"], auth=who, timeout=SECONDS)

    def _cemr(self, told: Told, start: date, end: date) -> Iterator[dict[str, Any]]:
        shown = f"Bearer {self.sandbox.credentials['cemr']['token']}"
        reply = self._get(told, {"from": start, "to": end}, Authorization=shown)
        *lines, last = reply.content.decode().splitlines()
        assert json.loads(last) == {"end": True, "count": len(lines)}
        yield from map(parsed, lines)

    def _idsr(self, told: Told, start: date, end: date) -> Iterator[dict[str, Any]]:
        assert (end - start).days == 7
        year, week, _ = start.isocalendar()
        shown, got = f"ApiKey {self.sandbox.credentials['idsr']['token']}", 0
        while True:
            asked = {"epiWeek": f"{year}W{week:02}", "offset": got, "limit": 700}
            reply = self._get(told, asked, Authorization=shown)
            rows = parsed(reply.text)
            yield from rows
            got += len(rows)
            if got >= int(reply.headers["X-Total-Count"]):
                return


def parsed(text: str) -> Any:
    """JSON with its numbers as they were written."""
    return json.loads(text, parse_int=Spelled, parse_float=Spelled)


def written(value: Any) -> str:
    """A value as canonical JSON: sorted keys, no spaces, numbers as they were written."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{written(v)}" for k, v in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return str(value) if isinstance(value, Spelled) else json.dumps(value, ensure_ascii=False)


def row_of(told: Told, record: dict[str, Any]) -> dict[str, str | None]:
    """A record as a row of text, by the contract alone."""
    row: dict[str, str | None] = {}
    for leaf in leaves(told):
        at: Any = record
        for name in leaf.path.split("."):
            at = None if at is None else at[name]
        row[column_of(told, leaf.path)] = _text(at)
    if told.system in STATES:
        member, gone = STATES[told.system]
        row["deleted"] = str(record[member] == gone).lower()
    row["updated_at"] = f"{instant(told, row['updated_at'] or ''):%Y-%m-%dT%H:%M:%S.%f+0000}"
    return row


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool | dict | list):
        return written(value)
    return str(value)


def instant(told: Told, text: str) -> datetime:
    """The moment that a text of a system tells, in UTC."""
    if told.system == "efiche":
        return datetime.strptime(text, "%d/%m/%Y %H:%M:%S").replace(tzinfo=KIGALI).astimezone(UTC)
    if told.system == "hpemr":
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    return datetime.fromisoformat(text).astimezone(UTC)


def day(told: Told, text: str) -> date:
    """The day in Kigali that a text of a system tells."""
    if told.system == "efiche":
        return datetime.strptime(text, "%d/%m/%Y").date()
    if told.system in ("cemr", "idsr"):
        return date.fromisoformat(text)
    return instant(told, text).astimezone(KIGALI).date()


# ---- the truth


def truth(sandbox: Sandbox, told: Told, start: date | None = None, end: date | None = None) -> pl.DataFrame:
    """What the sandbox's store holds (of these days): id, day, updated_at, deleted. Never served as such."""
    window = [None if at is None else milliseconds(at) for at in (start, end)]
    frame = sandbox.clinical[told.system].store.records(told.stored, *window)
    moment = pl.from_epoch(pl.col("_updated"), time_unit="ms").dt.replace_time_zone("UTC")
    # All but HPEMR write their times to the second.
    moment = moment if told.system == "hpemr" else moment.dt.truncate("1s")
    happened = pl.from_epoch(pl.col("_happened"), time_unit="ms").dt.replace_time_zone("UTC")
    return frame.select(
        id="id",
        day=happened.dt.convert_time_zone(str(KIGALI)).dt.date(),
        updated_at=moment.cast(pl.Datetime("us", "UTC")),
        deleted="_deleted",
    )
