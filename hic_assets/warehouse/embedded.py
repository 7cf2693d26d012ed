"""The embedded PostgreSQL server: start, stop and status of one cluster below HIC_HOME.

The server is a service: it outlives the process that started it, and only `stop` ends it. It listens on
127.0.0.1 with a generated password. Its files are made by `cluster`; databases and schemas belong to
`connect` and `schema`.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from hic_assets.warehouse import binaries, cluster
from hic_assets.warehouse.binaries import Account
from hic_assets.warehouse.errors import EmbeddedServerError
from hic_assets.warehouse.ports import free_ports
from hic_assets.warehouse.server_config import explain, is_still_in_use, port_is_taken

_START_SECONDS = 300  # crash recovery of a large warehouse takes minutes
_STOP_SECONDS = 120
_ORPHAN_SECONDS = 30  # processes of a killed server end by themselves within moments


@dataclass(frozen=True)
class Server:
    """A running embedded server. `notes` are sentences for the operator (a changed port, another folder)."""

    pid: int
    port: int
    data_directory: Path
    password: str = field(repr=False)
    notes: tuple[str, ...] = ()


def start(home: Path, overrides: Mapping[str, str] | None = None) -> Server:
    """Create the cluster below `home` if it is missing, start it if it does not run, and return it.

    Idempotent and safe to call from several processes at once. `overrides` are server settings (for tests).
    Raises EmbeddedServerError: no permission, disk full, wheel missing, other major version, failed start.
    """
    root = cluster.make_root(home)
    with _locked(root):
        running = status(home)
        if running is not None:
            return running
        account = binaries.server_account(cluster.data_of(root))
        bin_path = binaries.bin_directory(account)
        notes: list[str] = []
        if not _exists(cluster.data_of(root)):
            notes += cluster.create(root, bin_path, account)
        data = cluster.data_of(root)
        cluster.check_version(data)
        cluster.write_settings(data, overrides or {})
        notes += _launch(root, bin_path, account)
        started = status(home)
        if started is None:
            raise EmbeddedServerError(f"The embedded PostgreSQL in {data} ended right after its start.")
        return Server(started.pid, started.port, data, started.password, tuple(notes))


def stop(home: Path) -> bool:
    """Stop the server of `home`, ending its sessions. False if none was running."""
    root = cluster.root_of(home)
    if not root.is_dir():
        return False
    with _locked(root):
        if status(home) is None:
            return False
        data = cluster.data_of(root)
        account = binaries.server_account(data)
        pg_ctl = binaries.bin_directory(account) / "pg_ctl"
        result = binaries.run([pg_ctl, "stop", "-w", "-t", str(_STOP_SECONDS), "-m", "fast", "-D", data], account)
        if result.returncode != 0 and status(home) is not None:
            raise EmbeddedServerError(explain("The stop", str(data), result.stdout + result.stderr))
        return True


def status(home: Path) -> Server | None:
    """The running server of `home`, or None. Reads files only; changes nothing.

    A `postmaster.pid` left by a killed server, whose number may be another program's now, counts as none.
    """
    root = cluster.root_of(home)
    data = cluster.data_of(root)
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        password = (root / "password").read_text().strip()
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise _not_ours(Path(error.filename), error) from error
    if len(lines) < 8 or lines[7].strip() != "ready":
        return None
    pid = int(lines[0])
    return Server(pid, int(lines[3]), data, password) if _is_postmaster(pid, data) else None


def _launch(root: Path, bin_path: Path, account: Account) -> list[str]:
    """Start on the remembered port or the next free one; returns a note if the port changed."""
    data, remembered = cluster.data_of(root), _remembered_port(root)
    deadline = time.monotonic() + _ORPHAN_SECONDS
    _clear_stale_pid(data)
    candidates = free_ports(remembered)
    port = next(candidates)
    while (output := _pg_ctl_start(data, port, bin_path, account)) is not None:
        if port_is_taken(output):
            port = next(candidates)
        elif not is_still_in_use(output) or time.monotonic() > deadline:
            raise EmbeddedServerError(explain("The start", str(data), output))
        time.sleep(0.2)
    cluster.write_private(root / "port", f"{port}\n")
    if remembered in (None, port):
        return []
    return [f"Port {remembered} is used by another process: the embedded PostgreSQL now listens on {port}."]


def _pg_ctl_start(data: Path, port: int, bin_path: Path, account: Account) -> str | None:
    """None if the server is up, else what it and pg_ctl said."""
    log = data / "start.log"
    log.unlink(missing_ok=True)
    began = time.time()
    command = [str(bin_path / "pg_ctl"), "start", "-w", "-t", str(_START_SECONDS), "-D", str(data)]
    result = binaries.run([*command, "-l", log, "-o", f"-p {port}"], account)
    if result.returncode == 0:
        return None
    texts = [result.stdout, result.stderr]
    for path in [log, *(data / "log").glob("*.log")]:
        with suppress(OSError):
            if path.stat().st_mtime >= began - 1:
                texts.append(path.read_text(errors="replace")[-2000:])
    return "\n".join(texts)


def _clear_stale_pid(data: Path) -> None:
    """Remove a `postmaster.pid` whose number is another program's now: PostgreSQL would not start."""
    path = data / "postmaster.pid"
    with suppress(FileNotFoundError, ValueError, IndexError):
        if not _is_postmaster(int(path.read_text().splitlines()[0]), data):
            path.unlink()


def _is_postmaster(pid: int, data: Path) -> bool:
    try:
        return str(data) in psutil.Process(pid).cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # denied: another user's process
        return False


def _exists(data: Path) -> bool:
    try:
        return (data / "PG_VERSION").exists()
    except PermissionError as error:
        raise _not_ours(data, error) from error


def _remembered_port(root: Path) -> int | None:
    try:
        return int((root / "port").read_text())
    except (FileNotFoundError, ValueError):
        return None


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Hold the lock of this cluster; the operating system releases it if we die."""
    try:
        descriptor = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _not_ours(root / "lock", error) from error
    seconds = 2 * _START_SECONDS
    deadline = time.monotonic() + seconds
    try:
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"another process has held {root / 'lock'} for {seconds} s; is a start or stop stuck?"
                )
            time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _not_ours(path: Path, error: OSError) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"cannot open {path}: {error.strerror}. The embedded PostgreSQL there belongs to another user: "
        "run as that user or root, or set HIC_HOME to a folder of your own."
    )
