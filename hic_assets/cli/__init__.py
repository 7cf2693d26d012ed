"""The ``hic`` command: one file a subcommand, each with help, a readable table and ``--json``.

Exit codes: 0 done; 1 the work failed or a check says no; 2 wrong usage; 3 something it needs is missing
(a server, a port, disk, a setting). Progress goes to standard error, results to standard output.
"""

from __future__ import annotations

import signal
import sys
from difflib import get_close_matches

import click

from hic_assets.cli.errors import EXPECTED, explain

COMMANDS = {
    "bench": "hic_assets.cli.bench",
    "cutover": "hic_assets.cli.cutover",
    "demo": "hic_assets.cli.demo",
    "dev": "hic_assets.cli.dev",
    "docs": "hic_assets.cli.docs",
    "explain": "hic_assets.cli.explain_value",
    "link": "hic_assets.cli.link",
    "manifest": "hic_assets.cli.manifest",
    "parity": "hic_assets.cli.parity",
    "psql": "hic_assets.cli.psql",
    "quarantine": "hic_assets.cli.quarantine",
    "roles": "hic_assets.cli.roles",
    "sandbox": "hic_assets.cli.sandbox",
    "staging": "hic_assets.cli.staging",
    "status": "hic_assets.cli.status",
    "stop": "hic_assets.cli.stop",
    "systems": "hic_assets.cli.systems",
}


class LazyGroup(click.Group):
    """Imports a subcommand when it is used: Dagster and dbt take seconds to import, ``hic status`` needs neither."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the subcommands."""
        return sorted(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the commands that a word which is none may have meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = " or ".join(f"'{name}'" for name in get_close_matches(args[0], COMMANDS))
            words = f"{error.message} Did you mean {near}?" if near else error.message
            raise click.UsageError(words, ctx) from None

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of a name."""
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        command = import_module(COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)  # noqa: S101 - our own modules
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="hic-assets", prog_name="hic")
def cli() -> None:
    """Run and look into the national health data warehouse."""


def main() -> None:
    """Run the command line; expected troubles become one clear message and an exit code."""
    # Ended politely, a command still ends what it started (the sandbox, Dagster).
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except EXPECTED as error:
        click.echo(f"hic: {explain(error)}", err=True)
        sys.exit(getattr(error, "exit_code", 3))
