"""``hic sandbox``: serve the miniature country by itself."""

from __future__ import annotations

import os
import sys

import click


@click.command(name="sandbox", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Serve the sandbox's DHIS2 until interrupted.

    ARGUMENTS: --port, --scale, --seed, --version, --today, --fault ... ('hic sandbox -- --help' lists them).
    Prints one line of JSON with the address and credentials when it is ready.
    """
    os.execv(sys.executable, [sys.executable, "-m", "hic_assets.sandbox", *arguments])  # noqa: S606 - ours
