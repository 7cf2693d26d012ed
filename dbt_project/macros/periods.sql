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
