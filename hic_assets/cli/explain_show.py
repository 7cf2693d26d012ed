"""The answer of ``hic explain`` for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from hic_assets.cli.output import show_table
from hic_assets.explain.check import number

PARTS = ("side", "part", "name", "sign", "months", "value", "counts_as", "what", "fact_rows", "raw_rows")
FACILITIES = ("facility", "fosa_code", "value", "counts_as", "rows")
FACTS = ("fact", "month", "facility", "what", "disaggregation", "value", "times", "load")
RAW = ("table", "period", "org_unit", "item", "category_option_combo", "value", "changed", "load")
LOADS = ("load", "table", "partition", "state", "started", "finished", "read", "landed", "quarantined")
Found = Mapping[str, Any]


def show(found: Found, note: str | None) -> None:
    """From the number down to the requests, then whether all agree, and what is not shown."""
    _head(found)
    if note:
        click.echo(note)
    if found["parts"]:
        show_table("How it adds up", PARTS, [_part(part) for part in found["parts"]])
    shown: set[str] = set()
    for part in found["parts"]:
        # One measure may stand on both sides, over the same months.
        key = f"{part['part']} {part['months']}"
        if key not in shown:
            shown.add(key)
            _rows_of(part)
    _origin(found)
    for words in found["agrees"]:
        click.echo(f"✓ {words}")
    for words in found["disagreements"]:
        click.echo(f"✗ {words}")
    for words in found["not_shown"]:
        click.echo(words)


def _head(found: Found) -> None:
    indicator, place, period = found["indicator"], found["place"], found["period"]
    of = "the catalogue" if indicator["of"] == "catalogue" else f"DHIS2, {indicator['key']}"
    click.secho(f"{indicator['code']}: {indicator['name']} (of {of})", bold=True)
    months = ", ".join(month[:7] for month in period["months"])
    click.echo(f"{place['name']}, {place['level']} ({place['uid']}), {period['period']} (months with data: {months})")
    click.echo(value_words(found))
    for side in ("numerator", "denominator"):
        expression = indicator.get(f"{side}_expression")
        said = " = ".join(filter(None, [indicator[side], expression]))
        click.echo(f"{side}: {number(found[side]) if not _hidden(found) else 'kept back'} ({said})")
    if indicator["of"] == "catalogue":
        click.echo(f"source of truth: {indicator['source_of_truth']}; reference: {indicator['reference']}")
    complete = found["reporting_completeness"]
    reports = f" ({number(found['received_reports'])} of {number(found['expected_reports'])} reports)"
    click.echo(f"completeness: {'unknown' if complete is None else f'{complete:g} %{reports}'}")
    click.echo(f"data as of: {_moment(found['data_as_of']) or 'unknown'}")
    if found["quality_flags"]:
        click.echo(f"flags: {', '.join(found['quality_flags'])}")


def value_words(found: Found) -> str:
    """The value and its arithmetic: factors, then division last."""
    if _hidden(found):
        return "value: kept back"
    indicator, factor, annual = found["indicator"], found["factor"], found["annualization_factor"]
    steps = [number(found["numerator"])]
    steps += [f"x {number(factor)}"] if factor not in (None, 1) else []
    steps += [f"x {annual:.6g} (365 / days)"] if annual not in (None, 1) else []
    steps.append(f"/ {number(found['denominator'])}")
    notes = ["annualised: a twelfth of a year's population a month"] if indicator.get("is_annualised") else []
    floor = indicator.get("value_floor")
    notes += [f"not below {number(floor)}"] if floor is not None else []
    if found["is_kept_back"]:
        notes.append("kept back in reporting: CONFIDENTIAL")
    said = "none" if found["value"] is None else f"{found['value']:,.6g}"
    return f"value: {said} = {' '.join(steps)}" + (f"  ({'; '.join(notes)})" if notes else "")


def _hidden(found: Found) -> bool:
    return found["is_kept_back"] and found["numerator"] is None and found["denominator"] is None


def _part(part: Found) -> dict[str, Any]:
    months = part["months"]
    span = months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}" if months else ""
    return {
        **_whole(part),
        "sign": f"{part['sign']:+g}",
        "months": span,
        "what": part["detail"],
        "raw_rows": part["raw_rows_in_all"],
    }


def _rows_of(part: Found) -> None:
    if part["facilities"]:
        held = [_whole(row) for row in part["facilities"]]
        show_table(f"{part['part']} by facility, {_of(len(held), held[0]['of_all'])}", FACILITIES, held)
    if part["rows"]:
        rows = [{**_whole(row), "load": _id(row["load_id"])} for row in part["rows"]]
        columns = [name for name in FACTS if name != "times" or any(row["times"] != 1 for row in rows)]
        show_table(f"Fact rows of {part['part']}, {_of(len(rows), part['fact_rows'])}", columns, rows)
    if part["raw_rows"]:
        raw = [
            {
                **row,
                "table": row["relation"],
                "org_unit": row["unit"],
                "category_option_combo": row["combo"],
                "changed": _moment(row["updated"]),
                "load": _id(row["load_id"]),
            }
            for row in part["raw_rows"]
        ]
        show_table(f"Raw rows of {part['part']}, {_of(len(raw), part['raw_rows_in_all'])}", RAW, raw)


def _of(shown: int, every: int | None) -> str:
    if every is None or shown >= every:
        return "all"
    return f"the largest {shown:,}, and {every - shown:,} more (--rows)"


def _origin(found: Found) -> None:
    if found["loads"]:
        show_table("Loads", LOADS, [_load(load) for load in found["loads"]])
    for load in found["loads"]:
        if not load["requests"] and load.get("source"):
            click.echo(
                f"No request of load {load['load_id']} is kept: {load['relation']}, {load['partition'] or 'snapshot'}, "
                f"read from {load['source']} by {load['read_by'] or 'a feed that is no longer declared'}."
            )
    if found["requests"]:
        _requests(found["requests"], found["requests_in_all"])


def _requests(requests: Sequence[Found], every: int) -> None:
    click.secho(f"Source requests that may have brought them, {_of(len(requests), every)}", bold=True)
    for request in requests:
        click.echo(f"  load {request['load_id']}: {request['slice']}, {request['rows']:,} rows")
        click.echo(f"    GET {request['url']}")


def _load(load: Found) -> dict[str, Any]:
    current = {True: "current", False: "replaced"}.get(load.get("is_current"), "")  # type: ignore[arg-type]
    return {
        "load": _id(load["load_id"]),
        "table": load["relation"],
        "partition": load.get("partition") or "snapshot",
        "state": ", ".join(filter(None, [load["status"], current])),
        "started": _moment(load.get("started_at")),
        "finished": _moment(load.get("finished_at")),
        "read": load.get("rows_read"),
        "landed": load.get("landed"),
        "quarantined": load.get("quarantined"),
    }


def _whole(row: Found) -> dict[str, Any]:
    """Sums of whole numbers without decimals."""
    return {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in row.items()}


def _id(value: int | None) -> str:
    """A number that is a name: without separators."""
    return "" if value is None else str(value)


def _moment(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if value else ""
