"""Late, edited, deleted and moved records of every REST system: the sensor asks for exactly the partitions they touch."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import dagster as dg
import polars as pl
import pytest

from hic_assets.assets.raw import asset_key
from hic_assets.jobs import jobs_of
from hic_assets.partitions import range_of, range_tags
from hic_assets.sensors import occasions
from hic_assets.sensors.rest import rest_sensor, tick
from systems.country import Country, struck
from systems.subjects import REST, Subject, milliseconds, window

EACH = pytest.mark.parametrize("subject", REST, ids=lambda subject: subject.name)


class Watch:
    """The sensor of a system, with its cursor, as the daemon has it."""

    def __init__(self, country: Country, subject: Subject) -> None:
        self.country, self.subject = country, subject
        self.sensor = rest_sensor(subject.system, jobs_of([subject.system]))
        # Time has passed for all systems together, and in some of them somebody corrected something meanwhile.
        for key in self.differing():
            assert country.load(subject, key).success
        marks, stale = tick(subject.system, {}, country.warehouse, country.resources["sources"])
        assert stale == {}, "what was loaded a moment ago is what is there"
        self.cursor = json.dumps(dict(marks))

    @property
    def watermark(self) -> datetime:
        """Up to when the changes of the table were asked for, by the source's clock."""
        return datetime.fromisoformat(json.loads(self.cursor)[self.subject.feed.table.name])

    def evaluate(self) -> dg.SensorResult | dg.SkipReason:
        """One evaluation; the cursor is kept."""
        country = self.country
        with dg.build_sensor_context(country.instance, self.cursor, resources=country.resources) as context:
            result = self.sensor(context)
        assert isinstance(result, dg.SensorResult | dg.SkipReason)
        if isinstance(result, dg.SensorResult):
            self.cursor = result.cursor or ""
        return result

    def asked(self) -> list[dg.RunRequest]:
        """The runs that an evaluation asks for."""
        result = self.evaluate()
        assert isinstance(result, dg.SensorResult), result
        return list(result.run_requests or [])

    def goes_on_elsewhere(self) -> None:
        """Somebody corrects a record of a time that was never loaded: the system's newest change is another one now."""
        sandbox, subject = self.country.sandbox(self.subject), self.subject
        sandbox.world.advance(minutes=1)
        after = str(window(subject, subject.keys[1])[1])
        subject.edit_record(sandbox, subject.records(sandbox, after)[0])

    def differing(self) -> list[str]:
        """Loaded partitions in which the warehouse differs from the source."""
        country, subject = self.country, self.subject
        return [k for k in subject.keys if not country.held(subject, k).equals(country.truth(subject, k))]

    def follows(self, *touched: str) -> None:
        """The sensor asks for one run of exactly what differs, these partitions; after it nothing does, and nothing is asked for."""
        subject, before = self.subject, self.watermark
        differing = self.differing()
        assert set(differing) >= set(touched)
        (request,) = self.asked()
        assert request.job_name == f"{subject.name}_{subject.feed.cadence.value}"
        assert request.asset_selection is None, "what stands on the table is built too"
        tags = range_tags(differing[0], differing[-1])
        assert tags.items() <= request.tags.items()
        assert self.watermark == before, "until it is loaded the change must be seen again"
        self.goes_on_elsewhere()
        assert self.asked() == [], "no second run that day"
        run = self.country.run(subject.feed.table.relation, tags=tags)
        assert run.success, run.failure
        assert set(run.materialised(asset_key(subject.system, subject.feed))) == set(differing)
        assert self.differing() == []
        assert self.asked() == []
        truth = pl.concat(self.country.truth(subject, key) for key in subject.keys)
        newest = truth["updated_at"].max()
        assert isinstance(newest, datetime)
        assert before < self.watermark
        assert newest <= self.watermark <= self.country.sandbox(subject).world.now


@EACH
def test_exactly_the_touched_partitions_are_loaded_again(country: Country, subject: Subject) -> None:
    watch = Watch(country, subject)
    sandbox = country.sandbox(subject)
    store, world = sandbox.clinical[subject.name].store, sandbox.world
    first, second = subject.keys
    assert watch.asked() == []

    # An edit; and another in a partition that was never loaded, which nobody asked for.
    world.advance(minutes=1)
    subject.edit_record(sandbox, subject.records(sandbox, second)[0])
    never, _ = window(subject, first)
    store.add_late(subject.stored, 1, begin=milliseconds(never - timedelta(days=5)), end=milliseconds(never))
    watch.follows(second)

    # A deletion and a late record.
    world.advance(minutes=1)
    gone = subject.records(sandbox, first)[1]
    store.delete(subject.stored, gone)
    begin, end = map(milliseconds, window(subject, first))
    (late,) = store.add_late(subject.stored, 1, begin=begin, end=end)
    watch.follows(first)
    held = country.held(subject, first)
    assert held.filter(pl.col("id") == gone)["deleted"].to_list() == [True]
    assert held.filter(pl.col("id") == late)["deleted"].to_list() == [False]

    # A record whose day was wrong: it leaves one partition for the other.
    world.advance(minutes=1)
    moved = subject.records(sandbox, first)[2]
    move(country, subject, moved, window(subject, second)[0] + timedelta(days=2))
    watch.follows(first, second)
    assert moved not in country.held(subject, first)["id"]
    assert moved in country.held(subject, second)["id"]


