"""The programmes, one module each: who is registered, what happens, and what is asked.

Belongs here: turning the life of the country into the records of one programme. Each has ``write(setting, life)``.
"""

from __future__ import annotations

from collections.abc import Callable

from hic_assets.sandbox.world.trackers.book import Book
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec
from hic_assets.sandbox.world.trackers.draft import Draft, Setting
from hic_assets.sandbox.world.trackers.life import Life
from hic_assets.sandbox.world.trackers.packing import Answer
from hic_assets.sandbox.world.trackers.programmes import audits, births, cancer, crvs, hiv, immunization, tb

WRITERS: dict[str, Callable[[Setting, Life, ProgrammeSpec], Book]] = {
    "tb": tb.write,
    "maternal_death_audit": audits.write_maternal,
    "perinatal_death_audit": audits.write_perinatal,
    "child_death_audit": audits.write_child,
    "crvs": crvs.write,
    "birth_registration": births.write,
    "hiv": hiv.write,
    "immunization": immunization.write,
    "cancer": cancer.write,
}
# how each writes down a person
ATTRIBUTES: dict[str, Callable[[Draft], dict[str, Answer]]] = {
    "tb": tb.attributes,
    "maternal_death_audit": audits.attributes,
    "perinatal_death_audit": audits.attributes,
    "child_death_audit": audits.attributes,
    "crvs": crvs.attributes,
    "birth_registration": births.attributes,
    "hiv": hiv.attributes,
    "immunization": immunization.attributes,
    "cancer": cancer.attributes,
}
