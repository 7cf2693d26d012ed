"""What every DHIS2 server with aggregate data holds: reported values, registrations, and the registries they refer to.

Belongs here: the tables and columns that all such servers share (contract 1.2 to 1.4). Does not: any one server.
"""

from __future__ import annotations

from dataclasses import replace

from hic_assets.landing.table import Column, Layout, Reference, Table
from hic_assets.systems.declare import DUE_DAYS, Cadence, Feed

USER_NAME = "user name"
FREE_TEXT = "free text"
TRUE_OR_FALSE = frozenset({"true", "false"})


def dhis2_aggregate(system: str) -> tuple[Feed, ...]:
    """The feeds of one such server, its tables named after ``system``: registries first, then what is reported."""
    values = _values(system)
    yearly = replace(
        values,
        name="yearly_values",
        description="Yearly data values (population estimates): one row a data element, organisation unit and year.",
        layout=Layout.SNAPSHOT,
    )
    weekly = replace(
        values,
        name="weekly_values",
        description="Weekly data values (disease surveillance): one row a data element, disaggregation, organisation "
        "unit and ISO week.",
        columns=_of_weeks(values),
        # Some ten thousand rows a week: a partition table each would help nobody.
        layout=Layout.INDEXED,
    )
    registrations = _registrations(system)
    weekly_registrations = replace(
        registrations,
        name="weekly_registrations",
        description="Weekly reports marked complete: one row a data set, organisation unit and ISO week.",
        columns=_of_weeks(registrations),
    )
    return (
        *(replace(feed, table=replace(feed.table, system=system)) for feed in _REGISTRIES),
        Feed(
            yearly,
            "data_values",
            Cadence.SNAPSHOT,
            period_types=("Yearly",),
            due_days=DUE_DAYS[Cadence.SNAPSHOT],
            optional=True,
        ),
        Feed(values, "data_values", Cadence.MONTHLY, period_types=("Monthly",)),
        Feed(registrations, "completeness", Cadence.MONTHLY, period_types=("Monthly",)),
        _surveillance(weekly, "data_values"),
        _surveillance(weekly_registrations, "completeness"),
    )


def _surveillance(table: Table, reader: str) -> Feed:
    """Weekly data sets are those of disease surveillance: the path of IDSR through DHIS2."""
    return Feed(table, reader, Cadence.WEEKLY, period_types=("Weekly",), due_days=4, optional=True, speaks_for="idsr")


def _of_weeks(table: Table) -> tuple[Column, ...]:
    """The columns of a table of reports by month, said of weeks."""
    told = "DHIS2 week, of the ISO year and not padded: 2026W7."
    return tuple(replace(c, description=told) if c.name == "period" else c for c in table.columns)


def _facilities(system: str) -> Reference:
    return Reference(f"{system}_organisation_units", "unknown_facility")


def _option_combos(system: str) -> Reference:
    return Reference(f"{system}_category_option_combos", "unknown_category_option_combo")


def _values(system: str) -> Table:
    elements = Reference(f"{system}_data_elements", "unknown_data_element")
    facilities, combos = _facilities(system), _option_combos(system)
    columns = (
        Column("data_element", "UID of the data element.", key=True, reference=elements),
        Column("period", "DHIS2 period, e.g. 202603.", key=True),
        Column("org_unit", "UID of the organisation unit that reported.", key=True, reference=facilities),
        Column("category_option_combo", "UID of the disaggregation.", key=True, reference=combos),
        Column("attribute_option_combo", "UID of the attribution (mostly the default).", key=True, reference=combos),
        Column("value", "The value as text; numbers only where the data element's valueType says so."),
        Column("stored_by", "User who entered the value.", sensitive=USER_NAME),
        Column("last_updated", "When the value was last changed, as the server wrote it (UTC)."),
        Column("comment", "Comment entered with the value.", sensitive=FREE_TEXT),
        Column("follow_up", "Whether the value is marked for follow-up."),
        Column("deleted", "'true' for a tombstone: the value was deleted at the source.", allowed=TRUE_OR_FALSE),
    )
    return Table(
        system=system,
        name="data_values",
        description="Aggregate data values: one row a data element, disaggregation, organisation unit and month.",
        columns=columns,
        layout=Layout.NATIVE,
        period_column="period",
        updated_column="last_updated",
        value_column="value",
        deleted_column="deleted",
    )


def _registrations(system: str) -> Table:
    data_sets = Reference(f"{system}_data_sets", "unknown_data_set")
    return Table(
        system=system,
        name="complete_registrations",
        description="Reports marked complete: one row a data set, organisation unit and month.",
        columns=(
            Column("data_set", "UID of the data set (the report form).", key=True, reference=data_sets),
            Column("period", "DHIS2 period, e.g. 202603.", key=True),
            Column("org_unit", "UID of the unit that reported.", key=True, reference=_facilities(system)),
            Column("attribute_option_combo", "UID of the attribution.", key=True, reference=_option_combos(system)),
            Column("date", "Day on which the report was marked complete.", required=True),
            Column("stored_by", "User who marked it.", sensitive=USER_NAME),
            Column("completed", "'false' when the mark was taken back.", allowed=TRUE_OR_FALSE),
        ),
        # A few thousand rows a month: a partition table each would help nobody.
        layout=Layout.INDEXED,
        period_column="period",
    )