def move(country: Country, subject: Subject, record: str, day: date) -> None:
    """A record is corrected to have happened on another day, at ten in the morning."""
    store = country.sandbox(subject).clinical[subject.name].store
    moment = milliseconds(day) + 10 * 3_600_000
    is_day = store.records(subject.stored).schema[subject.day] == pl.Date
    store.edit(subject.stored, record, {subject.day: day if is_day else moment}, happened=moment)


TROUBLE = {"efiche": "unavailable", "hpemr": "html_login", "ebuzima": "reset", "cemr": "redirect", "idsr": "html_404"}


@EACH
def test_a_system_in_trouble_is_a_reason_without_secrets_and_nothing_is_missed(
    country: Country, subject: Subject
) -> None:
    watch = Watch(country, subject)
    country.sandbox(subject).world.advance(minutes=1)
    key = subject.keys[1]
    subject.edit_record(country.sandbox(subject), subject.records(country.sandbox(subject), key)[3])
    with struck(country.sandbox(subject), TROUBLE[subject.name], path=subject.path):
        said = watch.evaluate()
    assert isinstance(said, dg.SkipReason) and said.skip_message
    assert said.skip_message.startswith(f"Could not ask {subject.system.title}: {subject.name}: ")
    assert not [secret for secret in country.secrets() if secret in said.skip_message]
    assert not country.sandbox(subject).elsewhere_requests
    watch.follows(key)


@EACH
def test_wrong_credentials_are_a_reason(country: Country, subject: Subject) -> None:
    watch = Watch(country, subject)
    country.wrong = True
    country.sandbox(subject).requests.clear()
    try:
        said = watch.evaluate()
    finally:
        country.wrong = False
    assert isinstance(said, dg.SkipReason) and said.skip_message
    assert "HTTP 401" in said.skip_message
    assert len(country.sandbox(subject).requests) == 1, "not once a table: that would lock the account"
    assert not [secret for secret in country.secrets() if secret in said.skip_message]


@EACH
def test_what_stays_stale_is_asked_for_once_a_day_whatever_changes_elsewhere(
    country: Country, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run fails each time, and the system goes on being used: in other partitions, then next door, then in this one."""
    watch = Watch(country, subject)
    sandbox = country.sandbox(subject)
    first, second = subject.keys

    def edit(key: str, number: int) -> None:
        sandbox.world.advance(minutes=1)
        subject.edit_record(sandbox, subject.records(sandbox, key)[number])

    def covered() -> list[tuple[str, str]]:
        return [range_of(request.tags) or ("", "") for request in watch.asked()]

    edit(second, 4)
    assert covered() == [(second, second)]
    before, quiet = country.truth(subject, second), 0
    for _ in range(12):
        watch.goes_on_elsewhere()
        # In some systems something comes to be known with every minute.
        same = before.equals(now := country.truth(subject, second))
        assert covered() == ([] if same else [(second, second)])
        before, quiet = now, quiet + same
    assert quiet > 6
    edit(first, 4)
    assert covered() == [(first, first)], "and not the other one with it"
    assert covered() == []
    edit(second, 5)
    assert covered() == [(second, second)], "something has changed in it: another try"
    tomorrow = occasions.today() + timedelta(days=1)
    monkeypatch.setattr(occasions, "today", lambda: tomorrow)
    assert covered() == [(first, second)]
    assert covered() == []
    for key in subject.keys:
        assert country.load(subject, key).success
    assert covered() == []


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
@EACH
def test_nothing_is_asked_for_that_a_run_has_under_way(
    country: Country, subject: Subject, status: dg.DagsterRunStatus
) -> None:
    watch = Watch(country, subject)
    sandbox = country.sandbox(subject)
    first, second = subject.keys
    job = f"{subject.name}_{subject.feed.cadence.value}"
    country.instance.add_run(dg.DagsterRun(job, status=status, tags=range_tags(first, first)))
    try:
        for key in subject.keys:
            sandbox.world.advance(minutes=1)
            subject.edit_record(sandbox, subject.records(sandbox, key)[6])
        (request,) = watch.asked()
        assert range_of(request.tags) == (second, second)
    finally:
        country.instance.wipe()
    (request,) = watch.asked()
    assert range_of(request.tags) == (first, first), "it ended, and what it was to load is still stale"
    assert country.load(subject, first, second).success
    assert watch.asked() == []
