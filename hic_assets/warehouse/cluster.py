"""The files of the embedded server: creation of the cluster, its place, its settings and its password.

Layout of HIC_HOME/postgres: `data` (the cluster; a link when the server's account cannot enter HIC_HOME),
`password` (mode 0600), `port` (remembered), `lock` (one start or stop at a time). Processes are the
business of `embedded`.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from hic_assets.warehouse import binaries
from hic_assets.warehouse.binaries import Account
from hic_assets.warehouse.errors import EmbeddedServerError
from hic_assets.warehouse.server_config import MEGABYTE, explain, render, server_settings

SUPERUSER = "hic"
_NEEDED_BYTES = 300 * MEGABYTE


def root_of(home: Path) -> Path:
    """The folder of the embedded server below `home`; it may not exist."""
    return home.absolute() / "postgres"


def make_root(home: Path) -> Path:
    """`root_of(home)`, created. Raises EmbeddedServerError when we may not."""
    root = root_of(home)
    try:
        root.mkdir(parents=True, exist_ok=True)
        if root.stat().st_uid == os.geteuid():
            root.chmod(0o711)  # the server's account passes through and cannot list
    except OSError as error:
        raise EmbeddedServerError(
            f"cannot create {root}: {error.strerror}. Set HIC_HOME to a folder you may write to."
        ) from error
    return root


def data_of(root: Path) -> Path:
    """The cluster's own folder, with links followed: the server's account may not be able to enter `root`."""
    return (root / "data").resolve()


def create(root: Path, bin_path: Path, account: Account) -> list[str]:
    """Make the cluster; returns notes for the operator.

    It is made beside its final place and renamed, so that a creation that was killed leaves no half cluster.
    Raises EmbeddedServerError: disk full, no permission, initdb failed.
    """
    target, notes = _place(root, account)
    if shutil.disk_usage(target.parent).free < _NEEDED_BYTES:
        raise EmbeddedServerError(
            f"not enough disk for the embedded PostgreSQL in {target}: it needs {_NEEDED_BYTES // MEGABYTE} "
            "MB to begin. Free space there, or set HIC_HOME to a folder on another disk."
        )
    partial, password_file = target.with_name("data.partial"), target.with_name("initdb.password")
    shutil.rmtree(partial, ignore_errors=True)
    password = secrets.token_urlsafe(24)
    try:
        partial.mkdir(mode=0o700)
        write_private(password_file, password)
        _own(account, partial, password_file)
        _initdb(bin_path, partial, password_file, account)
        write_private(root / "password", password)
        partial.rename(target)
    except OSError as error:
        raise EmbeddedServerError(explain("The creation", str(target), str(error))) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        password_file.unlink(missing_ok=True)
    return notes


def check_version(data: Path) -> None:
    """Raise EmbeddedServerError if another major version than the installed one made the cluster."""
    found = (data / "PG_VERSION").read_text().strip()
    if found != str(binaries.MAJOR):
        raise EmbeddedServerError(
            f"{data} was made by PostgreSQL {found}, and the installed server is {binaries.MAJOR}. "
            "Dump it with the old version and restore it into a new HIC_HOME, or install the old version."
        )


def write_settings(data: Path, overrides: Mapping[str, str]) -> None:
    """Write the server's settings for this machine; `overrides` win."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    shared = Path("/dev/shm")  # noqa: S108 - its size, not a file in it
    settings = server_settings(memory, shutil.disk_usage(shared).total if shared.is_dir() else None)
    try:
        write_private(data / "hic.conf", render(settings | dict(overrides)))
    except OSError as error:
        raise EmbeddedServerError(explain("The start", str(data), str(error))) from error


def write_private(path: Path, text: str) -> None:
    """Replace `path` in one step by a file of mode 0600, which root gives to the owner of the folder."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(partial, folder.st_uid, folder.st_gid)
    partial.replace(path)


def _initdb(bin_path: Path, data: Path, password_file: Path, account: Account) -> None:
    command: list[str | Path] = [
        bin_path / "initdb",
        "--encoding=UTF8",
        # Sorts by code point, as C does, and knows upper and lower case beyond ASCII.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--auth-host=scram-sha-256",
        "--auth-local=scram-sha-256",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        # Iterations make guessing a person's password slow. Nobody guesses 192 random bits, and dbt connects once a node:
        # with the usual 4096 a connection costs twice as much. Only for the password made here (see server_settings).
        "--set=scram_iterations=1",
        "-D",
        data,
    ]
    result = binaries.run(command, account)
    if result.returncode != 0:
        raise EmbeddedServerError(explain("The creation", str(data), result.stdout + result.stderr))
    with (data / "postgresql.conf").open("a") as config:
        config.write("\ninclude_if_exists = 'hic.conf'\n")


def _place(root: Path, account: Account) -> tuple[Path, list[str]]:
    """Where the cluster goes: `root/data`, or below ROOT_FALLBACK if the server's account cannot enter it."""
    link = root / "data"
    if not account.switch or binaries.can_enter(root, account):
        if link.is_symlink():
            link.unlink()
        return link, []
    folder = binaries.ROOT_FALLBACK / sha256(str(root).encode()).hexdigest()[:12]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for parent in (binaries.ROOT_FALLBACK, folder):
            parent.chmod(0o711)
        link.unlink(missing_ok=True)
        link.symlink_to(folder / "data")
    except OSError as error:
        raise EmbeddedServerError(
            f"PostgreSQL runs as '{account.name}' (never as root), which cannot enter {root}, and {folder} "
            f"cannot be used instead: {error.strerror}. Set HIC_HOME to a folder every user can enter."
        ) from error
    return folder / "data", [
        f"PostgreSQL runs as '{account.name}', which cannot enter {root}: the data is in {folder / 'data'}."
    ]


def _own(account: Account, *paths: Path) -> None:
    if account.switch:
        for path in paths:
            os.chown(path, account.uid, account.gid)
