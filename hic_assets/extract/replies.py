"""Which error a reply is, if it is one. Pure: from status, headers and the first bytes of a body."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from hic_assets.extract.errors import (
    AuthError,
    HtmlInsteadOfData,
    NotFound,
    PermanentSourceError,
    QueryRefused,
    RedirectRefused,
    ServerFault,
    SourceError,
    UnexpectedContent,
)
from hic_assets.extract.redaction import Redactor, clean_url

_TRANSIENT = (408, 425, 429)
_XML_MESSAGE = re.compile(r"<message>(.*?)</message>", re.DOTALL)
# DHIS2 and most others; RFC 9457 problems; RFC 6749 refusals.
_MESSAGE_NAMES = ("message", "detail", "title", "error_description")
_HTML_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """The part of a response that decides. `url` is the one asked for, `start` the body's first bytes."""

    system: str
    url: str
    status: int
    headers: Mapping[str, str]
    start: bytes = b""

    @property
    def content_type(self) -> str:
        """Media type in lower case, without parameters; empty when the server sent none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def error_of(reply: Reply, accepted: Sequence[str], redact: Redactor, now: datetime) -> SourceError | None:
    """The error this reply is, or None when its body may be read (contract 1.3, 1.8, 1.9)."""
    if 300 <= reply.status < 400:
        return _redirect(reply, redact)
    if reply.status == 200:
        return _wrong_content(reply, accepted, redact)
    message, code = _message(reply.start)
    said = redact.message(f"{code}: {message}" if code else message)
    what = f"the server answered {said!r}" if said else "the server refused without a message"
    where, status = redact(reply.url), reply.status
    if status == 401:
        return AuthError(reply.system, where, f"the credentials were refused; {what}", status=status)
    if status == 403:
        return AuthError(reply.system, where, f"the account may not read this; {what}", status=status)
    if status == 404:
        return NotFound(reply.system, where, f"nothing is served here; {what}", status=status)
    if status in {400, 409, 422}:
        return QueryRefused(reply.system, where, what, status=status, error_code=code)
    if status >= 500 or status in _TRANSIENT:
        wait = retry_after(reply.headers.get("Retry-After"), now)
        return ServerFault(reply.system, where, what, status=status, retry_after=wait)
    return PermanentSourceError(reply.system, where, what, status=status)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (seconds or an HTTP date), at least 0; None when unusable."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    when = http_date(text)
    return None if when is None else max(0.0, (when - now).total_seconds())


def http_date(header: str) -> datetime | None:
    """The moment that a header tells, in UTC, which it is taken to mean where it says no zone; None where it tells none."""
    try:
        when = parsedate_to_datetime(header)
        # "-0000" is UTC that does not say where the sender is.
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        # Years and offsets beyond any calendar among them.
        return None


def _redirect(reply: Reply, redact: Redactor) -> SourceError:
    target = redact(urljoin(clean_url(reply.url), reply.headers.get("Location", "")))
    where = redact(reply.url)
    if "login" in urlsplit(target).path.lower():
        what = f"the server redirects to its login page {target}"
        return HtmlInsteadOfData(reply.system, where, what, status=reply.status)
    what = f"the server redirects to {target}; the credentials were not sent there"
    return RedirectRefused(reply.system, where, what, status=reply.status)


def _wrong_content(reply: Reply, accepted: Sequence[str], redact: Redactor) -> SourceError | None:
    kind = reply.content_type
    if kind in accepted:
        return None
    where = redact(reply.url)
    start = reply.start.lstrip()[:512].lower()
    if "html" in kind or start.startswith((b"<!doctype html", b"<html")):
        title = _HTML_TITLE.search(reply.start.decode("utf-8", "replace"))
        named = f" titled {redact.message(title[1])!r}" if title else ""
        return HtmlInsteadOfData(reply.system, where, f"a web page{named} came instead of data", status=200)
    shown = redact.message(reply.headers.get("Content-Type", "").partition(";")[0]) or "(none)"
    what = f"content type {shown} came where {' or '.join(accepted)} was asked for"
    return UnexpectedContent(reply.system, where, what, status=200)


def _message(start: bytes) -> tuple[str, str | None]:
    """(message, error code) of an error body: JSON with `message` and `errorCode`, XML, an HTML title."""
    text = start.decode("utf-8", "replace")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        found = _XML_MESSAGE.search(text) or _HTML_TITLE.search(text)
        return (found[1] if found else "" if "<" in text else text), None
    if not isinstance(body, dict):
        return "", None
    error = body.get("error")
    told = error if isinstance(error, dict) else body
    message = next((told[name] for name in _MESSAGE_NAMES if told.get(name)), error if isinstance(error, str) else "")
    code = told.get("errorCode", told.get("code"))
    return str(message), None if code is None else str(code)
