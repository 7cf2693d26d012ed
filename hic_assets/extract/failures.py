"""Which error a request is that got no reply. Pure; what a reply means is `replies.py`'s."""

from __future__ import annotations

from typing import Any

import requests

from hic_assets.extract.errors import PermanentSourceError, SourceError, TimedOut, Unreachable
from hic_assets.extract.redaction import Redactor
from hic_assets.extract.retrying import HttpOptions
from hic_assets.extract.spool import Where


def failure_of(error: requests.RequestException, where: Where, options: HttpOptions, redact: Redactor) -> SourceError:
    """The error of ours that one of requests is."""
    if isinstance(error, requests.ConnectTimeout):
        what = f"no connection within {options.connect_timeout:g} s"
        return Unreachable(where.system, where.url, what)
    if isinstance(error, requests.Timeout):
        return TimedOut(where.system, where.url, f"no reply within {options.read_timeout:g} s")
    if isinstance(error, requests.exceptions.SSLError):
        what = f"the secure connection was refused: {redact.message(str(error))}"
        return PermanentSourceError(where.system, where.url, what, advice=Unreachable.advice)
    if isinstance(error, requests.ConnectionError):
        return Unreachable(where.system, where.url, f"no connection: {redact.message(_cause(error))}")
    what = f"the request could not be made: {redact.message(str(error))}"
    return PermanentSourceError(where.system, where.url, what, advice=Unreachable.advice)


def _cause(error: BaseException) -> str:
    """The innermost reason of a connection error, without the URL and objects the outer texts carry."""
    reason: Any = error
    while True:
        inner = getattr(reason, "reason", None) or next(
            (arg for arg in getattr(reason, "args", ()) if isinstance(arg, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        reason = inner
    return f"{type(reason).__name__}: {reason}"
