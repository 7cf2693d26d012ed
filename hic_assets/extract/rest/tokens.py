"""OAuth2 client credentials (RFC 6749, 4.4): a token is asked for when one is due, and never shown.

Of the protocol remain a form of two fields and a reply of three, once HTTP is taken away; and HTTP must be ours (bounded,
redacted, no redirects). So no library: authlib and requests-oauthlib own the session, and oauthlib, which does not, hangs
tokens on the exceptions and warnings it raises and reads what is no JSON as a form.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec
from requests import PreparedRequest

from hic_assets.extract.auth import BasicAuth, NoAuth, SourceAuth
from hic_assets.extract.errors import AuthError, QueryRefused, SourceError, UnexpectedContent
from hic_assets.extract.http import JSON, HttpSource
from hic_assets.extract.rest.api import ClientCredentials

LARGEST_REPLY = 64 * 1024
RENEWED_BEFORE = 60.0
"""Seconds before its end that a token is not used any more: requests under way must still be answered."""
SHORTEST_LIFE, LONGEST_LIFE = 5.0, 24 * 3600.0
MOST_REFUSED = 10
"""Tokens in a row, none of any use, that a session may be refused before it believes that the client is not wanted."""
OF_USE = 2
"""Replies that a token was good for, beyond which its refusal is only its end: the first is to the request that is made
again, and a server that refuses every other one would go on for ever."""
_REMEMBERED = 8
# What may stand in the header (RFC 6750, 2.1), so that no reply can write headers of its own.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}={0,8}", re.ASCII)


@dataclass(frozen=True)
class Token:
    """`until`: by the clock of the auth, when it is no longer used."""

    text: str = field(repr=False)
    until: float


class _Reply(msgspec.Struct):
    access_token: str
    token_type: str = "bearer"  # noqa: S105
    expires_in: float | str | None = None


_decode = msgspec.json.Decoder(_Reply).decode


class ClientCredentialsAuth(SourceAuth):
    """A bearer token in each request, fetched by `ask` when it is needed, renewed before its end and after a 401.

    `secrets`: those of the client; tokens are added as they come. `clock` is monotonic.
    """

    def __init__(
        self, ask: Callable[[float], Token], secrets: tuple[str, ...], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__("", secrets)
        self._ask, self._clock = ask, clock
        self._client_secrets = secrets
        self._tokens: list[str] = []
        self._token: Token | None = None
        self._refused, self._replies = 0, 0
        self._failed: AuthError | None = None
        self._lock = threading.Lock()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Called by requests on every request it prepares. Raises SourceError where no token is to be had."""
        request.headers["Authorization"] = f"Bearer {self._current()}"
        return request

    def renew(self, refused: str) -> bool:
        """Whether another token than the refused one may be tried."""
        with self._lock:
            if self._is_current(refused):
                self._refused += 1
                self._token = None
            return self._refused <= MOST_REFUSED

    def accepted(self, header: str) -> None:
        """Counts what the token was good for. Of one whose end nobody told, a refusal is the way to learn of it."""
        with self._lock:
            if self._is_current(header):
                self._replies += 1
                self._refused = 0 if self._replies >= OF_USE else self._refused

    def _is_current(self, header: str) -> bool:
        return self._token is not None and header == f"Bearer {self._token.text}"

    def _current(self) -> str:
        with self._lock:
            if self._failed is not None:
                raise self._failed
            now = self._clock()
            if self._token is None or now >= self._token.until:
                self._token, self._replies = self._fetched(now), 0
            return self._token.text

    def _fetched(self, now: float) -> Token:
        try:
            token = self._ask(now)
        except AuthError as exc:
            self._failed = exc
            raise
        self._tokens = [*self._tokens[1 - _REMEMBERED :], token.text]
        self.secrets = (*self._client_secrets, *self._tokens)
        return token


def client_auth(kind: ClientCredentials, client: str, secret: str) -> SourceAuth:
    """How the client says who it is to the token endpoint. As RFC 6749, 2.3.1 has it, both are percent-encoded first."""
    auth = NoAuth() if kind.secret_in_form else BasicAuth(quote(client, safe=""), quote(secret, safe=""))
    auth.secrets = (*auth.secrets, secret)
    return auth


def ask_token(source: HttpSource, kind: ClientCredentials, client: str, secret: str, now: float) -> Token:
    """A new token. `source`: a session with `client_auth`. Raises SourceError; AuthError where the client is refused."""
    form = [("grant_type", "client_credentials"), *([("scope", kind.scope)] if kind.scope else [])]
    form += [("client_id", client), ("client_secret", secret)] if kind.secret_in_form else []
    refusal: SourceError | None = None
    text = b""
    try:
        with source.spool(kind.token_path, (), JSON, max_bytes=LARGEST_REPLY, form=form) as body:
            text = body.path.read_bytes()
    except QueryRefused as exc:
        # RFC 6749, 5.2: a client that is not known may be refused with a 400 as well.
        refusal = AuthError(source.system, exc.url, f"no token was given: {exc.what}", status=exc.status)
    if refusal is not None:
        raise refusal
    fault = ""
    try:
        return _token_of(text, now)
    except (msgspec.ValidationError, ValueError) as exc:
        fault = str(exc)
    raise UnexpectedContent(source.system, source.url(kind.token_path), f"this is no token: {fault}")


def _token_of(text: bytes, now: float) -> Token:
    """Raises ValueError, whose text holds nothing of the reply."""
    reply = _decode(text.removeprefix(b"\xef\xbb\xbf"))
    if reply.token_type.lower() != "bearer":
        raise ValueError("token_type is not Bearer")
    if not _TOKEN.fullmatch(reply.access_token):
        raise ValueError("access_token has characters that no token has, or none, or too many")
    return Token(reply.access_token, now + _life(reply.expires_in))


def _life(expires_in: float | str | None) -> float:
    """Seconds that a token is used. Without a word about its end, until it is refused (or a day)."""
    if expires_in is None:
        return LONGEST_LIFE
    try:
        seconds = float(expires_in)
    except ValueError:
        seconds = -1.0
    if not seconds > 0:
        raise ValueError("expires_in is no number of seconds above 0")
    early = min(RENEWED_BEFORE, seconds / 5)
    return min(max(seconds - early, SHORTEST_LIFE), LONGEST_LIFE)
