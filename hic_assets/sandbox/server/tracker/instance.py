"""One tracker as a DHIS2: its endpoints, its own systemId, the units it shares with everybody.

Belongs here: which path is answered by what, and the page of an answer. Does not belong here: faults of the
transport and authentication (see ``server.app``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hic_assets.sandbox.server import fields, system
from hic_assets.sandbox.server.faults import Fault
from hic_assets.sandbox.server.metadata import Metadata
from hic_assets.sandbox.server.replies import ApiError, not_found_page, proxy_page
from hic_assets.sandbox.server.tracker import differences as differing
from hic_assets.sandbox.server.tracker import envelope, legacy, metadata, unified
from hic_assets.sandbox.server.tracker.dialect import TrackerDialect
from hic_assets.sandbox.server.tracker.pace import Pace
from hic_assets.sandbox.server.tracker.question import Asked, Paging, Question
from hic_assets.sandbox.server.tracker.rows import Found, find
from hic_assets.sandbox.server.tracker.shape import References, Shaper
from hic_assets.sandbox.server.tracker.view import View
from hic_assets.sandbox.world import World, catalogue, geography
from hic_assets.sandbox.world.trackers.catalogue import ElementSpec, Instance, ProgrammeSpec
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, TRACKED_ENTITIES
from hic_assets.sandbox.world.trackers.store import TrackerStore

JSON_TYPE = "application/json;charset=UTF-8"
KINDS = {"trackedEntities": TRACKED_ENTITIES, "enrollments": ENROLLMENTS, "events": EVENTS}
MAX_LIMIT = 50_000
# records rendered at a time; a bound on memory
CHUNK = 5000


class TrackerInstance:
    """One tracker. ``max_limit`` is KeyTrackedEntityMaxLimit; ``programmes`` is what its metadata says now."""

    def __init__(
        self, world: World, spec: Instance, version: Callable[[], str], differences: differing.Differences
    ) -> None:
        self.world, self.spec, self._version, self.differences = world, spec, version, differences
        self.programmes: tuple[ProgrammeSpec, ...] = spec.programmes
        self.max_limit = MAX_LIMIT
        self.metadata = Metadata(world, metadata.resources(lambda: self.programmes), version)
        self._views: dict[tuple[str, str], View] = {}
        self._referred: tuple[Hashable, References] | None = None
        self._pace = Pace()

    @property
    def store(self) -> TrackerStore:
        """The records, built at first use."""
        return self.world.tracker(self.spec.name)

    def add_data_element(self, program: str, stage: str, element: ElementSpec) -> None:
        """A new field on a form (uids of programme and stage); events have values of it once somebody enters them."""

        def wider(programme: ProgrammeSpec) -> ProgrammeSpec:
            stages = (
                replace(s, data_elements=(*s.data_elements, element)) if s.uid == stage else s for s in programme.stages
            )
            return replace(programme, stages=tuple(stages)) if programme.uid == program else programme

        with self.world.lock:
            self.programmes = tuple(wider(p) for p in self.programmes)
            self.world.revision += 1

    def answer(self, request: Request, path: str, suffix: str, struck: dict[str, Fault]) -> Response:
        """The reply to ``GET {context}/api/{path}``; ApiError when it is refused."""
        head, _, rest = path.partition("/")
        dialect = TrackerDialect(self._version())
        if path == "system/info":
            base = str(request.base_url).rstrip("/") + self.spec.context
            return system.info(self.world, base, struck, dialect.version, self.spec.system_id, self.spec.name)
        if head in self.metadata.resources:
            return self.metadata.one(request, head, rest) if rest else self.metadata.listing(request, head)
        family, name, own = ("unified", *rest.partition("/")[::2]) if head == "tracker" else ("legacy", head, rest)
        kinds = KINDS if family == "unified" else legacy.PATHS if dialect.has_legacy else {}
        if name not in kinds or suffix == "csv":
            return not_found_page()
        return self._records(request, dialect, family, name, own, struck)

    # ---- records

    def _records(
        self, request: Request, dialect: TrackerDialect, family: str, name: str, own: str, struck: dict[str, Fault]
    ) -> Response:
        kind = (KINDS if family == "unified" else legacy.PATHS)[name]
        asked = Asked(request.query_params, dialect, self.world, self.programmes)
        if own:
            return self._single(asked, family, kind, own)
        question = (
            unified.question(asked, kind, self.max_limit) if family == "unified" else legacy.question(asked, kind)
        )
        _refuse_without_access(question, dialect, struck.get("no_access"))
        view = self._view(family, dialect)
        found = self._find(question, view, request.query_params)
        total = len(found.numbers)
        begin, count = self._page(question)
        rows = max(0, min(count, total - begin))
        over = struck.get("timeout_over")
        if over is not None and (total if over.options.get("matched") else rows) > int(over.options.get("rows", 1000)):
            return proxy_page(504)
        if family == "unified":
            opening = envelope.unified_head(dialect, question.paging, total, name, request.url)
        else:
            opening = envelope.legacy_head(question.paging, total, name)
        body = self._body(opening, found.numbers[begin : begin + rows], found, question, view, struck)
        return StreamingResponse(body, media_type=JSON_TYPE)

    def _page(self, question: Question) -> tuple[int, int]:
        """Where the page begins and how many rows it may hold; lists of tracked entities are cut at the limit."""
        size = question.paging.size
        limit = self.max_limit if question.kind == TRACKED_ENTITIES else None
        if size is None:
            return 0, limit or 1 << 62
        return (question.paging.page - 1) * size, min(size, limit or size)

    def _find(self, question: Question, view: View, params: QueryParams) -> Found:
        """The rows of a question; those of the last few are kept, since the pages of a walk all ask the same."""
        if self.differences.on("ou_mode_ignored", view.family, question.kind, question.programs):
            question = _only_the_unit(question, params)
        apart = {"page", "pageSize", "totalPages", "fields"} if view.dialect.breaks_ties else {"fields"}
        items = tuple(sorted((k, v) for k, v in params.multi_items() if k not in apart))

        def search() -> Found:
            found = find(question, view)
            cut = self.differences.on("truncated_list", view.family, question.kind, question.programs)
            if cut is None:
                return found
            return replace(found, numbers=found.numbers.head(int(cut.options.get("limit", self.max_limit))))

        return view.remembered((question.kind, self.world.revision, self.max_limit, items), search)

    def _body(
        self,
        opening: bytes,
        numbers: pl.Series,
        found: Found,
        question: Question,
        view: View,
        struck: dict[str, Fault],
    ) -> Iterator[bytes]:
        """The reply in pieces; what one piece holds is in memory at a time."""
        shaper = self._shaper(view, question)
        hidden = struck.get("short_pages") if question.kind != EVENTS else None
        paced = struck.get("paced")
        first = True
        for begin in range(0, len(numbers), CHUNK):
            frame = found.frame[numbers[begin : begin + CHUNK]]
            if hidden is not None:
                frame = frame.filter(pl.col("_seq") % int(hidden.options.get("every", 7)) != 0)
            if frame.is_empty():
                continue
            began = time.monotonic()
            lines = shaper.lines(frame, question.kind, question.fields)
            if paced is not None:
                self._pace.wait(began, frame.height / float(paced.options.get("rows_a_second", 20_000)))
            yield opening if first else b","
            first = False
            yield lines
        yield opening + b"]}" if first else b"]}"

    def _single(self, asked: Asked, family: str, kind: str, own: str) -> Response:
        """One record by its uid, deleted ones excepted."""
        default = (unified if family == "unified" else legacy).DEFAULT_FIELDS[kind]
        wanted = fields.parse(asked.text("fields") or default)
        programs = tuple(p.uid for p in self.programmes)
        question = Question(kind, programs, Paging(size=None), wanted, selected=frozenset([own]))
        view = self._view(family, asked.dialect)
        found = find(question, view)
        if not len(found.numbers):
            name = {TRACKED_ENTITIES: "TrackedEntity", ENROLLMENTS: "Enrollment", EVENTS: "Event"}[kind]
            raise ApiError(404, "E1005", f"{name} with id {own} could not be found.")
        body = self._shaper(view, question).lines(found.take(0, 1), kind, wanted)
        return Response(body, media_type=JSON_TYPE)

    # ---- what the answers need

    def _view(self, family: str, dialect: TrackerDialect) -> View:
        store = self.store
        with self.world.lock:
            view = self._views.get((family, dialect.version))
            if view is None or view.store is not store:
                view = View(store, family, dialect, self.differences, self.meanings())
                self._views[family, dialect.version] = view
            return view

    def meanings(self) -> differing.Meanings:
        """What the values of this instance mean."""
        specs = [(a.uid, a.value_type, a.option_set) for p in self.programmes for a in p.attributes]
        specs += [
            (e.uid, e.value_type, e.option_set) for p in self.programmes for s in p.stages for e in s.data_elements
        ]
        options = {uid: tuple(code for code, _ in chosen.options) for uid, _, chosen in specs if chosen}
        return differing.Meanings({uid: kind for uid, kind, _ in specs}, options, self.world.timezone)

    def _shaper(self, view: View, question: Question) -> Shaper:
        return Shaper(view, question.programs, str(self.world.timezone), self._references(), question.include_deleted)

    def _references(self) -> References:
        state = (self.world.revision, self.programmes)
        if self._referred is None or self._referred[0] != state:
            self._referred = (state, references(self.world, self.programmes))
        return self._referred[1]


def references(world: World, programmes: tuple[ProgrammeSpec, ...]) -> References:
    """What the records of these programmes refer to."""
    attributes = {a.uid: a for p in programmes for a in p.attributes}.values()
    known = [(a.uid, a.code or None, a.name, a.value_type) for a in attributes]
    units = [(u.uid, u.name) for u in geography.tree()] + [(f.uid, f.name) for f in world.facilities]
    types = {p.uid: p.tracked_entity_type for p in programmes}
    return References(
        _table(known, "attribute", "code", "displayName", "valueType"),
        _table(units, "org_unit", "org_unit_name"),
        catalogue.DEFAULT_COMBO,
        types,
    )


def _table(rows: Sequence[tuple[str | None, ...]], *columns: str) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _refuse_without_access(question: Question, dialect: TrackerDialect, fault: Fault | None) -> None:
    if fault is not None and fault.options.get("program") in (None, *question.programs):
        raise ApiError(dialect.no_access, None, f"User has no access to program: {question.programs[0]}")


def _only_the_unit(question: Question, params: Mapping[str, str]) -> Question:
    """The same question about the units named, whatever the mode."""
    named = params.get("orgUnits") or params.get("orgUnit") or params.get("ou") or ""
    uids = frozenset(named.replace(";", ",").split(",")) - {""}
    return replace(question, units=uids) if uids else question
