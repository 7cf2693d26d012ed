"""A folder of this process alone for what it keeps on disk while it works, and an end to those of killed processes.

Belongs here: whose folder is whose. Does not: what is kept in them (``extract.spool``, ``landing``).
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hic_assets.file_lock import exclusive

_PREFIX = "work-"
_own: dict[tuple[Path, int], Path] = {}


def work_folder(parent: Path) -> Path:
    """The folder of this process below ``parent``, made at its first use and removed when the process ends.

    The folders of processes that were killed are removed first. Nothing but a lock tells them from the living: process
    numbers are used again, and mean nothing to a container beside ours.
    """
    key = (parent.absolute(), os.getpid())
    if key not in _own or not _own[key].is_dir():
        parent.mkdir(parents=True, exist_ok=True)
        # One process at a time makes or removes folders: between the two steps of making one it has no lock yet.
        with exclusive(parent):
            _remove_dead(parent)
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            _try_lock(folder)  # held until this process ends, however it ends
        atexit.register(_remove, folder, os.getpid())
        _own[key] = folder
    return _own[key]


def _remove_dead(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = _try_lock(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _try_lock(folder: Path) -> int | None:
    """The descriptor that holds the folder's lock, or None when another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:  # a forked child inherits the registration, but not the folder
        shutil.rmtree(folder, ignore_errors=True)
