"""``hic link``: who is the same person: how the last runs went, which pairs wait for review, and deciding them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import click
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, UndefinedTable

from hic_assets.cli.environment import running_warehouse
from hic_assets.cli.errors import CommandError
from hic_assets.cli.output import as_json, show_json, show_table

RUN = ("run", "finished_at", "seconds", "records", "added", "changed", "removed", "compared", "persons")
EVENTS = ("run", "merged", "split", "moved", "in_review")
STEP = ("comparison", "words", "weight", "total", "value_l", "value_r")


@click.group(name="link")
def command() -> None:
    """Identity resolution: who is the same person. See docs/identity.md.

    Shows names and numbers of persons, so it needs the connection of the warehouse's owner (HIC_WAREHOUSE_URL); no analyst can use it. What it prints
    is as confidential as the schema identity: no copies, no tickets, no chats.
    """


@command.command()
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1), help="How many of the last runs.")
@as_json
def status(runs: int, json_output: bool) -> None:
    """The last runs, records and persons by source, and how many pairs wait for review. Names nobody."""
    from hic_assets.identity.books import standing

    with _identity() as connection:
        found = standing(connection, runs)
    if json_output:
        show_json(found)
        return
    if not found["runs"]:
        click.echo("There was no run yet: materialise identity/assignment, or run the job identity.")
        return
    show_table("Runs", RUN, [{**run, "finished_at": f"{run['finished_at']:%Y-%m-%d %H:%M}"} for run in found["runs"]])
    show_table("What became of persons", EVENTS, found["runs"])
    show_table("Sources", ("system", "records", "persons"), found["systems"])
    review = found["review"]
    click.echo(
        f"{review['waiting']:,} pairs wait for review ('hic link review'); {review['decisions']:,} decisions were made, "
        f"{review['decided_since_the_last_run']:,} of them since the last run began."
    )


@command.command()
@click.argument("pair", nargs=-1, metavar="[SYSTEM:ID SYSTEM:ID]")
@click.option("--pair", "given", nargs=2, metavar="SYSTEM:ID SYSTEM:ID", help="The same as the two arguments.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="How many pairs are listed.")
@as_json
def review(pair: Sequence[str], given: Sequence[str] | None, limit: int, json_output: bool) -> None:
    """Pairs that somebody should decide, the weightiest first; of one pair both records and what speaks for and against.

    Weights are powers of two: 1 more is twice the odds that both are one person. Shows identifiers of persons.
    """
    asked = tuple(given or pair)
    if len(asked) not in (0, 2):
        raise click.UsageError("Name both records of a pair: hic link review SYSTEM:ID SYSTEM:ID")
    with _identity() as connection:
        if asked:
            _show_evidence(connection, asked, json_output)
        else:
            _show_queue(connection, limit, json_output)


def _decision(name: str, accepted: bool, words: str) -> click.Command:
    """``hic link accept`` and ``hic link reject``."""

    @command.command(
        name=name,
        help=f"{words} The last decision of a pair counts, from the next run on. Exit code 1 for unknown records.",
    )
    @click.argument("left", metavar="SYSTEM:ID")
    @click.argument("right", metavar="SYSTEM:ID")
    @click.option("--by", required=True, help="Who decides: kept for ever.")
    @click.option("--reason", required=True, help="Why: kept for ever.")
    @as_json
    def decide_pair(left: str, right: str, by: str, reason: str, json_output: bool) -> None:
        from hic_assets.identity.review import decide

        one, other = _records((left, right))
        with _identity() as connection, _known(), connection.transaction():
            decided_at = decide(connection, one, other, accepted, by, reason)
        said = {
            "pair": [str(one), str(other)],
            "accepted": accepted,
            "by": by,
            "reason": reason,
            "decided_at": decided_at,
        }
        if json_output:
            show_json(said)
        else:
            click.echo(
                f"{'One person' if accepted else 'Two persons'}: {one} and {other}, says {by}. The next run respects it."
            )

    return decide_pair


accept = _decision("accept", True, "Two records are about one person.")
reject = _decision("reject", False, "Two records are about two persons.")


def _show_queue(connection: Connection[Any], limit: int, json_output: bool) -> None:
    from hic_assets.identity.review import queue

    found = queue(connection, limit)
    if json_output:
        show_json(found)
        return
    if not found:
        click.echo("No pair waits for review.")
        return
    lines = [
        {
            "weight": row["weight"],
            "reason": row["reason"],
            "left": f"{row['system_l']}:{row['record_id_l']}",
            "right": f"{row['system_r']}:{row['record_id_r']}",
            "names": f"{row['names_l'] or '?'} / {row['names_r'] or '?'}",
            "born": f"{row['birth_date_l'] or '?'} / {row['birth_date_r'] or '?'}",
        }
        for row in found
    ]
    show_table("To be reviewed", ("weight", "reason", "left", "right", "names", "born"), lines)


def _show_evidence(connection: Connection[Any], asked: Sequence[str], json_output: bool) -> None:
    from hic_assets.identity.review import evidence

    one, other = _records(asked)
    with _known():
        found = evidence(connection, one, other)
    if json_output:
        show_json(asdict(found))
        return
    columns = [name for name in found.left if found.left[name] is not None or found.right[name] is not None]
    both = [{"column": name, "left": found.left[name], "right": found.right[name]} for name in columns]
    persons = {"column": "person", "left": found.persons[0], "right": found.persons[1]}
    show_table("Records", ("column", "left", "right"), [*both, persons])
    if found.pair is None:
        click.echo("The pair was not weighed, or weighs too little to be kept.")
    else:
        show_table(
            f"Weight {found.pair['weight']:.1f}: {found.pair['review_reason'] or found.pair['reason']}",
            STEP,
            found.steps,
        )
    if found.decisions:
        show_table("Decisions", ("decided_at", "accepted", "by_whom", "reason"), found.decisions)


def _records(asked: Sequence[str]) -> tuple[Any, Any]:
    from hic_assets.identity.review import Record, ordered

    try:
        one, other = (Record.parse(text) for text in asked)
        return ordered(one, other)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None


@contextmanager
def _known() -> Iterator[None]:
    """A record that is not known is told in a sentence, with exit code 1."""
    from hic_assets.identity.review import UnknownRecordError

    try:
        yield
    except (UnknownRecordError, ValueError) as error:
        raise CommandError(f"{error}.", exit_code=1) from None


@contextmanager
def _identity() -> Iterator[Connection[Any]]:
    """A connection to the warehouse's tables of persons.

    Raises:
        CommandError: there are none yet, or this login must not read them.
    """
    with running_warehouse().connect(autocommit=True, application_name="hic-link") as connection:
        try:
            yield connection
        except UndefinedTable:
            raise CommandError(
                "this warehouse has no identities yet: 'hic dev' prepares it, the job identity fills it."
            ) from None
        except InsufficientPrivilege as error:
            raise CommandError(
                f"this login must not see who persons are ({error.diag.message_primary}). Only the warehouse's owner, or who is in the "
                "role of the transformer, may: name such a login in HIC_WAREHOUSE_URL."
            ) from None
