"""The `hic` command as a process, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HIC = str(Path(sys.executable).with_name("hic"))
Hic = Callable[..., subprocess.CompletedProcess[str]]


def environment(home: Path, **variables: str) -> dict[str, str]:
    """The environment without any setting of ours, save for these."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HIC_", "DAGSTER_", "PG"))}
    return kept | {"HIC_HOME": str(home)} | variables
