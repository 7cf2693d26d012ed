{# Where a notification of the IDSR system belongs: a lateral relation of one row with a column `place_key`.

   The registry's facility of its code; of several that share the code, the one with its name. Else the code as it came, with
   the name where the code is shared, so that two facilities never pass for one. #}
{% macro place_of_notification(notifications) -%}
  (
    select coalesce(
        case
            when count(*) = 1 then max(names.facility_uid)
            when count(*) filter (where names.name_key = told.name_key) = 1
                then max(names.facility_uid) filter (where names.name_key = told.name_key)
            when count(*) > 1 then concat_ws(' ', {{ notifications }}.facility_code, max(told.name_key))
        end,
        {{ notifications }}.facility_code
    ) as place_key
    from {{ ref('int_facility_name') }} as names
    cross join (select {{ facility_name_key(notifications ~ '.facility_name') }} as name_key) as told
    where names.fosa_code = {{ fosa_code(notifications ~ '.facility_code') }}
)
{%- endmacro %}
