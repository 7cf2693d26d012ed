"""Troubles a user can do something about, told in a sentence instead of a traceback."""

from __future__ import annotations

import errno

import psycopg

from hic_assets.settings import SettingsError
from hic_assets.warehouse import WarehouseError


class CommandError(Exception):
    """A command that cannot do its work: ``exit_code`` 1 the work failed, 3 something is missing."""

    def __init__(self, message: str, exit_code: int = 3) -> None:
        super().__init__(message)
        self.exit_code = exit_code


EXPECTED: tuple[type[Exception], ...] = (CommandError, SettingsError, WarehouseError, OSError, psycopg.OperationalError)


def explain(error: Exception) -> str:
    """The sentence for an expected error; a full disk is said in words."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        where = f" ({error.filename})" if error.filename else ""
        return f"the disk is full{where}: free some space, or set HIC_HOME to a folder on another disk."
    if isinstance(error, psycopg.errors.DiskFull):
        return f"the disk of the PostgreSQL server is full: {error}".strip()
    if isinstance(error, psycopg.OperationalError):
        return f"the warehouse did not do it: {error}".strip()
    return str(error)
