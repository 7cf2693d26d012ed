{{ config(
    materialized='incremental',
    incremental_strategy='microbatch',
    event_time='period_start',
    batch_size='month',
    begin='2020-01-01',
    lookback=0,
    on_schema_change='append_new_columns',
    tags=['monthly', 'clinical'],
    meta={'dagster': {'group': 'crosswalks', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['period_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- dbt puts the batch's window, and an alias of its own, around a ref that has an event_time: hence the imports. A week
-- counts in the month of its Monday, so each is in one.
{% set imports = {
    'visits': 'stg_efiche__visits', 'visit_diagnoses': 'stg_efiche__visit_diagnoses', 'lab_orders': 'stg_efiche__lab_orders',
    'lab_results': 'stg_efiche__lab_results', 'stock_movements': 'stg_efiche__stock_movements',
    'stock_balances': 'stg_efiche__stock_balances', 'encounters': 'stg_hpemr__encounters',
    'encounter_diagnoses': 'stg_hpemr__encounter_diagnoses', 'encounter_treatments': 'stg_hpemr__encounter_treatments',
    'referrals': 'stg_hpemr__referrals', 'pregnancies': 'stg_ebuzima__pregnancies', 'anc_contacts': 'stg_ebuzima__anc_contacts',
    'deliveries': 'stg_ebuzima__deliveries', 'newborns': 'stg_ebuzima__newborns',
    'postnatal_contacts': 'stg_ebuzima__postnatal_contacts', 'patients': 'stg_cemr__patients',
    'community_encounters': 'stg_cemr__community_encounters', 'community_diagnoses': 'stg_cemr__encounter_diagnoses',
    'community_treatments': 'stg_cemr__encounter_treatments', 'community_stock_outs': 'stg_cemr__encounter_stock_outs',
    'notifications': 'stg_idsr__notifications', 'cases': 'stg_idsr__cases'
} -%}
{# System, kind, relation, code, label, district beside the name, facility, day. Patients of a health post live around it: of
   HPEMR, whose posts have no district, theirs stands for it. #}
{% set uses = [
    ('efiche', 'facility', 'visits', 'facility_code', 'facility_name', 'null', 'facility_code', 'visit_date'),
    ('efiche', 'facility', 'visits', 'referred_to_facility_code', 'null', 'null', 'facility_code', 'visit_date'),
    ('efiche', 'facility', 'lab_orders', 'facility_code', 'facility_name', 'null', 'facility_code', 'ordered_on'),
    ('efiche', 'facility', 'stock_movements', 'facility_code', 'facility_name', 'null', 'facility_code',
     'movement_date'),
    ('efiche', 'facility', 'stock_balances', 'facility_code', 'facility_name', 'null', 'facility_code', 'counted_on'),
    ('efiche', 'diagnosis', 'visit_diagnoses', 'diagnosis_code', 'diagnosis_label', 'null', 'facility_code',
     'visit_date'),
    ('efiche', 'lab_test', 'lab_results', 'test_code', 'test_label', 'null', 'facility_code', 'ordered_on'),
    ('efiche', 'product', 'stock_movements', 'product_code', 'product_label', 'null', 'facility_code', 'movement_date'),
    ('efiche', 'product', 'stock_balances', 'product_code', 'product_label', 'null', 'facility_code', 'counted_on'),
    ('hpemr', 'facility', 'encounters', 'facility_code', 'facility_name', 'district', 'facility_code',
     local_day('started_at')),
    ('hpemr', 'facility', 'referrals', 'facility_code', 'facility_name', 'null', 'facility_code', local_day('sent_at')),
    ('hpemr', 'facility', 'referrals', 'null', 'referred_to_facility_name', 'null', 'facility_code',
     local_day('sent_at')),
    ('hpemr', 'diagnosis', 'encounter_diagnoses', 'diagnosis_code', 'diagnosis_label', 'null', 'facility_code',
     local_day('started_at')),
    ('hpemr', 'diagnosis', 'referrals', 'reason_code', 'reason_label', 'null', 'facility_code', local_day('sent_at')),
    ('hpemr', 'product', 'encounter_treatments', 'product_code', 'product_label', 'null', 'facility_code',
     local_day('started_at')),
    ('ebuzima', 'facility', 'pregnancies', 'facility_code', 'facility_name', 'null', 'facility_code',
     local_day('registered_at')),
    ('ebuzima', 'facility', 'anc_contacts', 'facility_code', 'facility_name', 'null', 'facility_code',
     local_day('encounter_at')),
    ('ebuzima', 'facility', 'deliveries', 'facility_code', 'facility_name', 'null', 'facility_code',
     local_day('delivered_at')),
    ('ebuzima', 'facility', 'newborns', 'facility_code', 'facility_name', 'null', 'facility_code',
     local_day('born_at')),
    ('ebuzima', 'facility', 'postnatal_contacts', 'facility_code', 'facility_name', 'null', 'facility_code',
     local_day('encounter_at')),
    ('cemr', 'facility', 'patients', 'facility_code', 'facility_name', 'facility_district', 'facility_name',
     'registered_on'),
    ('cemr', 'facility', 'community_encounters', 'null', 'facility_name', 'facility_district', 'facility_name',
     'encounter_date'),
    ('cemr', 'diagnosis', 'community_diagnoses', 'diagnosis_code', 'null', 'null', 'facility_name', 'encounter_date'),
    ('cemr', 'product', 'community_treatments', 'product_code', 'null', 'null', 'facility_name', 'encounter_date'),
    ('cemr', 'product', 'community_stock_outs', 'product_code', 'null', 'null', 'facility_name', 'encounter_date'),
    ('idsr', 'facility', 'notifications', 'facility_code', 'facility_name', 'facility_district', 'facility_code',
     'partition_start'),
    ('idsr', 'facility', 'cases', 'facility_code', 'facility_name', 'facility_district', 'facility_code',
     'consultation_date'),
    ('idsr', 'disease', 'notifications', 'disease_code', 'disease_name', 'null', 'facility_code', 'partition_start'),
    ('idsr', 'disease', 'cases', 'disease_code', 'disease_name', 'null', 'facility_code', 'consultation_date')
] -%}
with
{%- for alias, model in imports.items() %}
{# Asked several times, a CTE is computed once with all its columns; few are asked for. #}
{{ alias }} as not materialized (
    select * from {{ ref(model) }}
),
{% endfor %}
-- Words written in place of a code may say anything of a person: those that are a label of a list are kept, others counted.
labels as (
    select distinct {{ plain_letters('part.label') }} as label
    from {{ ref('xwalk_diagnosis') }} as codes
    cross join lateral regexp_split_to_table(codes.source_label, ' / ') as part (label)
),

uses as (
    {%- for system, kind, relation, code, label, district, facility, day in uses %}
    select
        '{{ system }}' as system,
        '{{ kind }}' as kind,
        partition_start,
        {{ code }}::text as source_code,
        {{ label }}::text as source_label,
        {{ district }}::text as source_district,
        {{ facility }}::text as facility,
        {{ day }} as day
    from {{ relation }}
    {%- if code != 'null' and label == 'null' %}
    where {{ code }} is not null
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    offset 0
),

told as (
    select
        uses.system,
        uses.kind,
        date_trunc('month', uses.partition_start)::date as period_start,
        uses.source_code,
        case
            when uses.kind = 'facility' or uses.source_code is not null then uses.source_label
            else coalesce(labels.label, '(other words)')
        end as source_label,
        uses.source_district,
        uses.facility,
        uses.day
    from uses
    left join labels
        on uses.kind <> 'facility' and uses.source_code is null
        and {{ plain_letters('uses.source_label') }} = labels.label
)

select
    period_start,
    system,
    kind,
    source_code,
    source_label,
    source_district,
    facility,
    count(*) as records,
    min(day) as first_day,
    max(day) as last_day
from told
group by period_start, system, kind, source_code, source_label, source_district, facility
