"""Birth registration at the facility: the newborn, whose name may not be known yet, and the check before discharge."""

from __future__ import annotations

import numpy as np

from hic_assets.sandbox.world.hashing import salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.binding import bind
from hic_assets.sandbox.world.trackers.book import Book
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec
from hic_assets.sandbox.world.trackers.draft import Draft, Setting
from hic_assets.sandbox.world.trackers.filling import dates, numbers
from hic_assets.sandbox.world.trackers.life import NOT_YET, Births, Life
from hic_assets.sandbox.world.trackers.packing import Answer, chosen
from hic_assets.sandbox.world.trackers.programmes.common import hiv_status, hmis_attributes, option, years


def write(setting: Setting, life: Life, spec: ProgrammeSpec) -> Book:
    """The programme as a book: births at facilities, nearly all of them."""
    born = life.births
    born = born.take(~born.at_home & (uniform(salted(born.hashes, "registered at birth")) < 0.985))
    draft = Draft(setting, spec, born.persons, born.persons.born, born.place)
    born = born.take(draft.rows)
    draft.attributes = attributes(draft)
    draft.enrol(incident=born.persons.born)
    _events(draft, born, spec)
    return bind(draft)


def attributes(draft: Draft) -> dict[str, Answer]:
    """The newborn: a third are "Baby of" for now."""
    made = hmis_attributes(draft, upi_created=draft.persons.born)
    unnamed = uniform(salted(draft.hashes, "unnamed")) < 0.35
    made["SURNAME"] = made["SURNAME"].instead(chosen(["Baby of"], np.zeros(len(unnamed), dtype=np.int32)), unnamed)
    made["GIVEN_NAME"] = made["GIVEN_NAME"].where(~unnamed)
    return made


def _events(draft: Draft, born: Births, spec: ProgrammeSpec) -> None:
    p, every = born.persons, np.arange(len(draft.rows))
    h = draft.event_hashes(every, "birth")
    macerated = uniform(salted(born.hashes, "macerated")) < 0.53
    given = {
        "BRG_BIRTH_DATE": dates(p.born),
        "BRG_OUTCOME": option(spec, "birth", "BRG_OUTCOME", np.where(born.stillborn, 1 + macerated, 0)),
        "BRG_WEIGHT": numbers(born.grams),
        "BRG_GESTATION": numbers(born.weeks),
        "BRG_PLURALITY": numbers(1 + born.twin.astype(np.int64)),
        "BRG_MOTHER_AGE": numbers(years(p.born, p.mother_born)),
        "BRG_MOTHER_HIV": hiv_status(born.mother_hiv),
    }
    draft.events("birth", every, h, p.born, given)
    stays = np.minimum(1 + moments.spread_days(h, "stays", 1.2), 14)
    leaves = p.born + stays
    seen = np.nonzero(~born.stillborn & (born.died > leaves) & (uniform(salted(h, "discharged")) < 0.93))[0]
    h2 = draft.event_hashes(seen, "discharge")
    poorly = (born.died[seen] != NOT_YET) | (uniform(salted(h2, "poorly")) < 0.06)
    given = {
        "BRG_CONDITION": option(spec, "discharge", "BRG_CONDITION", np.where(poorly, 1, 0)),
        "BRG_WEIGHT_OUT": numbers((born.grams[seen] * (0.95 + 0.05 * uniform(h2))).astype(np.int64)),
    }
    done = moments.typed_in(leaves[seen], h2)
    draft.events("discharge", seen, h2, leaves[seen], given, done=done)
    ends = np.full(len(every), NEVER)
    ends[seen] = np.maximum(done, draft.enrolled.created[seen] + 900) + 2_000
    draft.close(ends != NEVER, ends)
