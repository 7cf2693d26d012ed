"""The systems as declared, but for pace and sizes: the sandbox is ours, and small.

Imported by processes that are forked before Polars may compute anything: no sandbox, no frames here.
"""

from __future__ import annotations

from dataclasses import replace

from hic_assets.extract.rest.paging import Export, LinkHeader, Whole
from hic_assets.extract.rest.resource import Resource
from hic_assets.systems import SYSTEMS
from hic_assets.systems.declare import System

PAGES = {"efiche": 100}
PAGE = 20
"""Records of a page, so that even a small country's lists have several, and none very many."""
PROVINCES = 2


def quick(system: System) -> System:
    """A system without its pace, in small pages; an aggregate DHIS2 by province, in a few larger requests."""
    if system.api is None:
        return system if system.programmes else replace(system, slice_level=PROVINCES)
    size = PAGES.get(system.name, PAGE)
    feeds = (replace(feed, resource=_paged(feed.resource, size)) for feed in system.feeds if feed.resource)
    return replace(system, api=replace(system.api, requests_per_second=100_000), feeds=tuple(feeds))


def _paged(resource: Resource, size: int) -> Resource:
    if isinstance(resource.paging, Export | Whole):
        return resource
    return replace(resource, paging=replace(resource.paging, page_size=size))  # type: ignore[type-var]


QUICK = {system.name: quick(system) for system in SYSTEMS}

UNCOUNTED = {
    system.name
    for system in SYSTEMS
    for feed in system.feeds
    if feed.resource and isinstance(feed.resource.paging, LinkHeader) and not feed.resource.paging.total_header
}
"""Systems whose mapping does not look at the total that their contract tells: a page that a proxy takes away is not missed.

What that leads to is expected to fail for as long as it is so (`total_header` of their paging), and no longer.
"""
UNCOUNTED_WORDS = "its mapping lacks total_header, by which a page that was taken away would be missed"
