"""HMIS aggregate: the national DHIS2 that every facility reports to each month, and the facility registry it holds.

The primary source of facility-level indicators (monthly), and of organisation units, data elements, data sets and
indicator definitions, which other systems refer to.
"""

from __future__ import annotations

from datetime import date

from hic_assets.landing.table import Column, Layout, Reference, Table
from hic_assets.systems.declare import Cadence, Feed, System

FACILITIES = Reference("hmis_organisation_units", "unknown_facility")
DATA_ELEMENTS = Reference("hmis_data_elements", "unknown_data_element")
OPTION_COMBOS = Reference("hmis_category_option_combos", "unknown_category_option_combo")
DATA_SETS = Reference("hmis_data_sets", "unknown_data_set")

USER_NAME = "user name"
FREE_TEXT = "free text"

_VALUE_COLUMNS = (
    Column("data_element", "UID of the data element.", key=True, reference=DATA_ELEMENTS),
    Column("period", "DHIS2 period, e.g. 202603.", key=True),
    Column("org_unit", "UID of the organisation unit that reported.", key=True, reference=FACILITIES),
    Column("category_option_combo", "UID of the disaggregation.", key=True, reference=OPTION_COMBOS),
    Column("attribute_option_combo", "UID of the attribution (mostly the default).", key=True, reference=OPTION_COMBOS),
    Column("value", "The value as text; numbers only where the data element's valueType says so."),
    Column("stored_by", "User who entered the value.", sensitive=USER_NAME),
    Column("last_updated", "When the value was last changed, as the server wrote it (UTC)."),
    Column("comment", "Comment entered with the value.", sensitive=FREE_TEXT),
    Column("follow_up", "Whether the value is marked for follow-up."),
    Column("deleted", "'true' for a tombstone: the value was deleted at the source.", allowed=frozenset({"true", "false"})),
)  # fmt: skip

DATA_VALUES = Table(
    system="hmis",
    name="data_values",
    description="Aggregate data values: one row a data element, disaggregation, organisation unit and month.",
    columns=_VALUE_COLUMNS,
    layout=Layout.NATIVE,
    period_column="period",
    updated_column="last_updated",
    value_column="value",
    deleted_column="deleted",
)

YEARLY_VALUES = Table(
    system="hmis",
    name="yearly_values",
    description="Yearly data values (population estimates): one row a data element, organisation unit and year.",
    columns=_VALUE_COLUMNS,
    layout=Layout.SNAPSHOT,
    period_column="period",
    updated_column="last_updated",
    value_column="value",
    deleted_column="deleted",
)

COMPLETE_REGISTRATIONS = Table(
    system="hmis",
    name="complete_registrations",
    description="Reports marked complete: one row a data set, organisation unit and month.",
    columns=(
        Column("data_set", "UID of the data set (the report form).", key=True, reference=DATA_SETS),
        Column("period", "DHIS2 period, e.g. 202603.", key=True),
        Column("org_unit", "UID of the organisation unit that reported.", key=True, reference=FACILITIES),
        Column("attribute_option_combo", "UID of the attribution.", key=True, reference=OPTION_COMBOS),
        Column("date", "Day on which the report was marked complete.", required=True),
        Column("stored_by", "User who marked it.", sensitive=USER_NAME),
        Column("completed", "'false' when the mark was taken back.", allowed=frozenset({"true", "false"})),
    ),
    # A few thousand rows a month: a partition table each would help nobody.
    layout=Layout.INDEXED,
    period_column="period",
)


def _snapshot(name: str, description: str, keys: str, others: str = "") -> Feed:
    """A registry read whole: ``keys`` and ``others`` are ``name: description`` lines."""
    lines = [(line, True) for line in keys.strip().splitlines()]
    lines += [(line, False) for line in others.strip().splitlines()]
    columns = tuple(
        Column(line.split(":", 1)[0].strip(), line.split(":", 1)[1].strip(), key=is_key) for line, is_key in lines
    )
    table = Table("hmis", name, description, columns, Layout.SNAPSHOT)
    return Feed(table, reader=name, cadence=Cadence.SNAPSHOT, due_days=2)


_REGISTRIES = (
    _snapshot(
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
    _snapshot("organisation_unit_levels", "Names of the hierarchy's levels.", "level: Level.", "name: Name."),
    _snapshot(
        "organisation_unit_group_members",
        "Type and ownership of facilities: one row a group and member.",
        """group_id: UID of the group.
        org_unit: UID of the member.""",
        """group_set: UID of the group set; NULL when the group is in none.
        group_set_name: Name of the group set, e.g. Facility type.
        group_code: Code of the group.
        group_name: Name of the group.""",
    ),
    _snapshot(
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
    _snapshot(
        "category_option_combos",
        "Disaggregations: one row a category option combo.",
        "id: UID.",
        """code: Code.
        name: Name, e.g. <5 years, Female.
        category_combo: UID of the scheme.
        category_combo_name: Name of the scheme.
        last_updated: Change time, server local.""",
    ),
    _snapshot(
        "category_option_combo_options",
        "The options a disaggregation is made of: one row a combo and option.",
        """category_option_combo: UID of the combo.
        category_option: UID of the option.""",
        """category: UID of the category the option stands for in this combo.
        category_option_code: Code of the option.
        category_option_name: Name of the option.
        category_name: Name of the category, e.g. Age.""",
    ),
    _snapshot(
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
    _snapshot(
        "data_set_elements",
        "Which data elements a form asks for.",
        """data_set: UID of the data set.
        data_element: UID of the data element.""",
        "category_combo: UID of the scheme that overrides the element's own.",
    ),
    _snapshot(
        "data_set_org_units",
        "Which organisation units are expected to report a form.",
        """data_set: UID of the data set.
        org_unit: UID of the organisation unit.""",
    ),
    _snapshot(
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
    _snapshot("constants", "Constants that expressions refer to.", "id: UID.", "code: Code.\nname: Name.\nvalue: Value."),
)  # fmt: skip

HMIS = System(
    name="hmis",
    title="HMIS aggregate",
    description="Routine monthly reports of every health facility, all programmes (national DHIS2).",
    owners=("team:data-engineering",),
    first_month=date(2020, 1, 1),
    feeds=(
        *_REGISTRIES,
        Feed(YEARLY_VALUES, reader="data_values", cadence=Cadence.SNAPSHOT, period_types=("Yearly",), due_days=2),
        Feed(DATA_VALUES, reader="data_values", cadence=Cadence.MONTHLY, period_types=("Monthly",)),
        Feed(COMPLETE_REGISTRATIONS, reader="completeness", cadence=Cadence.MONTHLY, period_types=("Monthly",)),
    ),
)
