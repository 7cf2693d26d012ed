"""Who may ask a clinical server: API key, Basic, Bearer, and OAuth2 client credentials with a token endpoint.

Belongs here: secrets of a sandbox account, and refusing who has none. Secrets are a function of the world's seed;
OAuth2 tokens are random. Does not belong here: bodies of refusals (``problems``).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hic_assets.sandbox.server.clinical.problems import Problem
from hic_assets.sandbox.world.clinical.store import ClinicalStore


@dataclass(frozen=True)
class Account:
    """The one account of a system, by the names of ``hic_assets.settings``: token, or username and password."""

    username: str = ""
    password: str = ""
    token: str = ""

    def variables(self) -> dict[str, str]:
        """What is set of it."""
        return {name: value for name, value in vars(self).items() if value}


class Gate(ABC):
    """Who may pass into one system; keeps what it has issued."""

    account: Account

    @abstractmethod
    def refuse(self, request: Request) -> Problem | None:
        """None for the account; else a 401."""

    def token_reply(self, _path: str, _request: Request, _form: bytes) -> Response | None:
        """The reply of a token endpoint, where this gate has one at this path (below the context)."""
        return None

    def expire(self) -> None:  # noqa: B027 - most gates issue none
        """Every token issued is void from now on."""


GateMaker = Callable[[ClinicalStore], Gate]


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


class _Token(Gate):
    """One secret in one header, after a scheme or alone."""

    def __init__(self, store: ClinicalStore, header: str, scheme: str, prefix: str) -> None:
        self.header, self.scheme = header, scheme
        self.account = Account(token=prefix + store.secret("token", 40))

    def refuse(self, request: Request) -> Problem | None:
        challenge = {"WWW-Authenticate": self.scheme or "ApiKey"}
        given = request.headers.get(self.header)
        if given is None:
            return Problem(401, f"The header {self.header} is missing.", headers=challenge)
        scheme, _, rest = given.partition(" ") if self.scheme else (self.scheme, "", given)
        if scheme.lower() == self.scheme.lower() and _same(rest.strip(), self.account.token):
            return None
        return Problem(401, "The key is not known.", headers=challenge)


def api_key(header: str = "X-Api-Key", *, scheme: str = "", prefix: str = "") -> GateMaker:
    """A key in a header of its own, or ``Authorization: <scheme> <key>``."""
    return lambda store: _Token(store, header, scheme, prefix)


def bearer(prefix: str = "") -> GateMaker:
    """``Authorization: Bearer <token>``, a token that does not expire."""
    return lambda store: _Token(store, "Authorization", "Bearer", prefix)


def _basic_pair(header: str | None) -> tuple[str, str] | None:
    scheme, _, rest = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


class _Basic(Gate):
    def __init__(self, store: ClinicalStore) -> None:
        self.realm = store.system.name
        self.account = Account(username="hic_reader", password=store.secret("password", 24))

    def refuse(self, request: Request) -> Problem | None:
        pair = _basic_pair(request.headers.get("authorization"))
        if pair and _same(pair[0], self.account.username) and _same(pair[1], self.account.password):
            return None
        return Problem(
            401, "Not authenticated.", headers={"WWW-Authenticate": f'Basic realm="{self.realm}", charset="UTF-8"'}
        )


def basic() -> GateMaker:
    """HTTP Basic."""
    return _Basic


class ClientCredentials(Gate):
    """OAuth2 client credentials (RFC 6749 section 4.4). ``lifetime`` is seconds a token is good for from now on."""

    def __init__(self, store: ClinicalStore, token_path: str, scope: str, lifetime: float) -> None:
        self.token_path, self.scope, self.lifetime = token_path, scope, lifetime
        self.account = Account(username="hic-warehouse", password=store.secret("client secret", 40))
        self._issued: dict[str, float] = {}

    def refuse(self, request: Request) -> Problem | None:
        """None for a token that was issued and is good; else a 401."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        challenge = {"WWW-Authenticate": "Bearer"}
        if scheme.lower() != "bearer":
            return Problem(401, "An access token is required.", headers=challenge)
        if self._issued.get(token.strip(), 0.0) > time.monotonic():
            return None
        return Problem(
            401,
            "The access token is not valid or has expired.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )

    def expire(self) -> None:
        """Every token issued is void from now on."""
        self._issued.clear()

    def token_reply(self, path: str, request: Request, form: bytes) -> Response | None:
        """A token, or an error of RFC 6749 section 5.2; None elsewhere than at the token endpoint."""
        if path != self.token_path:
            return None
        if request.method != "POST":
            return JSONResponse({"error": "invalid_request"}, 405, {"Allow": "POST"})
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            return _oauth_error("invalid_request", "the body must be application/x-www-form-urlencoded")
        given = parse_qs(form.decode("latin-1"), keep_blank_values=True)
        if any(len(values) > 1 for values in given.values()):
            return _oauth_error("invalid_request", "a parameter is given twice")
        return self._issue({name: values[0] for name, values in given.items()}, request)

    def _issue(self, given: dict[str, str], request: Request) -> Response:
        if "grant_type" not in given:
            return _oauth_error("invalid_request", "grant_type is missing")
        pair = _basic_pair(request.headers.get("authorization"))
        pair = (
            (unquote(pair[0]), unquote(pair[1]))
            if pair
            else (given.get("client_id", ""), given.get("client_secret", ""))
        )
        if not (_same(pair[0], self.account.username) and _same(pair[1], self.account.password)):
            return _oauth_error("invalid_client", "client authentication failed", 401)
        if given["grant_type"] != "client_credentials":
            return _oauth_error("unsupported_grant_type", "only client_credentials is supported")
        if given.get("scope", self.scope) not in ("", self.scope):
            return _oauth_error("invalid_scope", f"the only scope is {self.scope}")
        token = secrets.token_urlsafe(32)
        self._issued = {t: until for t, until in self._issued.items() if until > time.monotonic()}
        self._issued[token] = time.monotonic() + self.lifetime
        content = {"access_token": token, "token_type": "Bearer", "expires_in": int(self.lifetime), "scope": self.scope}
        return JSONResponse(content, headers={"Cache-Control": "no-store"})


def _oauth_error(error: str, description: str, status: Literal[400, 401] = 400) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"WWW-Authenticate": "Basic"} if status == 401 else {})
    return JSONResponse({"error": error, "error_description": description}, status, headers)


def client_credentials(token_path: str, scope: str, lifetime: float = 600.0) -> GateMaker:
    """OAuth2 client credentials: tokens from ``POST <context>/<token_path>``, good for ``lifetime`` seconds."""
    return lambda store: ClientCredentials(store, token_path, scope, lifetime)
