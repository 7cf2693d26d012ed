"""What the API of a system is: how it knows who asks, and the bounds within which it is read. Declared, not run.

Belongs here: the words of declarations. Does not: secrets (`settings.SourceSettings`), requests (`client.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024**2
GIB = 1024**3


@dataclass(frozen=True)
class ApiKeyHeader:
    """A key in a header of its own, after a scheme word where there is one: `Authorization: ApiKey ...`.

    The key is the system's `_TOKEN`.
    """

    name: str
    scheme: str = ""


@dataclass(frozen=True)
class Basic:
    """HTTP Basic: the system's `_USERNAME` and `_PASSWORD`."""


@dataclass(frozen=True)
class Bearer:
    """`Authorization: Bearer` with the system's `_TOKEN`."""


@dataclass(frozen=True)
class ClientCredentials:
    """OAuth2 client credentials (RFC 6749, 4.4): client id and secret are the system's `_USERNAME` and `_PASSWORD`.

    `token_path`: of the token endpoint, below the system's address. `secret_in_form`: id and secret stand in the form;
    else they go as HTTP Basic, which every server must take.
    """

    token_path: str
    scope: str = ""
    secret_in_form: bool = False


AuthKind = ApiKeyHeader | Basic | Bearer | ClientCredentials


@dataclass(frozen=True)
class RestApi:
    """A system's API, and what no honest answer of it passes: beyond is a server that is broken or means harm.

    `requests_per_second`: at most, over all that this process asks of the system, attempts after failures included.
    `page_limit`: pages of one request. `page_bytes`: of one page, decoded; it is held in memory, where JSON
    that is made for it takes 20 times as much. `export_bytes`: of an
    export, decoded; it is held on disk. `window_bytes`, `window_seconds`: of all that one window gives.
    `reply_seconds`: one reply, from the request to its last byte.
    """

    auth: AuthKind
    requests_per_second: float = 10.0
    page_limit: int = 5_000
    page_bytes: int = 16 * MIB
    export_bytes: int = 4 * GIB
    window_bytes: int = 8 * GIB
    window_seconds: float = 4 * 3600.0
    reply_seconds: float = 900.0
