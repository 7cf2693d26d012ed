"""Settings and secrets, from environment variables only.

What belongs here: names, types, defaults and the checks that need no connection. Nothing is read at import; a
caller makes `Settings()` or `source_settings("hmis")` when it needs it. Connecting belongs to `warehouse` and
`extract`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names the environment variable and never shows its value."""


def default_home() -> Path:
    """The folder for state when HIC_HOME is not set: `var` of the checkout, or of the working directory."""
    checkout = Path(__file__).resolve().parents[1]
    base = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return base / "var"


_CREDENTIALS = ("username", "password", "token")


class _Environment(BaseSettings):
    """Reads the environment and turns every problem into a SettingsError that names variables, not values."""

    model_config = SettingsConfigDict(
        env_prefix="HIC_", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    def __init__(self, **values: Any) -> None:
        prefix = str(values.get("_env_prefix") or "HIC_")
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingsError(_describe(error, prefix)) from None


class Settings(_Environment):
    """Settings of this installation: HIC_HOME, HIC_WAREHOUSE_URL, HIC_DAGSTER_URL, HIC_PSEUDONYM_KEY, HIC_POPULATION.

    Without HIC_WAREHOUSE_URL the embedded PostgreSQL below `home` is used. Without HIC_DAGSTER_URL Dagster's
    storage is the database `dagster` on the warehouse's server. Without HIC_PSEUDONYM_KEY the key of pseudonyms is a
    file below `home`. HIC_POPULATION is how many persons the records of all sources may be about: of the country, and of
    a sandbox the size of its country. The more there are, the less it says that two records agree.
    """

    home: Path = Field(default_factory=default_home)
    warehouse_url: SecretStr | None = None
    dagster_url: SecretStr | None = None
    pseudonym_key: SecretStr | None = None
    population: int = Field(default=14_000_000, ge=1_000)

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()


class SourceSettings(_Environment):
    """How to reach one source system: HIC_<SYSTEM>_URL, _USERNAME, _PASSWORD, _TOKEN and the limits.

    A token is used when both kinds of credentials are there. `timeout` is seconds of silence before a request
    is given up, `concurrency` the requests under way at once, `attempts` how often one is sent at most.
    """

    system: str
    url: str
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    concurrency: int = Field(default=4, ge=1, le=32)
    timeout: float = Field(default=120, gt=0, le=3600)
    attempts: int = Field(default=5, ge=1, le=20)

    @field_validator("url")
    @classmethod
    def _plain_http(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must begin with http:// or https:// and name a host")
        if "@" in parts.netloc:
            raise ValueError("must not hold a user name or password: they have their own variables")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        if self.token is None and (self.username is None or self.password is None):
            token, user, password = (
                variable_prefix(self.system) + field for field in ("TOKEN", "USERNAME", "PASSWORD")
            )
            raise ValueError(f"no credentials for {self.system}: set {token}, or {user} and {password}")
        return self


def variable_prefix(system: str) -> str:
    """The prefix of the variables of a system: `hmis` → `HIC_HMIS_`."""
    return f"HIC_{system.upper().replace('-', '_')}_"


def source_settings(system: str, defaults: Mapping[str, Any] | None = None) -> SourceSettings:
    """The settings of one source system from the environment.

    `defaults` (field → value) are used where a variable is not set: a system's own limits, the sandbox's
    address and credentials. Default credentials are dropped when the environment names another address: a
    password is never sent to a server it is not for. Raises SettingsError naming every variable that is
    missing or wrong.
    """
    prefix = variable_prefix(system)
    from_prefix: dict[str, Any] = {"_env_prefix": prefix}
    found = _FromEnvironment(**from_prefix).model_dump(exclude_none=True)
    usable = {k: v for k, v in (defaults or {}).items() if "url" not in found or k not in _CREDENTIALS}
    return SourceSettings(**{**usable, **found, "system": system, **from_prefix})


class _FromEnvironment(_Environment):
    """The variables of one system as they are, unchecked, so that defaults can be put below them."""

    url: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    concurrency: str | None = None
    timeout: str | None = None
    attempts: str | None = None


def _describe(error: ValidationError, prefix: str) -> str:
    lines = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            lines.append(message)
        elif problem["type"] == "missing":
            lines.append(f"{prefix}{str(problem['loc'][0]).upper()} is not set")
        else:
            lines.append(f"{prefix}{str(problem['loc'][0]).upper()}: {message}")
    return "; ".join(lines)
