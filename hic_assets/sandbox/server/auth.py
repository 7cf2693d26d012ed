"""Who may ask: Basic and personal access tokens, and what happens without them.

Source: contract 1.8 and 1.9.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hic_assets.sandbox.server.dialect import Dialect
from hic_assets.sandbox.server.replies import error
from hic_assets.sandbox.world.hashing import uid


def personal_access_token(seed: int) -> str:
    """A token as DHIS2 makes them: ``d2pat_``, 32 characters, and their CRC-32 in ten digits."""
    body = "".join(uid("token", seed, i) for i in range(3))[:32]
    return f"d2pat_{body}{zlib.crc32(body.encode()):010d}"


@dataclass(frozen=True)
class Credentials:
    """The one account of the sandbox."""

    username: str
    password: str
    token: str

    def accept(self, header: str) -> bool:
        """Whether an Authorization header is this account's."""
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "apitoken":
            return rest.strip() == self.token
        if scheme.lower() != "basic":
            return False
        try:
            return base64.b64decode(rest, validate=True).decode() == f"{self.username}:{self.password}"
        except (binascii.Error, UnicodeDecodeError):
            return False


def refuse(request: Request, credentials: Credentials, dialect: Dialect, context: str) -> Response | None:
    """None for a good account; 401 for a wrong one or an XMLHttpRequest without; else a redirect to the login."""
    header = request.headers.get("authorization")
    if header is None and request.headers.get("x-requested-with") != "XMLHttpRequest":
        return RedirectResponse(f"{context}{dialect.login_path}", 302)
    if header is not None and credentials.accept(header):
        return None
    return error(401, "Unauthorized", accept=request.headers.get("accept", "*/*, application/xml"))
