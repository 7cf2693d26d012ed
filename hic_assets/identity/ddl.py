"""What the schema ``identity`` holds before anything is loaded: the function of pseudonyms, and which key they are made with.

Belongs here: DDL, idempotent. Does not: the key itself, which no table holds (``pseudonym``).
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hic_assets.identity.pseudonym import fingerprint
from hic_assets.landing.ddl import create_once, exists

# HMAC-SHA256 as RFC 2104 has it, of the two blocks that Python has made of the key: no extension is needed.
DDL = r"""
create or replace function identity.pseudonym(source text, record text) returns uuid
language sql stable strict parallel safe
return encode(substr(sha256(
    decode(current_setting('hic.pseudonym_outer'), 'hex')
    || sha256(decode(current_setting('hic.pseudonym_inner'), 'hex') || convert_to(source || chr(31) || record, 'UTF8'))
), 1, 16), 'hex')::uuid;
revoke all on function identity.pseudonym(text, text) from public;
comment on function identity.pseudonym(text, text) is
    'Keyed hash of a source''s number of a person: works only in sessions that were given the key.';

create table if not exists ops.pseudonym_key (
    only_one boolean primary key default true check (only_one),
    fingerprint text not null,
    first_used_at timestamptz not null default clock_timestamp()
);
comment on table ops.pseudonym_key is
    'By which key the pseudonyms of this warehouse are made: its fingerprint, which tells nothing of it.';
"""


class PseudonymKeyError(RuntimeError):
    """The key is not the one that the warehouse's pseudonyms were made with."""


def create_identity(connection: Connection[Any]) -> None:
    """Create what is missing."""
    if not exists(connection, "ops", "pseudonym_key"):
        create_once(connection, DDL)


def hold_to_key(connection: Connection[Any], key: bytes) -> None:
    """Make sure that pseudonyms are made with one key for ever; the first one used is it.

    Raises PseudonymKeyError where another one was used before: every person would become another.
    """
    mine = fingerprint(key)
    with connection.transaction():
        connection.execute("insert into ops.pseudonym_key (fingerprint) values (%s) on conflict do nothing", [mine])
        held = connection.execute("select fingerprint from ops.pseudonym_key").fetchone()
    if held != (mine,):
        raise PseudonymKeyError(
            "The key of pseudonyms is not the one this warehouse was built with: every patient would become another one. "
            "Set HIC_PSEUDONYM_KEY to the old key (without it, it is read from pseudonym.key below HIC_HOME). To begin "
            "anew with this key instead: truncate ops.pseudonym_key, and load and build everything again."
        )
