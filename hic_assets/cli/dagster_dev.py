"""``dagster dev`` as a process of ours: the group it leads ends when it is asked to, and when who started it is gone.

Run as ``python -m hic_assets.cli.dagster_dev PARENT ARGUMENTS``; `started` and `end` are for who runs it.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil  # type: ignore[import-untyped]

PATIENCE = 8
"""Seconds in which the group may end by itself. A run rarely does: Dagster takes the interruption of a step that may be
tried again for a failure, and tries again. Nothing is lost by force: a partition is swapped in whole or not at all."""

MODULE = "hic_assets.cli.dagster_dev"

# `dg dev` finds its code location another way; `dagster dev` says at every start that it is the older of the two.
_HUSH = "ignore:Function `dev_command` is superseded"


def started(host: str, port: int, keep: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """``dagster dev`` as leader of a process group of its own; it inherits the file descriptors ``keep``."""
    from hic_assets.cli.environment import ROOT  # here, since the child needs none of what it imports

    call = [sys.executable, "-W", _HUSH, "-m", MODULE, str(os.getpid()), "dev", "-w", str(ROOT / "workspace.yaml")]
    call += ["-h", host, "-p", str(port)]
    return subprocess.Popen(call, cwd=ROOT, start_new_session=True, pass_fds=keep)  # noqa: S603 - our own arguments


def end(process: subprocess.Popen[bytes], patience: float = PATIENCE) -> None:
    """End the whole group, runs included: politely, and after ``patience`` seconds by force."""
    for wanted, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, wanted)
        deadline = time.monotonic() + seconds
        while process.poll() is None or _members(process.pid):
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        else:
            return


def _members(group: int) -> list[int]:
    """Processes of a group that still live; one that ended and was not asked for its exit code does not."""
    found = []
    for process in psutil.process_iter(["pid", "status"]):
        with suppress(ProcessLookupError):
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def _end_with(parent: int) -> None:
    """Kill our group once the parent is gone. Looked at once a second: a parent that is killed tells nobody.

    By force, since we could not wait for the others; the next `hic dev` closes the runs.
    """
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    """Be ``dagster dev``, watched over by a thread."""
    threading.Thread(target=_end_with, args=(int(sys.argv.pop(1)),), daemon=True).start()
    runpy.run_module("dagster", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
