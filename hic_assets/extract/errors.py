"""What can go wrong with a source, said so that the reader knows what to do, and never with a credential.

Every error carries the system, a URL that was already cleared of secrets, the status where there is one, and
the next step. Clearing URLs and texts is `redaction.py`'s; deciding which error a reply is, `replies.py`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class SourceError(Exception):
    """A source could not be read. `url` holds no secret. `attempts` counts the requests made."""

    advice = "Look at the source's log for this time."

    def __init__(
        self,
        system: str,
        url: str,
        what: str,
        *,
        status: int | None = None,
        advice: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(system, url, what)
        self.system, self.url, self.what, self.status = system, url, what, status
        self.retry_after = retry_after
        self.attempts = 1
        if advice is not None:
            self.advice = advice

    def __str__(self) -> str:
        status = "" if self.status is None else f" (HTTP {self.status})"
        tried = "" if self.attempts == 1 else f" after {self.attempts} attempts"
        return f"{self.system}: {self.what}{status}{tried}, at {self.url}. {self.advice}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class TransientSourceError(SourceError):
    """May pass by itself: retried, and then asked for in smaller pieces where the request can be halved."""

    advice = "The source is overloaded or restarting: run again later; if it stays, ask who runs the server."


class PermanentSourceError(SourceError):
    """Will not pass by itself: somebody must change something."""


class ServerFault(TransientSourceError):
    """429 or 5xx."""


class Unreachable(TransientSourceError):
    """No connection, or one that broke before the reply."""

    advice = "Check the address, the network and the certificate from this machine, then run again."


class TimedOut(TransientSourceError):
    """No bytes for the read timeout, or the whole reply took longer than its budget."""

    advice = "Ask for smaller slices or raise the timeout; a proxy often cuts at 60 s."


class TruncatedBody(TransientSourceError):
    """The body ended before it was complete."""

    advice = "The server or its proxy cut the reply: run again; if it stays, look at the server's log."


class ChangedWhileRead(TransientSourceError):
    """The list was another one on a later page, so that rows may be missing."""

    advice = "Records were added or removed while they were read: run again at a quieter time."


class Endless(PermanentSourceError):
    """More pages, bytes or time than any honest answer takes."""

    advice = "Look at what the server answers; raise the bound in the system's declaration if it is honest."


class TooLarge(PermanentSourceError):
    """The body passed the size cap."""

    advice = "Ask for smaller slices, or raise the cap if the size is what you expect."


class AuthError(PermanentSourceError):
    """401 or 403. After a 401 the session makes no more requests, so that the account is not locked out."""

    advice = "Check the credentials and the account's rights before trying again: repeated failures lock accounts."


class HtmlInsteadOfData(AuthError):
    """A web page came where data was asked for, mostly the login page."""

    advice = (
        "Mostly this is the login page: check the credentials, that the address is the final one (https, "
        "host, context path), and that no proxy answers in the server's place."
    )


class UnexpectedContent(PermanentSourceError):
    """Neither the content type that was asked for nor HTML, or JSON of another shape."""

    advice = "Check that the address is that of the API, and whether the server was upgraded."


class RedirectRefused(PermanentSourceError):
    """The server sends us elsewhere; credentials are never taken along."""

    advice = "If that is where the system lives now, set it as the system's address."


class QueryRefused(PermanentSourceError):
    """400, 409 or 422: the query itself is wrong for this server. `error_code` is the server's, if it gave one."""

    advice = "Correct the request (data sets, org units, periods): it will be refused the same way again."

    def __init__(
        self, system: str, url: str, what: str, *, status: int | None = None, error_code: str | None = None
    ) -> None:
        super().__init__(system, url, what, status=status)
        self.error_code = error_code


class NotFound(PermanentSourceError):
    """404."""

    advice = "Check the address and its context path; while a server starts, its proxy may answer this too."


class EndpointGone(PermanentSourceError):
    """What would have to be asked is not there any more in this version of the source."""

    advice = "Read it by the way that replaced it."


class SystemChanged(PermanentSourceError):
    """Another system answers at this address than the one that was landed before."""

    advice = "Find out whether a copy was restored or the address changed; land it under a new system if so."


class UnsupportedSystem(PermanentSourceError):
    """A version, or a calendar, that this client does not read."""


class WrongColumns(PermanentSourceError):
    """A table came with other columns than it must have."""

    advice = "Check whether the server was upgraded and compare its header with the layout."

    def __init__(
        self, system: str, url: str, *, missing: Sequence[str], repeated: Sequence[str], found: Sequence[str]
    ) -> None:
        parts = [f"no column {', '.join(missing)}"] if missing else []
        parts += [f"column {', '.join(repeated)} more than once"] if repeated else []
        super().__init__(system, url, f"the header has {' and '.join(parts)}; it has {', '.join(found)}")
        self.missing, self.repeated, self.found = tuple(missing), tuple(repeated), tuple(found)


class SpoolFull(PermanentSourceError):
    """The disk that holds spooled bodies is full."""

    def __init__(self, system: str, url: str, folder: Path, written: int, free: int) -> None:
        what = f"no space left for the body: {written:,} bytes written, {free:,} are free in {folder}"
        super().__init__(system, url, what, advice=f"Free space in {folder} or set another, then run again.")
