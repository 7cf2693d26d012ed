{# Every value of a tracker field fits its column: it casts to the column's type, and where the field is coded it is an
   option of the field's set, as the registry in `options` has it now. Lists the columns with values that do not, and how
   many; such values are in the JSON column as they came. What a column is made from is in its meta. #}
{% test fields_hold(model, options) %}
{%- set fields = columns_meta(model) -%}
{%- set document = 'attributes' if model.identifier.endswith('tracked_entities') else 'data_values' -%}
with typed as (
    select fields.column_name, count(*) as records
    from {{ model }} as records
    cross join lateral (
        values
        {%- for name, meta in fields.items() if meta.get('cast') not in (none, 'key', 'text') %}
        ('{{ name }}', records.{{ document }} ->> '{{ meta["dhis2"] }}', records.{{ name }} is null),
        {%- endfor %}
        (null, null, false)
    ) as fields (column_name, value_text, is_lost)
    where fields.is_lost and btrim(fields.value_text) <> ''
    group by fields.column_name
),

coded as (
    select fields.column_name, fields.option_set_uid, fields.code, count(*) as records
    from {{ model }} as records
    cross join lateral (
        values
        {%- for name, meta in fields.items() if meta.get('option_set') %}
        ('{{ name }}', '{{ meta["option_set"] }}', records.{{ name }}),
        {%- endfor %}
        (null, null, null)
    ) as fields (column_name, option_set_uid, code)
    where fields.code is not null
    group by fields.column_name, fields.option_set_uid, fields.code
)

select column_name, 'does not fit the type' as problem, records from typed
union all
select coded.column_name, 'is no option of the set', sum(coded.records)
from coded
left join {{ options }} as known
    on coded.option_set_uid = known.option_set_uid and coded.code = known.code
where known.code is null
group by coded.column_name
{% endtest %}
