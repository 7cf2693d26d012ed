"""A twelfth system, imagined: the blood bank, from its declaration to frames. What a new system takes is on this page.

OAuth2, cursors, moments in milliseconds, a status for a tombstone, nested donors and tests; served as an awkward server
does: compressed, in small pages, with a busy moment and a token that dies on the way.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import SecretStr
from stub_http import Answer, Asked, Stub, Waits, as_json, packed

from hic_assets.extract.rest.api import ClientCredentials, RestApi
from hic_assets.extract.rest.changes import changes_since
from hic_assets.extract.rest.client import RestSource
from hic_assets.extract.rest.moments import TimeForm, midnight
from hic_assets.extract.rest.paging import Cursor
from hic_assets.extract.rest.read import records
from hic_assets.extract.rest.resource import ChangeFilter, Form, Happened, Member, Resource
from hic_assets.extract.rest.windows import Window
from hic_assets.settings import SourceSettings

API = RestApi(ClientCredentials("connect/token", scope="donations.read"), requests_per_second=10_000)

DONATIONS = Resource(
    name="donations",
    path="v2/donations",
    rows="result.donations",
    paging=Cursor(cursor="after", next_path="result.next", page_size=200, total="result.count"),
    window=Window("givenFrom", "givenTo", TimeForm.EPOCH_MS),
    happened=Happened("given_at", TimeForm.EPOCH_MS),
    changes=ChangeFilter("changedSince", "updated_at", TimeForm.EPOCH_MS),
    deleted="deleted",
    members=(
        Member("donation", "id", "Number of the donation.", key=True),
        Member("given_at", "givenAt", "When it was given, milliseconds since 1970.", required=True),
        Member("site", "site.code", "FOSA code of where.", required=True),
        Member("donor", "donor.number", "Number of the donor.", identifying="identifies a person"),
        Member("blood_group", "donor.group", "ABO and rhesus.", allowed=frozenset({"O+", "O-", "A+", "A-"})),
        Member("volume_ml", "volume", "Millilitres."),
        Member("tests", "tests", "Results of screening.", form=Form.JSON, identifying="health data of a person"),
        Member("status", "status", "GIVEN, RELEASED or VOID."),
        Member("deleted", "status", "'true' where it was voided.", true_when=frozenset({"VOID"})),
        Member("updated_at", "changedAt", "When the record was last changed.", instant=TimeForm.EPOCH_MS),
    ),
)

SECRET = "blood-bank-secret"
NOW = datetime(2026, 4, 1, 6, tzinfo=UTC)
FIRST, DAYS, A_DAY = date(2026, 2, 23), 28, 60


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def donation(number: int) -> dict[str, Any]:
    given = midnight(FIRST + timedelta(days=number // A_DAY)) + timedelta(minutes=24 * (number % A_DAY))
    return {
        "id": number,
        "givenAt": milliseconds(given),
        "site": {"code": f"{number % 40:04}"},
        "donor": {"number": f"D{number:06}", "group": ["O+", "O-", "A+", "A-"][number % 4]},
        "volume": 450 if number % 3 else "450.0",
        "tests": [{"result": "neg", "code": "HIV"}, {"code": "HBV", "result": "neg", "index": 0.10}],
        "status": "VOID" if number % 97 == 0 else "RELEASED",
        "changedAt": milliseconds(given + timedelta(hours=3)),
    }


class BloodBank:
    """The server, told by the stub."""

    def __init__(self, stub: Stub) -> None:
        self.rows = {n: donation(n) for n in range(DAYS * A_DAY)}
        self.tokens: list[str] = []
        self.pages = 0
        stub.answer = self.answer

    def answer(self, asked: Asked) -> Answer:
        found = self._answer(asked)
        found.headers["Date"] = NOW.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return found

    def _answer(self, asked: Asked) -> Answer:
        if asked.path == "/bank/connect/token":
            self.tokens.append(f"token-{len(self.tokens)}")
            return as_json({"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 300})
        self.pages += 1
        if self.pages == 3:
            return Answer(status=429, headers={"Retry-After": "2"})
        if self.pages == 5 or asked.headers["Authorization"] != f"Bearer {self.tokens[-1]}":
            self.tokens.append("gone")
            return as_json({"error": "invalid_token", "error_description": "expired"}, status=401)
        rows = sorted(self.chosen(asked), key=lambda row: row["id"])
        at = int(asked.one("after") or 0)
        size = min(int(asked.one("limit") or 0), 150)
        following = str(at + size) if at + size < len(rows) else None
        return packed(as_json({"result": {"donations": rows[at : at + size], "next": following, "count": len(rows)}}))

    def chosen(self, asked: Asked) -> list[dict[str, Any]]:
        since = asked.one("changedSince")
        if since is not None:
            return [row for row in self.rows.values() if row["changedAt"] >= int(since)]
        first, after = int(asked.one("givenFrom") or 0), int(asked.one("givenTo") or 0)
        return [row for row in self.rows.values() if first <= row["givenAt"] < after]


def read(source: RestSource, start: date, end: date) -> pl.DataFrame:
    stream = records(source, DONATIONS, start, end)
    batches = list(stream)
    assert not any(batch.rejects is not None for batch in batches)
    assert stream.unknown_columns == ()
    assert stream.read_at == NOW
    frame = pl.concat([batch.frame for batch in batches])
    assert sum(one.rows for one in stream.stats) == frame.height
    return frame


def test_from_the_declaration_to_frames(stub: Stub, waits: Waits, spool_dir: Path) -> None:
    bank = BloodBank(stub)
    settings = SourceSettings(system="bloodbank", url=f"{stub.url}/bank", username="hic", password=SecretStr(SECRET))
    weeks = [FIRST + timedelta(days=7 * n) for n in range(5)]
    with RestSource(API, settings, spool_dir, waits.options()) as source:
        parts = [read(source, start, end) for start, end in pairwise(weeks)]

        # Every donation is in one week, and in the week it was given.
        assert [part.height for part in parts] == [7 * A_DAY] * 4
        whole = pl.concat(parts)
        assert sorted(map(int, whole["donation"])) == list(range(DAYS * A_DAY))
        assert whole.columns == list(DONATIONS.columns)
        row = whole.row(by_predicate=pl.col("donation") == "97", named=True)
        assert row == {
            "donation": "97",
            "given_at": "1771937280000",
            "site": "0017",
            "donor": "D000097",
            "blood_group": "O-",
            "volume_ml": "450",
            "tests": '[{"code":"HIV","result":"neg"},{"code":"HBV","index":0.1,"result":"neg"}]',
            "status": "VOID",
            "deleted": "true",
            "updated_at": "2026-02-24T15:48:00.000000+0000",
        }
        assert whole.filter(pl.col("donation") == "99")["volume_ml"].item() == "450.0"
        assert whole["deleted"].value_counts().sort("deleted").rows() == [("false", 1662), ("true", 18)]

        # An edit, a deletion and a late record: the days they touch, and these alone, are read again.
        since = NOW - timedelta(days=1)
        late = milliseconds(NOW - timedelta(hours=1))
        bank.rows[3] |= {"status": "VOID", "changedAt": late}
        bank.rows[700] |= {"volume": 300, "changedAt": late}
        bank.rows[5000] = donation(1200) | {"id": 5000, "changedAt": late}
        changes = changes_since(source, DONATIONS, since)
        touched = changes.days(since)
        assert touched["day"].to_list() == [FIRST, date(2026, 3, 6), date(2026, 3, 15)]
        assert changes.frame["deleted"].to_list() == [True, False, False]
        assert changes.watermark == NOW - timedelta(hours=1)
        again = read(source, date(2026, 3, 9), date(2026, 3, 16))
        assert again.height == 7 * A_DAY + 1

    assert 2.0 in waits.slept
    assert bank.tokens.count("gone") == 1
    assert list(spool_dir.iterdir()) == []
    shown = " ".join(str(asked.params) + asked.path for asked in stub.asked)
    assert SECRET not in shown
    assert "token-" not in shown
