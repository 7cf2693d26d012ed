{# Thresholds of the data-quality marts, each by the name of a dbt variable that may override it
   (`--vars '{quality_mads: 8}'`). Where they are from is in docs/data-quality.md. #}
{% macro quality_setting(name) -%}
  {%- set defaults = {
    'quality_from': '2000-01-01',
    'quality_mads': 10,
    'quality_share': 0.8,
    'quality_share_months': 6,
    'quality_minimum_count': 100,
    'quality_inactive_months': 6,
    'quality_variant': 'corrected',
    'quality_missing': 90,
    'quality_consistency': 0.33,
    'quality_moderate_sd': 2,
    'quality_extreme_sd': 3,
    'quality_modified_z': 3.5,
    'quality_population': 0.1,
    'quality_population_code': 'POP_TOTAL',
    'quality_births_code': 'POP_BIRTHS',
    'quality_projection_code': 'POPD_TOTAL',
  } -%}
  {{ var(name, defaults[name]) }}
{%- endmacro %}

{# Whether adjustments are to follow the published code of FASTR where it was corrected here. #}
{% macro quality_as_published() -%}
  {{ return(quality_setting('quality_variant') | trim == 'published') }}
{%- endmacro %}

{# A number of the settings that FASTR's modules judge by, kept with what was judged: by other settings, all is judged anew. Raise
   `method` with a change of the formulas themselves. #}
{% macro quality_judged_by() -%}
  {%- set method = 1 -%}
  {%- set settings = [method] -%}
  {%- for name in ['from', 'mads', 'share', 'share_months', 'minimum_count', 'inactive_months', 'variant'] -%}
    {%- do settings.append(quality_setting('quality_' ~ name) | trim) -%}
  {%- endfor -%}
  {{ local_md5(settings | join('|'))[:7] | int(0, 16) }}
{%- endmacro %}

{# What was reported, of the months that FASTR looks at. #}
{% macro quality_reported() -%}
  select period_start, org_unit_uid, indicator_id, value
  from {{ ref('int_quality_value') }}
  where period_start >= date '{{ quality_setting('quality_from') | trim }}'
{%- endmacro %}

{# The series that are judged, of indicators that are still asked about. #}
{% macro quality_judged() -%}
  (
    select org_unit_uid, indicator_id from {{ ref('fct_quality_month') }}
    where completeness_flag in (0, 1) and indicator_id in (select indicator_id from {{ ref('quality_indicator') }})
  )
{%- endmacro %}

{# Indicators of the data-quality marts and the data elements that each is the sum of. #}
{% macro quality_members() -%}
  select indicators.indicator_id, elements.data_element_uid
  from {{ ref('quality_indicator') }} as indicators
  cross join lateral unnest(string_to_array(indicators.data_element_codes, '|')) as member (code)
  inner join {{ ref('dim_data_element') }} as elements on member.code = elements.code
{%- endmacro %}

{# Sides A and B of the pairs of a source, an indicator a row. #}
{% macro quality_sides(source) -%}
  select pairs.pair_id, side.side, member.indicator_id
  from {{ ref('quality_pair') }} as pairs
  cross join lateral (values ('a', pairs.a_ids), ('b', pairs.b_ids)) as side (side, ids)
  cross join lateral unnest(string_to_array(side.ids, '|')) as member (indicator_id)
  where pairs.source = '{{ source }}'
{%- endmacro %}
