"""How commands show things: a table for people or JSON for programs, and steps with their seconds on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

as_json = click.option("--json", "json_output", is_flag=True, help="Print the result as JSON.")


def show_json(value: Any) -> None:
    """The result for programs."""
    click.echo(json.dumps(value, indent=2, default=str))


def show_table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """The result for people; numbers to the right."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        numeric = bool(rows) and all(isinstance(r.get(column), int | float | type(None)) for r in rows)
        table.add_column(column.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(c)) for c in columns))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


class Steps:
    """Work in steps: each shown while it runs, and with its seconds when it is done."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)

    @contextmanager
    def step(self, words: str) -> Iterator[Step]:
        """One step; the body may refine its words while it runs."""
        started = time.monotonic()
        if not self._console.is_terminal:
            self._say(f"  … {words}")
        # Elsewhere than in a terminal nothing spins, and drawing it would take a core's tenth from the work.
        with self._console.status(escape(words)) if self._console.is_terminal else nullcontext() as status:
            step = Step(words, lambda now: self._refresh(status, now), self._end)
            try:
                yield step
            except BaseException:
                self._say(f"  ✗ {step.words} ({time.monotonic() - started:.1f} s)", style="red")
                raise
        self._end(step.words, time.monotonic() - started, step.failed)

    def _end(self, words: str, seconds: float, failed: bool) -> None:
        sign, style = ("✗", "red") if failed else ("✓", None)
        self._say(f"  {sign} {words} ({seconds:.1f} s)", style=style)

    def _refresh(self, status: Status | None, words: str) -> None:
        """In a terminal the line is drawn anew; elsewhere (a log, a pipe) each is a line of its own."""
        if status is not None:
            status.update(escape(words))
        else:
            self._say(f"  … {words}")

    def _say(self, words: str, style: str | None = None) -> None:
        self._console.print(words, style=style, markup=False, highlight=False, soft_wrap=True)


class Step:
    """A step under way."""

    def __init__(self, words: str, update: Callable[[str], None], end: Callable[[str, float, bool], None]) -> None:
        self.words = words
        self.failed = False
        self._update, self._end = update, end
        self._now = ""

    def now(self, words: str) -> None:
        """Say what is being done at the moment; said again only when it changes."""
        if words != self._now:
            self._now = words
            self._update(f"{self.words}: {words}")

    def part(self, words: str, seconds: float, failed: bool = False) -> None:
        """Say what came out of a part of it, while others go on."""
        self._end(words, seconds, failed)

    def done(self, words: str, failed: bool = False) -> None:
        """Say what came out of it."""
        self.words, self.failed = words, failed
