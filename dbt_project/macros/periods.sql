{# The month, quarter, year and fiscal year (July to June) of a row of dim_period, as rpt_core_indicators names them. #}
{% macro periods_of(periods) -%}
  (
        values
        ('month', to_char({{ periods }}.period_start, 'YYYY-MM'), 1),
        ('quarter', {{ periods }}.quarter_id, 3),
        ('year', {{ periods }}.year::text, 12),
        ('fiscal_year', {{ periods }}.fiscal_year, 12)
    ) as names (period_type, period, months_expected)
{%- endmacro %}

{# The columns that say where a row of a report is, and the joins that they need; `facts` has level and org_unit_uid. #}
{% macro place_columns(facts) -%}
  {{ facts }}.level,
    {{ facts }}.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province
{%- endmacro %}

{% macro place_joins(facts) -%}
  left join {{ ref('dim_facility') }} as facilities
    on {{ facts }}.level = 'facility' and {{ facts }}.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on {{ facts }}.level not in ('facility', 'unmapped') and {{ facts }}.org_unit_uid = geographies.geography_uid
{%- endmacro %}

{# Of each period, its months that a source has loaded whole (int_source_month), for all places the same. #}
{% macro months_loaded(source) -%}
  select
        names.period_type,
        names.period,
        count(*) filter (where loaded.is_complete) as months_loaded,
        count(*) filter (where loaded.is_complete) = max(names.months_expected) as is_complete
    from {{ ref('int_source_month') }} as loaded
    inner join {{ ref('dim_period') }} as periods on loaded.period_start = periods.period_start
    cross join lateral {{ periods_of('periods') }}
    where loaded.source = '{{ source }}'
    group by names.period_type, names.period
{%- endmacro %}

{# The same of several systems, each by a source of its own, and of 'all': there a month counts that every one of them has loaded. `sources`
   names the source of each system. #}
{% macro months_loaded_by_system(sources) -%}
  select
        months.system,
        names.period_type,
        names.period,
        count(*) filter (where months.is_complete) as months_loaded,
        count(*) filter (where months.is_complete) = max(names.months_expected) as is_complete,
        max(months.data_as_of) as data_as_of
    from (
        select shown.system, loaded.period_start, bool_and(loaded.is_complete) as is_complete, max(loaded.data_as_of) as data_as_of
        from {{ ref('int_source_month') }} as loaded
        inner join (
            values
            {%- for system, source in sources.items() %}
            ('{{ system }}', '{{ source }}'){{ ',' if not loop.last }}
            {%- endfor %}
        ) as sources (system, source) on loaded.source = sources.source
        cross join lateral (values (sources.system), ('all')) as shown (system)
        where loaded.source in ('{{ sources.values() | join("', '") }}')
        group by shown.system, loaded.period_start
    ) as months
    inner join {{ ref('dim_period') }} as periods on months.period_start = periods.period_start
    cross join lateral {{ periods_of('periods') }}
    group by months.system, names.period_type, names.period
{%- endmacro %}
