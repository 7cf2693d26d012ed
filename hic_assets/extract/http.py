"""A session with one HTTP source: authentication, and bodies spooled to disk.

Knows nothing of any one system's API. What a reply means is decided in `replies.py`, what is
tried again in `retrying.py`.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
import urllib3

from hic_assets.extract.auth import SourceAuth
from hic_assets.extract.errors import (
    AuthError,
    HtmlInsteadOfData,
    SourceError,
    TimedOut,
    TruncatedBody,
    Unreachable,
)
from hic_assets.extract.failures import failure_of
from hic_assets.extract.redaction import Redactor, split_userinfo
from hic_assets.extract.replies import Reply, error_of
from hic_assets.extract.retrying import HttpOptions, asks_too_much, retrying_of
from hic_assets.extract.spool import (
    CSV_TYPES,
    JSON_TYPES,
    PIECE_BYTES,
    Check,
    Spooled,
    Where,
    check_complete,
    write_body,
)
from hic_assets.extract.watchdog import Watchdog, WatchedAdapter

__all__ = ["CSV", "JSON", "HttpOptions", "HttpSource", "Params", "asks_too_much"]

log = logging.getLogger(__name__)

JSON = JSON_TYPES
CSV = CSV_TYPES
ERROR_BODY_BYTES = 64 * 1024

Params = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class _Asked:
    path: str
    params: Params
    accept: tuple[str, ...]
    empty_ok: bool
    check: Check | None
    max_bytes: int
    form: Params | None


class _Renewed(Exception):
    """The credentials were renewed after a refusal."""


class HttpSource:
    """Requests to one base URL, from several threads too; each has its own connection and cookies.

    Follows no redirect, so credentials reach no other host. After one 401 every later call fails at once, unless the
    credentials can be renewed: then the request is made once more with the new ones.
    """

    def __init__(
        self,
        system: str,
        base_url: str,
        auth: SourceAuth,
        spool_dir: Path,
        options: HttpOptions | None = None,
    ) -> None:
        self.system = system
        self.base_url, _, password = split_userinfo(base_url.rstrip("/"))
        self.options = options or HttpOptions()
        self._auth, self._spool_dir = auth, spool_dir
        self._password = password or ""
        self._redactor = Redactor([*auth.secrets, self._password])
        self._redacted = auth.secrets
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._refused: AuthError | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"HttpSource({self.system!r}, {self.base_url!r})"

    def __enter__(self) -> HttpSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of every thread."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()

    @property
    def redact(self) -> Redactor:
        """Hides every secret that the credentials hold by now: tokens are renewed."""
        secrets = self._auth.secrets
        if secrets != self._redacted:
            self._redactor, self._redacted = Redactor([*secrets, self._password]), secrets
        return self._redactor

    def url(self, path: str, params: Params = ()) -> str:
        """The whole URL of a request, cleared of secrets."""
        prepared = requests.Request("GET", f"{self.base_url}/{path}", params=list(params)).prepare()
        return self.redact(prepared.url or "")

    def get_json(self, path: str, params: Params = ()) -> Any:
        """A JSON object, for bodies that fit in memory. Raises SourceError."""
        with self.spool(path, params, JSON) as body:
            text = body.path.read_bytes()
        return json.loads(text.decode("utf-8-sig", "replace")) if text else {}

    def spool(
        self,
        path: str,
        params: Params,
        accept: tuple[str, ...],
        *,
        divisible: bool = False,
        empty_ok: bool = False,
        check: Check | None = None,
        max_bytes: int | None = None,
        form: Params | None = None,
    ) -> Spooled:
        """GET a body of one of the content types `accept` into a file of the spool folder.

        The body is complete when this returns: by `check`, where the caller has a proof of its own. `divisible`: the
        caller will ask for less, so give up early on what `asks_too_much`. `max_bytes`: a smaller cap than the
        session's. `form`: POST it instead; only what may be asked twice. Raises SourceError; its `attempts` says how
        often it was tried.
        """
        began, number = time.monotonic(), 0

        cap = min(max_bytes or self.options.max_bytes, self.options.max_bytes)
        asked = _Asked(path, tuple(params), accept, empty_ok, check, cap, form)

        def attempt() -> Spooled:
            nonlocal number
            number += 1
            try:
                return self._once(asked, began, number)
            except HtmlInsteadOfData as exc:
                # An expired session is sent to the login page before its credentials are looked at.
                log.info("%s Asking once more in a new session.", exc)
                self._session().cookies.clear()
            except _Renewed:
                log.info("%s: the token was refused; asking once more with a new one", self.system)
            number += 1
            return self._once(asked, began, number, last=True)

        retrying = retrying_of(self.options, divisible)
        try:
            return retrying(attempt)
        except SourceError as exc:
            exc.attempts = max(number, 1)
            raise

    def _once(self, asked: _Asked, began: float, number: int, *, last: bool = False) -> Spooled:
        if self._refused is not None:
            raise AuthError(
                self.system,
                self.url(asked.path, asked.params),
                "not asked: the credentials were refused before in this session",
                status=401,
            )
        where = Where(self.system, self.url(asked.path, asked.params), self._spool_dir, asked.max_bytes)
        self.options.pace()
        with Watchdog(self.options.attempt_seconds) as watchdog:
            response, failure = self._send(asked, where, watchdog)
            if response is None:
                # Raised here and not where it was caught, so that no foreign message is chained to it.
                raise failure or Unreachable(self.system, where.url, "no reply")
            with response:
                if watchdog.barked:  # what is left of headers that were cut looks like a reply
                    raise TimedOut(where.system, where.url, self._too_long)
                error = self._judge(response, asked.accept, where)
                if error is not None:
                    self._refuse(error, response, last)
                    raise error
                self._auth.accepted(_sent(response))
                encoding = self.redact.message(response.headers.get("Content-Encoding", "")).lower()
                file, size = write_body(self._pieces(response, where, watchdog), encoding, where)
        seconds = time.monotonic() - began
        kind = response.headers["Content-Type"].partition(";")[0].strip().lower()
        try:
            check_complete(file, kind, where, asked.empty_ok, asked.check)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        return Spooled(file, where.url, kind, size, seconds, number, response.headers)

    def _refuse(self, error: SourceError, response: requests.Response, last: bool) -> None:
        """Ends the session after a 401; raises _Renewed where the request may be made once more."""
        if error.status != 401 or not isinstance(error, AuthError):
            return
        if not last and self._auth.renew(_sent(response)):
            raise _Renewed
        self._refused = error

    def _send(
        self, asked: _Asked, where: Where, watchdog: Watchdog
    ) -> tuple[requests.Response | None, SourceError | None]:
        options = self.options
        try:
            response = self._session().request(
                "GET" if asked.form is None else "POST",
                f"{self.base_url}/{asked.path}",
                data=None if asked.form is None else list(asked.form),
                params=list(asked.params),
                headers={"Accept": ", ".join(asked.accept)},
                auth=self._auth,
                timeout=(options.connect_timeout, options.read_timeout),
                allow_redirects=False,
                stream=True,
                verify=options.verify,
            )
        except requests.RequestException as exc:
            if watchdog.barked:
                return None, TimedOut(where.system, where.url, self._too_long)
            return None, failure_of(exc, where, options, self.redact)
        return response, None

    @property
    def _too_long(self) -> str:
        return f"the reply took longer than {self.options.attempt_seconds:g} s"

    def _judge(self, response: requests.Response, accept: tuple[str, ...], where: Where) -> SourceError | None:
        status, headers = response.status_code, response.headers
        reply = Reply(self.system, where.url, status, headers)
        if status == 200 and reply.content_type in accept:
            return None
        reply = Reply(self.system, where.url, status, headers, _start(response))
        return error_of(reply, accept, self.redact, self.options.clock())

    def _pieces(self, response: requests.Response, where: Where, watchdog: Watchdog) -> Iterator[bytes]:
        """The body as it came over the wire; raises TimedOut and TruncatedBody."""
        deadline = time.monotonic() + self.options.attempt_seconds
        while True:
            failure: SourceError | None = None
            piece = b""
            try:
                # Whatever has come: waiting for a full piece would let a trickle of bytes outlast the budget.
                piece = response.raw.read1(PIECE_BYTES, decode_content=False)
            except urllib3.exceptions.ReadTimeoutError:
                what = f"the body stalled for {self.options.read_timeout:g} s"
                failure = TimedOut(where.system, where.url, what)
            except (urllib3.exceptions.HTTPError, OSError) as exc:
                what = f"the body was cut: {self.redact.message(str(exc))}"
                failure = TruncatedBody(where.system, where.url, what)
            if watchdog.barked or (failure is None and time.monotonic() > deadline):
                failure = TimedOut(where.system, where.url, self._too_long)
            if failure is not None:
                raise failure
            if not piece:
                return
            yield piece

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.mount("http://", WatchedAdapter())
            session.mount("https://", WatchedAdapter())
            session.headers.update(
                {
                    "X-Requested-With": "XMLHttpRequest",
                    "Accept-Encoding": "gzip" if self.options.compressed else "identity",
                    "User-Agent": "hic",
                }
            )
            self._local.session = session
            with self._lock:
                self._sessions.append(session)
        return session


def _sent(response: requests.Response) -> str:
    """The credentials that a reply was given to."""
    header: str = response.request.headers.get("Authorization", "")
    return header


def _start(response: requests.Response) -> bytes:
    """The first bytes of a body that is not data; what fails while reading it does not matter."""
    try:
        return next(iter(response.iter_content(ERROR_BODY_BYTES)), b"")
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
        return b""
