"""URLs and texts without secrets: for errors, logs and stats."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

HIDDEN = "***"
_SECRET_PARAMETER = re.compile(
    r"(?i)([?&;](?:[\w.-]*(?:token|password|passwd|secret|apikey|api_key|auth|credential|signature)[\w.-]*))"
    r"=[^&;#\s]*"
)
_USERINFO = re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^/?#\s]*@")
# Longer than any useful message; a server's page pasted into an error would hide the rest.
MESSAGE_LIMIT = 300


def clean_url(url: str) -> str:
    """The URL without user information and with the values of secret-looking parameters hidden."""
    return _SECRET_PARAMETER.sub(rf"\1={HIDDEN}", _USERINFO.sub(r"\1", url))


class Redactor:
    """Hides the given secrets, and what looks like one in a URL, from any text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = [secret for secret in secrets if secret]
        known += [escape for secret in known for escape in (quote(secret, ""), quote_plus(secret))]
        self._known = sorted(set(known), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with every secret hidden."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return clean_url(text)

    def message(self, text: str) -> str:
        """A redacted text on one line, cut to a readable length."""
        line = " ".join(self(text).split())
        return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1] + "…"


def split_userinfo(url: str) -> tuple[str, str | None, str | None]:
    """(URL without user information, user name, password)."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host)), parts.username, parts.password