def snapshot(name: str, description: str, keys: str, others: str = "") -> Feed:
    """A registry read whole: ``keys`` and ``others`` are ``name: description`` lines; the system's name is filled in later."""
    lines = [(line, True) for line in keys.strip().splitlines()]
    lines += [(line, False) for line in others.strip().splitlines()]
    columns = tuple(
        Column(line.split(":", 1)[0].strip(), line.split(":", 1)[1].strip(), key=is_key) for line, is_key in lines
    )
    table = Table("", name, description, columns, Layout.SNAPSHOT)
    return Feed(table, reader=name, cadence=Cadence.SNAPSHOT, due_days=DUE_DAYS[Cadence.SNAPSHOT])


_REGISTRIES = (
    snapshot(
        "organisation_units",
        "The facility registry and its hierarchy: one row an organisation unit.",
        "id: UID.",
        """code: FOSA code of a facility, as exported (zeros sometimes lost).
        name: Name.
        short_name: Short name.
        level: Level in the hierarchy: 1 country to 6 facility.
        path: UIDs from the root down.
        parent: UID of the parent.
        opening_date: First day of service.
        closed_date: Last day of service; NULL while open.
        longitude: Degrees east.
        latitude: Degrees north.
        last_updated: Change time, server local.""",
    ),
    snapshot("organisation_unit_levels", "Names of the hierarchy's levels.", "level: Level.", "name: Name."),
    snapshot(
        "organisation_unit_group_members",
        "Type and ownership of facilities: one row a group and member.",
        """group_id: UID of the group.
        org_unit: UID of the member.""",
        """group_set: UID of the group set; NULL when the group is in none.
        group_set_name: Name of the group set, e.g. Facility type.
        group_code: Code of the group.
        group_name: Name of the group.""",
    ),
    snapshot(
        "data_elements",
        "What is reported: one row a data element.",
        "id: UID.",
        """code: Code.
        name: Name.
        short_name: Short name.
        domain_type: AGGREGATE or TRACKER.
        value_type: NUMBER, INTEGER, TEXT ...
        aggregation_type: How values add up over time and units.
        zero_is_significant: Whether zeros are stored.
        category_combo: UID of the disaggregation scheme.
        last_updated: Change time, server local.""",
    ),
    snapshot(
        "category_option_combos",
        "Disaggregations: one row a category option combo.",
        "id: UID.",
        """code: Code.
        name: Name, e.g. <5 years, Female.
        category_combo: UID of the scheme.
        category_combo_name: Name of the scheme.
        last_updated: Change time, server local.""",
    ),
    snapshot(
        "category_option_combo_options",
        "The options a disaggregation is made of: one row a combo and option.",
        """category_option_combo: UID of the combo.
        category_option: UID of the option.""",
        """category: UID of the category the option stands for in this combo.
        category_option_code: Code of the option.
        category_option_name: Name of the option.
        category_name: Name of the category, e.g. Age.""",
    ),
    snapshot(
        "data_sets",
        "Report forms: one row a data set.",
        "id: UID.",
        """code: Code.
        name: Name.
        short_name: Short name.
        period_type: Monthly, Yearly ...
        category_combo: UID of the attribution scheme.
        timely_days: Days after the period by which a report is on time.
        expiry_days: Days after which it is locked.
        open_future_periods: How many future periods may be entered.
        last_updated: Change time, server local.""",
    ),
    snapshot(
        "data_set_elements",
        "Which data elements a form asks for.",
        """data_set: UID of the data set.
        data_element: UID of the data element.""",
        "category_combo: UID of the scheme that overrides the element's own.",
    ),
    snapshot(
        "data_set_org_units",
        "Which organisation units are expected to report a form.",
        """data_set: UID of the data set.
        org_unit: UID of the organisation unit.""",
    ),
    snapshot(
        "indicators",
        "Indicator definitions with their expressions: one row an indicator.",
        "id: UID.",
        """code: Code.
        name: Name.
        short_name: Short name.
        description: What it measures.
        indicator_type: Name of the indicator type, e.g. Per cent.
        factor: Multiplier of the ratio.
        annualized: Whether the value is scaled to a year.
        decimals: Decimals to show.
        numerator: Numerator expression.
        numerator_description: What the numerator counts.
        denominator: Denominator expression.
        denominator_description: What the denominator counts.
        last_updated: Change time, server local.""",
    ),
    snapshot("constants", "Constants that expressions refer to.", "id: UID.", "code: Code.\nname: Name.\nvalue: Value."),
)  # fmt: skip
