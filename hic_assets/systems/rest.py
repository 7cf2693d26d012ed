"""From the resources of a REST API to the feeds and raw tables of a system.

Belongs here: what all such tables share. Does not: any one system (a folder each, beside this file).
"""

from __future__ import annotations

from hic_assets.extract.rest.resource import Form, Member, Resource
from hic_assets.landing.table import Column, Layout, Table
from hic_assets.systems.declare import DUE_DAYS, Cadence, Feed


def rest_feed(system: str, resource: Resource, cadence: Cadence) -> Feed:
    """The feed of one resource: ``raw.<system>_<resource>``, one row a record, by the day it happened.

    ``cadence``: of records, which have a day. A list that is read whole is a snapshot, replaced whole, and never empty.
    """
    if resource.is_whole:
        cadence = Cadence.SNAPSHOT
    table = Table(
        system=system,
        name=resource.name.replace("-", "_"),
        description=resource.description,
        columns=tuple(_column(member) for member in resource.members),
        layout=Layout.SNAPSHOT if resource.is_whole else Layout.INDEXED,
        updated_column=resource.changes.column if resource.changes else None,
        deleted_column=resource.deleted,
        may_empty=resource.tombstones_end and not resource.is_whole,
        # Pages at the pace of an API take a landing's time many times over.
        sought_by_key=not resource.is_whole,
    )
    return Feed(table, reader="rest", cadence=cadence, due_days=DUE_DAYS[cadence], resource=resource)


def _column(member: Member) -> Column:
    return Column(
        member.column,
        member.description,
        key=member.key,
        required=member.required,
        allowed=member.allowed,
        json=member.form is Form.JSON,
        sensitive=member.identifying,
    )
