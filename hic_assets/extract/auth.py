"""How a request says who it is. Each knows the secrets it carries, so that they can be kept out of texts."""

from __future__ import annotations

import base64

from requests import PreparedRequest
from requests.auth import AuthBase


class SourceAuth(AuthBase):
    """Sets one Authorization header. `secrets` are the texts that must never be shown."""

    def __init__(self, header: str, secrets: tuple[str, ...]) -> None:
        self._header = header
        self.secrets = secrets

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Called by requests on every request it prepares."""
        if self._header:
            request.headers["Authorization"] = self._header
        return request

    def renew(self, refused: str) -> bool:
        """Whether a request may be made once more after a 401. `refused`: the header that was sent."""
        return False

    def accepted(self, header: str) -> None:
        """Called after a reply that was no refusal. `header`: that was sent."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"


class BasicAuth(SourceAuth):
    """User name and password, sent as UTF-8."""

    def __init__(self, username: str, password: str) -> None:
        encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
        super().__init__(f"Basic {encoded}", (password, encoded))


class TokenAuth(SourceAuth):
    """A token after a scheme word: `ApiToken` (DHIS2 personal access token) or `Bearer`."""

    def __init__(self, token: str, scheme: str = "ApiToken") -> None:
        super().__init__(f"{scheme} {token}", (token,))


class HeaderAuth(SourceAuth):
    """A key in a header of its own, after a scheme word where there is one."""

    def __init__(self, name: str, key: str, scheme: str = "") -> None:
        super().__init__("", (key,))
        self._name, self._value = name, f"{scheme} {key}".strip()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Called by requests on every request it prepares."""
        request.headers[self._name] = self._value
        return request


class NoAuth(SourceAuth):
    """No credentials. Given all the same, so that none are taken from a .netrc file."""

    def __init__(self) -> None:
        super().__init__("", ())
