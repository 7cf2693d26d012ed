"""How a system learns who asks: keys, passwords, tokens that are fetched and renewed, and token endpoints that
misbehave. Secrets stay out of every text.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr
from rest_kit import API, END, START, TOKEN, VISITS, Clinic, Opened, resource, visits
from stub_http import Answer, Asked, Stub, Waits, as_json

from hic_assets.extract.errors import AuthError, RedirectRefused, ServerFault, SourceError, TimedOut, UnexpectedContent
from hic_assets.extract.rest import pacing, tokens
from hic_assets.extract.rest.api import ApiKeyHeader, AuthKind, Basic, ClientCredentials
from hic_assets.extract.rest.pacing import pace_of
from hic_assets.extract.rest.read import records
from hic_assets.extract.rest.tokens import ClientCredentialsAuth, Token
from hic_assets.settings import SettingsError

CLIENT, SECRET = "hic:warehouse", "s3cret/+ =é"
PAIR = {"token": None, "username": CLIENT, "password": SecretStr(SECRET)}
OAUTH = replace(API, auth=ClientCredentials("oauth/token", "read"))


@pytest.fixture
def opened(stub: Stub, waits: Waits, spool_dir: Path) -> Opened:
    return Opened(stub, waits, spool_dir)


def sent(opened: Opened, auth: AuthKind, credentials: dict[str, Any]) -> dict[str, str]:
    opened.stub.answer = lambda _: as_json({"data": [], "next_cursor": None})
    with opened.source(replace(API, auth=auth), credentials) as source:
        list(records(source, resource("cursor"), START, END))
    return opened.stub.asked[0].headers


def test_a_key_in_a_header_of_its_own(opened: Opened) -> None:
    headers = sent(opened, ApiKeyHeader("X-Api-Key"), {})
    assert headers["X-Api-Key"] == TOKEN
    assert "Authorization" not in headers


def test_a_key_after_a_scheme_word(opened: Opened) -> None:
    assert sent(opened, ApiKeyHeader("Authorization", "ApiKey"), {})["Authorization"] == f"ApiKey {TOKEN}"


def test_basic(opened: Opened) -> None:
    wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    assert sent(opened, Basic(), PAIR)["Authorization"] == f"Basic {wanted}"


@pytest.mark.parametrize(
    ("auth", "credentials", "variable"),
    [
        (ApiKeyHeader("X-Api-Key"), PAIR, "HIC_CLINIC_TOKEN"),
        (API.auth, PAIR, "HIC_CLINIC_TOKEN"),
        (Basic(), {}, "HIC_CLINIC_USERNAME"),
        (ClientCredentials("t"), {}, "HIC_CLINIC_PASSWORD"),
    ],
)
def test_credentials_of_the_wrong_kind_are_named(
    opened: Opened, auth: AuthKind, credentials: dict[str, Any], variable: str
) -> None:
    with pytest.raises(SettingsError, match=variable) as caught:
        opened.source(replace(API, auth=auth), credentials)
    assert SECRET not in str(caught.value)
    assert opened.stub.asked == []


# -- OAuth2 -----------------------------------------------------------------------------------------------------


@dataclass
class Guarded:
    """The clinic behind a token endpoint. Tokens are `at-1`, `at-2` ...; `valid` holds those it takes."""

    stub: Stub
    expires_in: Any = 3600
    clinic: Clinic = field(default_factory=lambda: Clinic("cursor", visits(25)))
    valid: set[str] = field(default_factory=set)
    issued: int = 0
    reply: Callable[[Asked, str], Answer] | None = None
    refuse: Callable[[Asked], bool] = lambda _: False

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/oauth/token":
            self.issued += 1
            token = f"at-{self.issued}-verysecret"
            self.valid.add(token)
            if self.reply:
                return self.reply(asked, token)
            more = {} if self.expires_in is None else {"expires_in": self.expires_in}
            return as_json({"access_token": token, "token_type": "bearer"} | more)
        given = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        if given not in self.valid or self.refuse(asked):
            return as_json({"message": f"token {given} is not valid"}, status=401)
        asked.headers["Authorization"] = f"Bearer {TOKEN}"
        return self.clinic.answer(asked)

    @property
    def requests(self) -> list[str]:
        return [asked.path for asked in self.stub.asked]

    @property
    def bearers(self) -> list[str]:
        return [asked.path for asked in self.stub.asked if asked.path != "/oauth/token"]


@pytest.fixture
def guarded(stub: Stub) -> Guarded:
    found = Guarded(stub)
    stub.answer = found.answer
    return found


def read(opened: Opened, api: Any = OAUTH, **options: Any) -> int:
    with opened.source(api, PAIR, **options) as source:
        return sum(batch.frame.height for batch in records(source, resource("cursor"), START, END))


def test_a_token_is_fetched_once_and_used(opened: Opened, guarded: Guarded) -> None:
    assert read(opened) == 25
    assert guarded.requests == ["/oauth/token", "/api/visits", "/api/visits", "/api/visits"]
    asked = guarded.stub.asked[0]
    assert asked.method == "POST"
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["read"]}
    pair = base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")).decode()
    assert pair == "hic%3Awarehouse:s3cret%2F%2B%20%3D%C3%A9"
    assert asked.params == []


def test_the_secret_may_go_in_the_form(opened: Opened, guarded: Guarded) -> None:
    assert read(opened, replace(OAUTH, auth=ClientCredentials("oauth/token", secret_in_form=True))) == 25
    asked = guarded.stub.asked[0]
    assert "Authorization" not in asked.headers
    form = {"grant_type": ["client_credentials"], "client_id": [CLIENT], "client_secret": [SECRET]}
    assert parse_qs(asked.body.decode()) == form


def test_a_token_that_expires_in_the_middle_is_renewed(opened: Opened, guarded: Guarded) -> None:
    def forget(_: Asked) -> None:
        if len(guarded.bearers) == 2:
            guarded.valid.clear()

    guarded.clinic.before = forget
    assert read(opened) == 25
    assert guarded.requests == ["/oauth/token", *["/api/visits"] * 3, "/oauth/token", "/api/visits"]


def test_a_new_token_that_is_refused_too_ends_the_session(opened: Opened, guarded: Guarded) -> None:
    guarded.refuse = lambda _: True
    with opened.source(OAUTH, PAIR) as source:
        for _ in range(3):
            with pytest.raises(AuthError, match="refused"):
                list(records(source, VISITS, START, END))
    assert guarded.requests == ["/oauth/token", "/api/visits", "/oauth/token", "/api/visits"]


def test_a_server_that_refuses_every_other_request_ends_the_session(opened: Opened, guarded: Guarded) -> None:
    guarded.clinic.rows = visits(1000)
    guarded.refuse = lambda _: len(guarded.bearers) % 2 == 1
    with pytest.raises(AuthError):
        read(opened, replace(OAUTH, page_limit=500))
    assert guarded.issued == tokens.MOST_REFUSED + 1


@pytest.mark.parametrize("expires_in", [None, 3600])
def test_tokens_that_end_unannounced_however_often_do_not_end_a_long_read(
    opened: Opened, guarded: Guarded, expires_in: int | None
) -> None:
    guarded.clinic.rows, guarded.expires_in = visits(1000), expires_in

    def forget(_: Asked) -> None:
        if len(guarded.bearers) % 4 == 0:
            guarded.valid.clear()

    guarded.clinic.before = forget
    assert read(opened, replace(OAUTH, page_limit=500)) == 1000
    assert guarded.issued > 2 * tokens.MOST_REFUSED


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "invalid_scope"])
def test_a_refused_client_is_an_auth_error_and_asked_once(
    opened: Opened, guarded: Guarded, status: int, error: str
) -> None:
    told = {"error": error, "error_description": f"{CLIENT} with {SECRET} is unknown"}
    guarded.reply = lambda _, __: as_json(told, status=status)
    with opened.source(OAUTH, PAIR) as source:
        for _ in range(3):
            with pytest.raises(AuthError, match="is unknown") as caught:
                list(records(source, VISITS, START, END))
            assert SECRET not in str(caught.value)
    assert guarded.requests == ["/oauth/token"]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("expires_in", "used_for"), [(3600, 3540), (100, 80), ("100", 80), (100.5, 80.4), (6, 5), (1, 5), (10**9, 86400), (None, 86400)]
)  # fmt: skip
def test_a_token_is_renewed_before_its_end(expires_in: Any, used_for: float) -> None:
    life = tokens._life(expires_in)
    assert life == pytest.approx(used_for)
    clock, asked = Clock(), list[float]()

    def ask(now: float) -> Token:
        asked.append(now)
        return Token(f"at-{len(asked)}", now + life)

    auth = ClientCredentialsAuth(ask, ("secret",), clock)
    assert auth._current() == auth._current() == "at-1"
    clock.now += life - 0.01
    assert auth._current() == "at-1"
    clock.now += 0.02
    assert auth._current() == "at-2"
    assert asked == [1000.0, pytest.approx(1000.0 + life + 0.01)]
    assert auth.secrets == ("secret", "at-1", "at-2")
    assert "at-2" not in repr(auth)
    assert "at-2" not in repr(Token("at-2", 1.0))


def test_threads_share_one_token() -> None:
    asked: list[float] = []
    gate = threading.Barrier(8)

    def ask(now: float) -> Token:
        asked.append(now)
        return Token(f"at-{len(asked)}", now + 100)

    auth = ClientCredentialsAuth(ask, ())

    def use(_: int) -> str:
        gate.wait()
        found = auth._current()
        gate.wait()
        assert auth.renew(f"Bearer {found}")
        gate.wait()
        return auth._current()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(use, range(8))) == {"at-2"}
    assert len(asked) == 2


def trickle(to: BinaryIO) -> None:
    to.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX: ")
    for _ in range(500):
        to.write(b"x")
        threading.Event().wait(0.02)


TOKEN_TEXT = "leaked-token-value"
MISBEHAVING: dict[str, tuple[Answer, type[SourceError], int]] = {
    "no token": (as_json({"token_type": "bearer", "expires_in": 5}), UnexpectedContent, 1),
    "another type": (as_json({"access_token": TOKEN_TEXT, "token_type": "mac"}), UnexpectedContent, 1),
    "no text": (as_json({"access_token": {"a": TOKEN_TEXT}}), UnexpectedContent, 1),
    "empty": (as_json({"access_token": ""}), UnexpectedContent, 1),
    "a header in it": (as_json({"access_token": f"{TOKEN_TEXT}\r\nX-Evil: 1"}), UnexpectedContent, 1),
    "a space in it": (as_json({"access_token": f"{TOKEN_TEXT} x"}), UnexpectedContent, 1),
    "no ASCII": (as_json({"access_token": f"{TOKEN_TEXT}é"}), UnexpectedContent, 1),
    "long": (as_json({"access_token": TOKEN_TEXT * 1000}), UnexpectedContent, 1),
    "huge": (as_json({"access_token": TOKEN_TEXT * 10_000}), SourceError, 1),
    "no life": (as_json({"access_token": TOKEN_TEXT, "expires_in": 0}), UnexpectedContent, 1),
    "negative life": (as_json({"access_token": TOKEN_TEXT, "expires_in": -5}), UnexpectedContent, 1),
    "wordy life": (as_json({"access_token": TOKEN_TEXT, "expires_in": "soon"}), UnexpectedContent, 1),
    "NaN life": (as_json({"access_token": TOKEN_TEXT, "expires_in": "nan"}), UnexpectedContent, 1),
    "a list": (as_json([TOKEN_TEXT]), UnexpectedContent, 1),
    "null": (as_json(None), UnexpectedContent, 1),
    "deep": (Answer(b'{"access_token": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"), UnexpectedContent, 1),
    "broken": (Answer(b'{"access_token": "leaked-token-value", x}'), UnexpectedContent, 1),
    "no UTF-8": (Answer(b'{"access_token": "leaked-token-value\xff"}'), UnexpectedContent, 1),
    "cut": (Answer(b'{"access_token": "leaked-token-value'), SourceError, 5),
    "a page": (Answer(b"<html><title>Log in</title></html>", "text/html"), AuthError, 2),
    "elsewhere": (Answer(status=302, headers={"Location": "http://evil.example/token"}), RedirectRefused, 1),
    "missing": (as_json({}, status=404), SourceError, 1),
    "busy": (Answer(status=503), ServerFault, 5),
    "trickling": (Answer(raw=trickle), TimedOut, 5),
}


@pytest.mark.parametrize("what", MISBEHAVING)
def test_a_token_endpoint_that_misbehaves(
    opened: Opened, guarded: Guarded, what: str, caplog: pytest.LogCaptureFixture, spool_dir: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    answer, kind, requests = MISBEHAVING[what]
    guarded.reply = lambda _, __: answer
    with pytest.raises(kind) as caught:
        read(opened, replace(OAUTH, reply_seconds=0.2) if what == "trickling" else OAUTH)
    assert guarded.requests.count("/oauth/token") == requests
    assert "/api/visits" not in guarded.requests
    assert_clean(caught.value, caplog.text, TOKEN_TEXT)
    assert list(spool_dir.iterdir()) == []


@pytest.mark.parametrize("status", [401, 403, 422, 500])
def test_tokens_are_in_no_error_log_or_repr(
    opened: Opened, guarded: Guarded, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(asked: Asked) -> Answer:
        if len(guarded.bearers) < 2:
            return guarded.clinic._answer(asked)
        held = " ".join(f"at-{n}-verysecret" for n in range(1, guarded.issued + 1))
        return as_json({"message": f"you sent {held} and {SECRET}"}, status=status)

    guarded.clinic.before = echo
    source = opened.source(OAUTH, PAIR)
    with source, pytest.raises(SourceError) as caught:
        list(records(source, resource("cursor"), START, END))
    assert guarded.issued == (2 if status == 401 else 1)
    assert "you sent ***" in str(caught.value)
    texts = [repr(source), repr(source.http), repr(source.http._auth), str(vars(source.api))]
    for text in texts:
        assert "verysecret" not in text
        assert SECRET not in text
    assert_clean(caught.value, caplog.text, "verysecret")


def assert_clean(error: BaseException, log: str, token: str) -> None:
    """No text of the error, of what it is chained to, or of the log, holds a secret."""
    texts = [log]
    chained: BaseException | None = error
    while chained is not None:
        texts += [str(chained), repr(chained), repr(chained.args)]
        chained = chained.__context__ or chained.__cause__
    encoded = base64.b64encode(b"hic%3Awarehouse:s3cret%2F%2B%20%3D%C3%A9").decode()
    for text in texts:
        for secret in (token, SECRET, "s3cret%2F", encoded):
            assert secret not in text


# -- Pace -------------------------------------------------------------------------------------------------------


def test_requests_are_evenly_spaced_over_sessions_and_threads() -> None:
    clock, slept = Clock(), list[float]()
    paces = [pace_of("paced", 4.0, slept.append, clock) for _ in range(2)]
    for n in range(6):
        paces[n % 2]()
    assert slept == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.25])
    clock.now += 10
    paces[0]()
    assert len(slept) == 5
    pace_of("another", 4.0, slept.append, clock)()
    assert len(slept) == 5
    with pytest.raises(ValueError, match="more than 0"):
        pace_of("paced", 0.0)
    pacing._next.pop("paced")


def test_the_pace_holds_for_attempts_and_tokens_too(
    opened: Opened, guarded: Guarded, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "_next", {})
    guarded.clinic.before = lambda _: (
        Answer(status=503, headers={"Retry-After": "0"}) if len(guarded.bearers) == 1 else None
    )
    assert read(opened, replace(OAUTH, requests_per_second=0.01)) == 25
    assert len(guarded.requests) == 5
    # The first request goes at once; the token, the pages and the attempt after the 503 each wait their turn.
    assert len([wait for wait in waits.slept if wait > 1]) == 4
    assert max(waits.slept) == pytest.approx(400, abs=5)
