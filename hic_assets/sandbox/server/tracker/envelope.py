"""What stands around a list of records: paging in each version's and family's words.

Belongs here: heads of replies. Does not belong here: which page was asked for. Source: contract 1.6 and 1.7.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.datastructures import URL

from hic_assets.sandbox.server.tracker.dialect import TrackerDialect
from hic_assets.sandbox.server.tracker.question import Paging

Json = dict[str, Any]


def unified_head(dialect: TrackerDialect, paging: Paging, total: int, name: str, url: URL) -> bytes:
    """Everything before the first record of `/api/tracker/{name}`; ``total`` is how many match."""
    key = name if dialect.names_the_list else "instances"
    if paging.size is None:
        return _head({}, key)
    numbers: Json = {"page": paging.page, "pageSize": paging.size}
    if paging.totals:
        numbers["total"] = total
        if dialect.counts_pages:
            numbers["pageCount"] = -(-total // paging.size)
    parts: Json = {}
    if dialect.has_pager:
        parts["pager"] = dict(numbers)
        if dialect.has_next_page:
            parts["pager"] |= _links(paging, total, url)
    if dialect.flat_paging:
        parts |= numbers
    return _head(parts, key)


def _links(paging: Paging, total: int, url: URL) -> Json:
    links = {}
    if paging.page > 1:
        links["prevPage"] = str(url.include_query_params(page=paging.page - 1))
    if paging.size is not None and paging.page * paging.size < total:
        links["nextPage"] = str(url.include_query_params(page=paging.page + 1))
    return links


def legacy_head(paging: Paging, total: int, name: str) -> bytes:
    """Everything before the first record of `/api/{name}`. Without ``totalPages`` the pager says nothing true."""
    if paging.size is None:
        return _head({}, name)
    if not paging.totals:
        return _head({"pager": {"page": paging.page, "pageCount": 1, "total": 0, "pageSize": paging.size}}, name)
    count = max(1, -(-total // paging.size))
    pager = {"page": paging.page, "pageCount": count, "total": total, "pageSize": paging.size}
    return _head({"pager": pager}, name)


def _head(parts: Json, key: str) -> bytes:
    text = json.dumps(parts, separators=(",", ":"))[:-1]
    return f'{text}{"," if parts else ""}"{key}":['.encode()
