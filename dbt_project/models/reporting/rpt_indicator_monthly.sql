select
    indicators.code as indicator_code,
    indicators.name as indicator_name,
    facts.level,
    facts.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province,
    facts.period_start as month,
    periods.fiscal_year,
    facts.numerator,
    facts.denominator,
    indicators.factor,
    facts.value,
    round(100.0 * facts.received_reports / nullif(facts.expected_reports, 0), 1)::double precision
        as reporting_completeness,
    facts.data_as_of,
    facts.annualization_factor
from {{ ref('fct_indicator_value') }} as facts
inner join {{ ref('dim_indicator') }} as indicators on facts.indicator_uid = indicators.indicator_uid
inner join {{ ref('dim_period') }} as periods on facts.period_start = periods.period_start
left join {{ ref('dim_facility') }} as facilities
    on facts.level = 'facility' and facts.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on facts.level <> 'facility' and facts.org_unit_uid = geographies.geography_uid
-- What counts cases of a sensitive programme is reported with small cells kept back, in rpt_core_indicators only.
where facts.indicator_uid not in (
    select operands.indicator_uid
    from {{ ref('int_indicator_operand') }} as operands
    inner join {{ ref('int_measure_item') }} as items
        on operands.operand_kind = 'de' and operands.item_uid = items.data_element_uid
    inner join {{ ref('measure') }} as measures
        on items.measure_code = measures.measure_code and measures.kind <> 'population'
    inner join {{ ref('indicator_measure') }} as terms on items.measure_code = terms.measure_code
    inner join {{ ref('dim_core_indicator') }} as core
        on terms.indicator_code = core.indicator_code and core.is_sensitive
)
