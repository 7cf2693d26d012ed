"""Troubles a user can do something about, told in a sentence instead of a traceback."""

from __future__ import annotations

import errno

import psycopg
from psycopg import pq
from psycopg.errors import InsufficientPrivilege

from hic_assets.settings import Settings, SettingsError
from hic_assets.warehouse import WarehouseError
from hic_assets.warehouse.url import parse_url

NOT_RUNNING = "the embedded PostgreSQL is not running: 'hic demo' or 'hic dev' starts it."


class CommandError(Exception):
    """A command that cannot do its work: ``exit_code`` 1 the work failed, 3 something is missing."""

    def __init__(self, message: str, exit_code: int = 3) -> None:
        super().__init__(message)
        self.exit_code = exit_code


EXPECTED: tuple[type[Exception], ...] = (
    CommandError,
    SettingsError,
    WarehouseError,
    OSError,
    psycopg.OperationalError,
    InsufficientPrivilege,
)


def explain(error: Exception) -> str:
    """The sentence for an expected error; a full disk is said in words."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        where = f" ({error.filename})" if error.filename else ""
        return f"the disk is full{where}: free some space, or set HIC_HOME to a folder on another disk."
    if isinstance(error, psycopg.errors.DiskFull):
        return f"the disk of the PostgreSQL server is full: {error}".strip()
    if isinstance(error, InsufficientPrivilege):
        return _forbidden(error)
    if isinstance(error, psycopg.OperationalError):
        return f"the warehouse did not do it: {error}".strip()
    return str(error)


def _forbidden(error: InsufficientPrivilege) -> str:
    """What the role may not do, and who may. No grant is proposed: ops.quarantine holds rows of patients as they came."""
    return (
        f'PostgreSQL does not let the role "{_role()}" do this ({error.diag.message_primary or error}). It is for the login '
        "of the code location or the owner of the warehouse ('hic roles add-user NAME --role pipeline'). Who reads marts or "
        "reports, in a role of 'hic roles', asks in SQL: 'hic psql', docs/queries.md."
    )


def _role() -> str:
    """The role of HIC_WAREHOUSE_URL, or libpq's default where it names none."""
    url = Settings().warehouse_url
    given = parse_url(url.get_secret_value()).get("user") if url else None
    defaults = {option.keyword: option.val for option in pq.Conninfo.get_defaults()}
    return given or (defaults.get(b"user") or b"?").decode()
