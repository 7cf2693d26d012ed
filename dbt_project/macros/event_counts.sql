{# What fct_event_count counts in weekly facts: a line each, and nothing else to write. `fact` is a weekly model; `item`, `day`
   and `unit` are SQL on its columns: what kind, when it happened, the DHIS2 uid of the place; `value` is what adds up over places
   and weeks: no distinct people. #}
{% macro event_counts() %}
  {%- set place_of_event = 'coalesce(facility_uid, org_unit_uid)' -%}
  {%- set doses = {'fact': 'fct_immunization_dose', 'item': "coalesce(dose_code, 'UNKNOWN')", 'day': 'given_on', 'unit': place_of_event} -%}
  {%- set births = {'fact': 'fct_birth', 'item': 'source', 'day': 'birth_date', 'unit': place_of_event} -%}
  {%- set deaths = {'fact': 'fct_death', 'item': "'crvs'", 'day': 'death_date', 'unit': place_of_event} -%}
  {%- set deliveries = {'fact': 'fct_delivery', 'item': "'ebuzima'", 'day': 'delivered_on', 'unit': 'facility_uid'} -%}
  {%- set idsr = {'fact': 'fct_idsr_weekly', 'item': 'disease_code', 'day': 'week_start + 3', 'unit': 'place_key',
      'value': 'coalesce(sum(cases), 0)',
      'load': 'null::bigint'} -%}
  {%- set lines = [] -%}
  {%- for base, named in [
      (doses, {
          'DOSES': 'true',
          'DOSES_OF_KNOWN_AGE': 'age_days is not null',
          'DOSES_UNDER_1': 'age_days < 365',
          'DOSES_JUDGED': 'is_valid is not null and is_timely is not null',
          'DOSES_VALID': 'is_valid and is_timely is not null',
          'DOSES_IN_WINDOW': 'is_valid and is_timely',
      }),
      (births, {
          'LIVE_BIRTHS': "outcome = 'LIVE'",
          'LIVE_BIRTHS_IN_FACILITY': "outcome = 'LIVE' and place = 'FACILITY'",
          'LIVE_BIRTHS_REGISTERED_ON_TIME': "outcome = 'LIVE' and is_registered_on_time",
          'STILLBIRTHS': "outcome in ('FSB', 'MSB')",
      }),
      (deaths, {
          'DEATHS': 'true',
          'DEATHS_REGISTERED_ON_TIME': 'is_registered_on_time',
          'DEATHS_WITH_CAUSE': 'cause_icd10 is not null',
      }),
      (deliveries, {'DELIVERIES': 'true', 'CAESAREANS': 'is_caesarean', 'DELIVERIES_SKILLED': 'is_skilled_attendance'}),
      (idsr, {'IDSR_CASES_DIRECT': "path = 'direct' and is_reported", 'IDSR_CASES_DHIS2': "path = 'dhis2' and is_reported"}),
  ] -%}
    {%- for measure, where in named.items() -%}
      {%- set line = dict({'value': 'count(*)', 'load': 'max(load_id)'}, **base) -%}
      {%- do lines.append(dict(line, measure=measure, where=where)) -%}
    {%- endfor -%}
  {%- endfor -%}
  {{ return(lines) }}
{% endmacro %}
