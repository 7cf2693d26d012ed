"""The HTTP session: authentication, what is retried and what is not, and bodies proved whole (contract 1.8, 1.9)."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

import pytest
from stub_http import PASSWORD, Answer, Stub, Waits, as_csv, as_json, packed

from hic_assets.extract.auth import BasicAuth, NoAuth, TokenAuth
from hic_assets.extract.errors import (
    AuthError,
    HtmlInsteadOfData,
    NotFound,
    PermanentSourceError,
    QueryRefused,
    RedirectRefused,
    ServerFault,
    SourceError,
    SpoolFull,
    TimedOut,
    TooLarge,
    TransientSourceError,
    TruncatedBody,
    UnexpectedContent,
    Unreachable,
)
from hic_assets.extract.http import CSV, JSON, HttpSource

LOGIN = Answer(b"<!DOCTYPE html><html><title>Log in</title></html>", "text/html;charset=UTF-8")
OK = {"ok": True}


def test_every_request_says_who_it_is_and_what_it_takes(stub: Stub, source: HttpSource) -> None:
    source.get_json("api/me")
    headers = stub.asked[0].headers
    assert headers["Authorization"] == "Basic ZXRsOnMzY3JldC9wYSBzcw=="
    assert headers["X-Requested-With"] == "XMLHttpRequest"
    assert headers["Accept"] == "application/json"


def test_a_token_goes_as_api_token(stub: Stub, waits: Waits, spool_dir: Path) -> None:
    with HttpSource("hmis", stub.url, TokenAuth("d2pat_abc"), spool_dir, waits.options()) as source:
        source.get_json("api/me")
    assert stub.asked[0].headers["Authorization"] == "ApiToken d2pat_abc"


def test_no_credentials_are_taken_from_elsewhere(
    stub: Stub, waits: Waits, spool_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with HttpSource("hmis", stub.url, NoAuth(), spool_dir, waits.options()) as source:
        source.get_json("api/me")
    assert "Authorization" not in stub.asked[0].headers


def test_one_401_and_stop(stub: Stub, source: HttpSource, waits: Waits) -> None:
    stub.in_turn(as_json({"message": "Bad credentials"}, status=401))
    for _ in range(3):
        with pytest.raises(AuthError) as caught:
            source.get_json("api/me")
        assert caught.value.status == 401
    assert len(stub.asked) == 1
    assert waits.slept == []


@pytest.mark.parametrize(
    ("status", "kind"), [(400, QueryRefused), (403, AuthError), (404, NotFound), (409, QueryRefused)]
)
def test_what_would_fail_again_is_not_retried(
    stub: Stub, source: HttpSource, status: int, kind: type[SourceError]
) -> None:
    stub.in_turn(as_json({"message": "No such thing", "errorCode": "E2001"}, status=status))
    with pytest.raises(kind, match="No such thing") as caught:
        source.get_json("api/x")
    assert isinstance(caught.value, PermanentSourceError)
    assert caught.value.status == status
    assert len(stub.asked) == 1
    if isinstance(caught.value, QueryRefused):
        assert caught.value.error_code == "E2001"


def test_a_403_does_not_end_the_session(stub: Stub, source: HttpSource) -> None:
    stub.in_turn(as_json({}, status=403), as_json(OK))
    with pytest.raises(AuthError):
        source.get_json("api/a")
    assert source.get_json("api/b") == OK


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again_with_full_jitter(
    stub: Stub, source: HttpSource, waits: Waits, status: int
) -> None:
    busy = Answer(b"<html>busy</html>", "text/html", status)
    stub.in_turn(busy, busy, busy, as_json(OK))
    with source.spool("api/x", [], JSON) as body:
        assert body.attempts == 4
    assert waits.drawn == [(0.0, 1.0), (0.0, 2.0), (0.0, 4.0)]
    assert waits.slept == [1.0, 2.0, 4.0]


def test_five_attempts_and_no_more(stub: Stub, source: HttpSource, waits: Waits) -> None:
    stub.in_turn(Answer(status=503))
    with pytest.raises(ServerFault, match="after 5 attempts") as caught:
        source.get_json("api/x")
    assert caught.value.attempts == len(stub.asked) == 5
    assert len(waits.slept) == 4


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", 7.0),
        ("Wed, 01 May 2024 12:00:30 GMT", 30.0),
        ("Wed, 01 May 2024 11:00:00 GMT", 0.0),
        ("99999", 120.0),
        ("9" * 400, 120.0),
        # None of these is a wait; nor do they end anything else than they must.
        ("soon", 1.0),
        ("\u00b2", 1.0),
        ("Wed, 01 May 2024 12:00:30 +99999999999999", 1.0),
        ("Fri, 31 Dec 9999 23:59:59 -0100", 1.0),
        ("Wed, 01 May 99999 12:00:30 GMT", 1.0),
    ],
)
def test_retry_after_is_honoured_and_capped(
    stub: Stub, source: HttpSource, waits: Waits, header: str, wait: float
) -> None:
    stub.in_turn(Answer(status=503, headers={"Retry-After": header}), as_json(OK))
    source.get_json("api/x")
    assert waits.slept == [wait]


@pytest.mark.parametrize(
    "broken",
    [
        Answer(b'{"ok": true', fault="cut"),
        Answer(b'{"ok": true', fault="cut-chunked"),
        Answer(b'{"ok": true'),
        Answer(b'{"a": ["x", "unfinished'),
        Answer(b'{"a": {"b": 1}, '),
        Answer(b""),
        Answer(packed(as_json({"ok": "x" * 5000})).body[:-20], headers={"Content-Encoding": "gzip"}),
        Answer(fault="reset"),
    ],
)
def test_a_body_cut_anywhere_is_fetched_again(stub: Stub, source: HttpSource, broken: Answer) -> None:
    stub.in_turn(broken, as_json(OK))
    assert source.get_json("api/x") == OK
    assert len(stub.asked) == 2


@pytest.mark.parametrize("broken", [as_csv("a,b\n1,2\n1"), as_csv(""), as_csv("a,b\n1,2\n", fault="cut")])
def test_a_csv_must_end_with_a_newline(stub: Stub, source: HttpSource, broken: Answer, spool_dir: Path) -> None:
    stub.in_turn(broken)
    with pytest.raises(TruncatedBody, match="run again"):
        source.spool("api/x.csv", [], CSV)
    assert len(stub.asked) == 5
    assert list(spool_dir.iterdir()) == []


def test_json_that_is_broken_inside_is_no_cut_body(stub: Stub, source: HttpSource) -> None:
    stub.in_turn(Answer(b'{"a" 1, "b": [1, 2, 3], "c": "a long enough rest"}'))
    with pytest.raises(UnexpectedContent, match="broken"):
        source.get_json("api/x")
    assert len(stub.asked) == 1


def test_a_silent_server_times_out(stub: Stub, waits: Waits, spool_dir: Path) -> None:
    stub.in_turn(Answer(fault="stall"))
    options = waits.options(read_timeout=0.2, max_attempts=2)
    with (
        HttpSource("hmis", stub.url, NoAuth(), spool_dir, options) as source,
        pytest.raises(TimedOut, match=r"no reply within 0\.2 s after 2 attempts"),
    ):
        source.get_json("api/x")
    assert len(stub.asked) == 2


def test_a_reply_that_takes_too_long_in_all_times_out(stub: Stub, waits: Waits, spool_dir: Path) -> None:
    stub.in_turn(as_json(OK))
    options = waits.options(attempt_seconds=-1.0, max_attempts=1)
    with (
        HttpSource("hmis", stub.url, NoAuth(), spool_dir, options) as source,
        pytest.raises(TimedOut, match="longer than"),
    ):
        source.get_json("api/x")
    assert list(spool_dir.iterdir()) == []


def test_nobody_there(waits: Waits, spool_dir: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with (
        HttpSource("hmis", url, NoAuth(), spool_dir, waits.options()) as source,
        pytest.raises(Unreachable, match="refused") as caught,
    ):
        source.get_json("api/x")
    assert isinstance(caught.value, TransientSourceError)
    assert len(waits.slept) == 4


def test_an_expired_session_is_left_and_the_request_made_once_more(stub: Stub, source: HttpSource) -> None:
    def answer(asked: Any) -> Answer:
        if asked.path == "/api/first":
            return as_json(OK, headers={"Set-Cookie": "JSESSIONID=old; Path=/"})
        return LOGIN if "JSESSIONID" in asked.headers.get("Cookie", "") else as_json({"fresh": True})

    stub.answer = answer
    source.get_json("api/first")
    assert source.get_json("api/second") == {"fresh": True}
    assert len(stub.asked) == 3


@pytest.mark.parametrize("answer", [LOGIN, Answer(status=302, headers={"Location": "/dhis-web-login/"})])
def test_a_login_page_is_no_data(stub: Stub, source: HttpSource, waits: Waits, answer: Answer) -> None:
    stub.in_turn(answer)
    with pytest.raises(HtmlInsteadOfData, match="credentials"):
        source.get_json("api/x")
    assert len(stub.asked) == 2
    assert waits.slept == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_follow_no_redirect(stub: Stub, other: Stub, source: HttpSource, status: int) -> None:
    target = other.url.replace("http://", "http://me:hidden@") + "/api/x?token=hidden&a=1"
    stub.in_turn(Answer(status=status, headers={"Location": target}))
    with pytest.raises(RedirectRefused) as caught:
        source.get_json("api/x")
    assert other.asked == []
    assert other.url in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_another_content_type_is_refused(stub: Stub, source: HttpSource) -> None:
    stub.in_turn(Answer(b"<a/>", "application/xml"))
    with pytest.raises(UnexpectedContent, match="application/xml"):
        source.get_json("api/x")


def test_a_compressed_body_is_decoded_and_its_size_capped(stub: Stub, waits: Waits, spool_dir: Path) -> None:
    stub.answer = lambda _: packed(as_csv("a\n" + "0" * 5_000_000 + "\n"))
    with HttpSource("hmis", stub.url, NoAuth(), spool_dir, waits.options()) as source:
        with source.spool("x", [], CSV) as body:
            assert body.bytes == body.path.stat().st_size == 5_000_003
        assert not body.path.exists()
    with (
        HttpSource("hmis", stub.url, NoAuth(), spool_dir, waits.options(max_bytes=100_000)) as source,
        pytest.raises(TooLarge, match="100,000"),
    ):
        source.spool("x", [], CSV)
    assert list(spool_dir.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_says_how_much_and_where(
    stub: Stub, source: HttpSource, monkeypatch: pytest.MonkeyPatch, spool_dir: Path
) -> None:
    stub.in_turn(as_csv("a\n" + "0" * 3_000_000 + "\n"))
    gone = str(spool_dir / "gone")
    monkeypatch.setattr(tempfile, "mkstemp", lambda **_: (os.open("/dev/full", os.O_WRONLY), gone))
    with pytest.raises(SpoolFull, match="bytes") as caught:
        source.spool("x", [], CSV)
    assert str(spool_dir) in str(caught.value)
    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(f"refused {PASSWORD}".encode(), "text/plain", 409),
        as_json({"message": f"no such password {PASSWORD}"}, status=401),
        Answer(status=503),
        Answer(fault="reset"),
        LOGIN,
        Answer(b"{", fault="cut"),
        Answer(status=302, headers={"Location": "https://u:s3cret%2Fpa%20ss@elsewhere.example/"}),
    ],
)
def test_no_error_log_or_chained_message_holds_a_secret(
    stub: Stub, waits: Waits, spool_dir: Path, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    stub.in_turn(answer)
    url = stub.url.replace("http://", "http://etl:s3cret%2Fpa%20ss@")
    caplog.set_level(logging.INFO)
    with (
        HttpSource("hmis", url, BasicAuth("etl", PASSWORD), spool_dir, waits.options()) as source,
        pytest.raises(SourceError) as caught,
    ):
        source.spool("api/x", [("token", "query-hidden"), ("a", "1")], CSV)
    error = caught.value
    texts = [str(error), repr(error), repr(source), repr(source._auth), caplog.text]
    chained: BaseException | None = error
    while chained is not None:
        texts += [str(chained), repr(chained.args)]
        chained = chained.__context__ or chained.__cause__
    encoded = BasicAuth("etl", PASSWORD).secrets[1]
    for text in texts:
        for secret in (PASSWORD, "s3cret%2Fpa%20ss", "s3cret", encoded, "query-hidden"):
            assert secret not in text
    assert "hmis" in str(error)
    assert stub.url in str(error)
    assert error.advice in str(error)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
