"""A session with the REST API of one system, opened from its declaration and its settings."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from hic_assets.extract.auth import BasicAuth, HeaderAuth, SourceAuth, TokenAuth
from hic_assets.extract.http import HttpOptions, HttpSource
from hic_assets.extract.rest.api import ApiKeyHeader, Basic, Bearer, ClientCredentials, RestApi
from hic_assets.extract.rest.pacing import pace_of
from hic_assets.extract.rest.tokens import ClientCredentialsAuth, ask_token, client_auth
from hic_assets.settings import SettingsError, SourceSettings, variable_prefix


class RestSource:
    """One system's API. Nothing is asked until it is read from. Use as a context manager.

    `spool_dir` must exist and takes the bodies while they are read. `options`: in place of those that follow from the
    settings; the bounds of the declaration and its pace hold all the same.

    Raises:
        SettingsError: the credentials that this kind of API needs are not set.
    """

    def __init__(
        self, api: RestApi, settings: SourceSettings, spool_dir: Path, options: HttpOptions | None = None
    ) -> None:
        self.api, self.system = api, settings.system
        asked = options or HttpOptions(read_timeout=settings.timeout, max_attempts=settings.attempts)
        self._options = replace(
            asked,
            max_bytes=max(api.page_bytes, api.export_bytes),
            attempt_seconds=min(asked.attempt_seconds, api.reply_seconds),
            pace=pace_of(self.system, api.requests_per_second, asked.sleep),
        )
        self._spool_dir = spool_dir
        self._tokens: HttpSource | None = None
        self.http = HttpSource(self.system, settings.url, self._auth(settings), spool_dir, self._options)

    def __repr__(self) -> str:
        return f"RestSource({self.system!r}, {self.http.base_url!r})"

    def __enter__(self) -> RestSource:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self.http.close()
        if self._tokens is not None:
            self._tokens.close()

    def _auth(self, settings: SourceSettings) -> SourceAuth:
        kind = self.api.auth
        if isinstance(kind, ApiKeyHeader):
            return HeaderAuth(kind.name, _token(settings), kind.scheme)
        if isinstance(kind, Bearer):
            return TokenAuth(_token(settings), "Bearer")
        username, password = _pair(settings)
        if isinstance(kind, Basic):
            return BasicAuth(username, password)
        return self._client_credentials(kind, settings.url, username, password)

    def _client_credentials(self, kind: ClientCredentials, url: str, client: str, secret: str) -> SourceAuth:
        # The session that needs the token tries again: two that do would multiply.
        options = replace(self._options, max_attempts=1)
        own = client_auth(kind, client, secret)
        self._tokens = HttpSource(self.system, url, own, self._spool_dir, options)
        ask = partial(ask_token, self._tokens, kind, client, secret)
        return ClientCredentialsAuth(ask, own.secrets, time.monotonic)


def _token(settings: SourceSettings) -> str:
    if settings.token is None:
        raise SettingsError(f"no credentials for {settings.system}: set {variable_prefix(settings.system)}TOKEN")
    return settings.token.get_secret_value()


def _pair(settings: SourceSettings) -> tuple[str, str]:
    if settings.username is None or settings.password is None:
        user, password = (variable_prefix(settings.system) + field for field in ("USERNAME", "PASSWORD"))
        raise SettingsError(f"no credentials for {settings.system}: set {user} and {password}")
    return settings.username, settings.password.get_secret_value()
