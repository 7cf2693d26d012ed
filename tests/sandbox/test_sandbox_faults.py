"""Every fault, seen over HTTP, and gone when it is switched off."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import requests
from sandbox_help import district

from hic_assets.sandbox import Sandbox
from hic_assets.sandbox.server.faults import FAULTS
from hic_assets.sandbox.server.spoil import BAD_TEXTS
from hic_assets.sandbox.world.hashing import uid

Get = Callable[..., requests.Response]
KEY = ["dataelement", "period", "orgunit", "categoryoptioncombo", "attributeoptioncombo"]


def read(reply: requests.Response) -> pl.DataFrame:
    assert reply.status_code == 200, reply.text
    return pl.read_csv(io.BytesIO(reply.content), infer_schema=False)


def test_every_fault_has_a_test() -> None:
    # those of trackers alone have a file of their own
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_sandbox*_faults.py"))
    assert all(f'"{name}"' in text for name in FAULTS)


def test_an_unknown_fault_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="no fault 'gremlins'"):
        sandbox.faults.set("gremlins")


@pytest.mark.parametrize(("name", "status"), [("unavailable", 503), ("rate_limited", 429)])
def test_refusals_of_the_proxy(sandbox: Sandbox, get: Get, name: str, status: int) -> None:
    sandbox.faults.set(name, times=2, retry_after=3)
    replies = [get("system/info") for _ in range(3)]
    assert [r.status_code for r in replies] == [status, status, 200]
    assert replies[0].headers["retry-after"] == "3"
    assert replies[0].headers["content-type"].startswith("text/html")
    sandbox.faults.set(name, times=1)
    assert "retry-after" not in get("system/info").headers
    assert sandbox.faults.hits[name] == 3
    sandbox.faults.set(name, times=1, status=502)
    assert get("system/info").status_code == 502


def test_faults_can_be_skipped_limited_to_paths_and_random(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults.set("unavailable", path="/api/me", skip=1, query="a=1")
    assert get("system/info").status_code == 200
    assert [get("me", params={"a": 1}).status_code for _ in range(3)] == [200, 503, 503]
    assert get("me", params={"a": 2}).status_code == 200
    sandbox.faults.set("unavailable", probability=0.5)
    found = [get("me").status_code for _ in range(40)]
    assert 5 < found.count(503) < 35


def test_slow_first_byte_and_trickle(sandbox: Sandbox, get: Get, values: Get) -> None:
    sandbox.faults.set("slow", seconds=1.0)
    with pytest.raises(requests.ReadTimeout):
        get("system/info", timeout=0.2)
    whole = b""
    sandbox.faults.set("slow", seconds=0.3, trickle=5)
    for piece in values(format="csv", stream=True).iter_content(None):
        whole += piece
    sandbox.faults.clear()
    assert whole == values(format="csv").content


def test_cut_body_breaks_the_connection_inside_a_row(sandbox: Sandbox, values: Get) -> None:
    whole = values(format="csv").content
    sandbox.faults.set("cut_body", times=1)
    got = b""
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        for piece in values(format="csv", stream=True).iter_content(1000):
            got += piece
    assert 0 < len(got) < len(whole)
    assert whole.startswith(got)
    assert values(format="csv").content == whole


@pytest.mark.parametrize(("name", "wire"), [("truncated_body", "csv"), ("truncated_json", "json")])
def test_truncated_bodies_end_cleanly(sandbox: Sandbox, values: Get, name: str, wire: str) -> None:
    whole = values(format=wire).content
    sandbox.faults.set(name, times=1, fraction=0.5)
    reply = values(format=wire)
    assert reply.status_code == 200
    assert int(reply.headers["content-length"]) == len(reply.content)
    assert whole.startswith(reply.content)
    assert not reply.content.endswith((b"\n", b"}"))
    if wire == "json":
        with pytest.raises(requests.exceptions.JSONDecodeError):
            reply.json()


@pytest.mark.parametrize(("name", "status"), [("html_login", 200), ("html_404", 404)])
def test_pages_instead_of_data(sandbox: Sandbox, values: Get, name: str, status: int) -> None:
    sandbox.faults.set(name)
    reply = values(format="csv")
    assert reply.status_code == status
    assert reply.headers["content-type"].startswith("text/html")
    assert "<html" in reply.text


def test_redirect_to_another_port(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults.set("redirect")
    reply = get("system/info")
    assert reply.status_code == 302
    assert reply.headers["location"] == f"{sandbox.elsewhere_url}/hmis/api/system/info"
    followed = get("system/info", allow_redirects=True)
    assert followed.status_code == 200
    assert "<form" in followed.text
    assert sandbox.elsewhere_requests[-1].path == "/hmis/api/system/info"
    assert "authorization" not in sandbox.elsewhere_requests[-1].headers


def test_reset_is_a_tcp_reset(sandbox: Sandbox, get: Get) -> None:
    sandbox.faults.set("reset", times=1)
    with pytest.raises(requests.exceptions.ConnectionError):
        get("system/info")
    assert sandbox.requests[-1].status == 0
    sandbox.faults.set("reset", times=1)
    host, port = sandbox.url.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(b"GET /hmis/api/me HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            raw.recv(100)
    assert get("system/info").status_code == 200


def test_empty_body(sandbox: Sandbox, values: Get) -> None:
    sandbox.faults.set("empty_body")
    reply = values(format="csv")
    assert (reply.status_code, reply.content) == (200, b"")


def test_timeout_over_rows_lets_small_requests_through(sandbox: Sandbox, values: Get) -> None:
    rows = read(values(format="csv")).height
    sandbox.faults.set("timeout_over_rows", rows=rows)
    assert values(format="csv").status_code == 200
    assert values(format="csv", orgUnit=[district("102"), district("101")]).status_code == 504
    assert values(format="csv", period=["202605", "202604"]).status_code == 504


def test_duplicates(sandbox: Sandbox, values: Get) -> None:
    clean = read(values(format="csv"))
    sandbox.faults.set("duplicates", rows=4)
    frame = read(values(format="csv"))
    assert frame.height == clean.height + 4
    assert frame.unique().height == clean.height
    sandbox.faults.clear()
    sandbox.faults.set("conflicting_duplicates", rows=2)
    frame = read(values(format="csv"))
    assert frame.unique().height == clean.height + 2
    assert frame.unique(KEY).height == clean.height
    assert sandbox.faults.injected == {"duplicates": 4, "conflicting_duplicates": 2}


def test_bad_values(sandbox: Sandbox, values: Get) -> None:
    sandbox.faults.set("bad_values", rows=5)
    frame = read(values(format="csv"))
    assert frame.filter(pl.col("value").is_in(BAD_TEXTS)).height == 5
    sandbox.faults.clear()
    assert not read(values(format="csv"))["value"].is_in(BAD_TEXTS).any()


@pytest.mark.parametrize(
    ("name", "column", "text"),
    [
        ("unknown_facility", "orgunit", uid("unknown", "facility")),
        ("unknown_data_element", "dataelement", uid("unknown", "dataElement")),
        ("impossible_period", "period", "202613"),
    ],
)
def test_foreign_rows(sandbox: Sandbox, values: Get, name: str, column: str, text: str) -> None:
    clean = read(values(format="csv"))
    sandbox.faults.set(name, rows=3)
    frame = read(values(format="csv"))
    assert (frame[column] == text).sum() == 3
    assert frame.filter(pl.col(column) != text).height == clean.height


def test_wrong_columns(sandbox: Sandbox, values: Get) -> None:
    sandbox.faults.set("wrong_columns", column="categoryoptioncombo", to="catoptcombo")
    assert "catoptcombo" in values(format="csv").text.split("\n")[0]
    sandbox.faults.set("wrong_columns", column="value")
    lines = values(format="csv").text.split("\n")
    assert "value" not in lines[0].split(",")
    assert len(lines[1].split(",")) == len(lines[0].split(",")) == 10


def test_ragged_rows_and_invalid_utf8(sandbox: Sandbox, values: Get) -> None:
    sandbox.faults.set("ragged_rows", rows=2)
    lines = values(format="csv").text.split("\n")
    assert [line.count(",") for line in lines[:4]] == [10, 11, 11, 10]
    sandbox.faults.clear()
    sandbox.faults.set("invalid_utf8")
    with pytest.raises(UnicodeDecodeError):
        values(format="csv").content.decode()


def test_ou_ignored_gives_the_whole_country(sandbox: Sandbox, values: Get) -> None:
    own = read(values(format="csv"))
    sandbox.faults.set("ou_ignored")
    everything = read(values(format="csv"))
    assert everything["orgunit"].n_unique() > 5 * own["orgunit"].n_unique()
    assert set(own["orgunit"]) < set(everything["orgunit"])


def test_wrong_system_id(sandbox: Sandbox, get: Get) -> None:
    own = get("system/info").json()["systemId"]
    sandbox.faults.set("wrong_system_id", times=1)
    assert get("system/info").json()["systemId"] != own
    assert get("system/info").json()["systemId"] == own
