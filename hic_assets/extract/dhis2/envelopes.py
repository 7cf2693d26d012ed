"""The shapes of DHIS2's JSON that this client relies on; unknown members are ignored (contract 1.1, 1.2).

Values stay the text the server sent: `Text` turns numbers and booleans into JSON's spelling of them. Data
values and registrations, which come by the hundred thousand, are read as plain rows in `json_rows.py`.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


def as_text(value: Any) -> str | None:
    """A JSON value as text: strings as they are, None stays None, the rest as JSON spells it."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


Text = Annotated[str | None, BeforeValidator(as_text)]


class Envelope(BaseModel):
    """Camel case outside, snake case inside."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, populate_by_name=True)


class SystemInfo(Envelope):
    """GET /api/system/info. Dates are server local time without offset, in `server_time_zone_id`."""

    version: str
    revision: Text = None
    calendar: str = "iso8601"
    date_format: Text = None
    server_date: Text = None
    server_time_zone_id: Text = None
    system_id: Text = None
    system_name: Text = None
    context_path: Text = None
    last_analytics_table_success: Text = None


class Pager(Envelope):
    """Metadata paging. `page` is clamped by the server and so of no use to a loop."""

    total: int
    page_count: int


class Ref(Envelope):
    """A reference to another object; without id where the account may not see it or `fields` left it out."""

    id: Text = None
    name: Text = None
    code: Text = None


class Identified(Envelope):
    """What most metadata objects have; only `id` is a key."""

    id: str
    code: Text = None
    name: Text = None
    short_name: Text = None
    last_updated: Text = None


class OrganisationUnit(Identified):
    """`path` is "/root/.../id"; `parent` is absent at the root."""

    level: Text = None
    path: Text = None
    parent: Ref | None = None
    opening_date: Text = None
    closed_date: Text = None


class Place(Envelope):
    """Where an organisation unit lies: GeoJSON `geometry`, in old servers `coordinates` as text."""

    id: str
    geometry: dict[str, Any] | None = None
    coordinates: Text = None


class Level(Envelope):
    """An organisation unit level."""

    level: Text = None
    name: Text = None


class Group(Identified):
    """An organisation unit group with its members and the group sets it is in."""

    group_sets: list[Ref] = Field(default_factory=list)
    organisation_units: list[Ref] = Field(default_factory=list)


class DataElement(Identified):
    """A data element."""

    domain_type: Text = None
    value_type: Text = None
    aggregation_type: Text = None
    zero_is_significant: Text = None
    category_combo: Ref | None = None


class CategoryOption(Ref):
    """A category option with every category that uses it."""

    categories: list[Ref] = Field(default_factory=list)


class CategoryCombo(Ref):
    """A category combo with its categories."""

    categories: list[Ref] = Field(default_factory=list)


class CategoryOptionCombo(Identified):
    """A category option combo with the options that make it up."""

    category_combo: CategoryCombo | None = None
    category_options: list[CategoryOption] = Field(default_factory=list)


class DataSetElement(Envelope):
    """`category_combo` overrides that of the data element where it is given."""

    data_element: Ref
    category_combo: Ref | None = None


class DataSet(Identified):
    """A data set; which members are filled depends on the fields that were asked for."""

    period_type: Text = None
    category_combo: Ref | None = None
    timely_days: Text = None
    expiry_days: Text = None
    open_future_periods: Text = None
    data_set_elements: list[DataSetElement] = Field(default_factory=list)
    organisation_units: list[Ref] = Field(default_factory=list)


class IndicatorType(Ref):
    """`factor` multiplies the quotient (100 for per cent)."""

    factor: Text = None


class Indicator(Identified):
    """An indicator with its two expressions, unparsed."""

    description: Text = None
    indicator_type: IndicatorType | None = None
    annualized: Text = None
    decimals: Text = None
    numerator: Text = None
    numerator_description: Text = None
    denominator: Text = None
    denominator_description: Text = None


class Constant(Identified):
    """A number that expressions refer to."""

    value: Text = None


class Asked(Ref):
    """What a value is of, a data element or a tracked entity attribute: type, and the answers that may be chosen."""

    form_name: Text = None
    value_type: Text = None
    option_set: Ref | None = None
    unique: Text = None
    confidential: Text = None


class StageElement(Envelope):
    """A data element of a program stage, and how the stage asks for it."""

    data_element: Asked = Field(default_factory=Asked)
    compulsory: Text = None
    sort_order: Text = None


class ProgramStage(Identified):
    """A program stage."""

    program: Ref | None = None
    repeatable: Text = None
    sort_order: Text = None
    program_stage_data_elements: list[StageElement] = Field(default_factory=list)


class ProgramAttribute(Envelope):
    """An attribute that a program asks for, and how."""

    tracked_entity_attribute: Asked = Field(default_factory=Asked)
    mandatory: Text = None
    sort_order: Text = None


class Program(Identified):
    """A program; which members are filled depends on the fields that were asked for."""

    program_type: Text = None
    tracked_entity_type: Ref | None = None
    program_tracked_entity_attributes: list[ProgramAttribute] = Field(default_factory=list)


class Option(Ref):
    """An answer that may be chosen; values hold its code."""

    sort_order: Text = None


class OptionSet(Identified):
    """An option set with its options, among them nulls where numbers of the order are missing."""

    options: list[Option | None] = Field(default_factory=list)
