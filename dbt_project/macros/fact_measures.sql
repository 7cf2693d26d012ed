{# Measures that are counted in a fact: a line each, and nothing else to write. `fact` is a model of months; `month` and
   `unit` are SQL on its columns, the month's first day and the DHIS2 uid of the facility; `value` is what is added up over
   facilities and, of a flow, over months: no distinct people. The measure's own line is in seeds/measure.csv. #}
{% macro fact_measures() %}
  {{ return([
    {'measure': 'REPORTS_EXPECTED', 'fact': 'fct_reporting', 'month': 'period_start', 'unit': 'org_unit_uid',
     'value': 'count(*)', 'where': 'is_expected'},
    {'measure': 'REPORTS_RECEIVED', 'fact': 'fct_reporting', 'month': 'period_start', 'unit': 'org_unit_uid',
     'value': 'count(*)', 'where': 'is_expected and is_received'},
    {'measure': 'REPORTS_ON_TIME', 'fact': 'fct_reporting', 'month': 'period_start', 'unit': 'org_unit_uid',
     'value': 'count(*)', 'where': 'is_expected and is_received_on_time'},
    {'measure': 'STOCK_REPORTS', 'fact': 'fct_reporting', 'month': 'period_start', 'unit': 'org_unit_uid',
     'value': 'count(*)', 'where': 'is_expected and is_received and ' ~ data_set_holds('STOCKOUT_DAYS_ACT24')},
  ]) }}
{% endmacro %}

{# Whether the data set of a row holds a data element of a measure. #}
{% macro data_set_holds(measure) -%}
  data_set_uid in (
        select elements.data_set_uid
        from {{ ref('stg_hmis__data_set_elements') }} as elements
        inner join {{ ref('int_measure_item') }} as items on elements.data_element_uid = items.data_element_uid
        where items.measure_code = '{{ measure }}'
    )
{%- endmacro %}

{# Counts from 1 to this less one are small: reporting keeps those of sensitive programmes back. 5 is a choice; --vars or
   dbt_project.yml may say 10. #}
{% macro small_cell_threshold() -%}
  {{ var('small_cell_threshold', 5) }}
{%- endmacro %}

{# Below this per cent of the reports expected a value is flagged incomplete. A choice too. #}
{% macro completeness_threshold() -%}
  {{ var('indicator_completeness_threshold', 80) }}
{%- endmacro %}
