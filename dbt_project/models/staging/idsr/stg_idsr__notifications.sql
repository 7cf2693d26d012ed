select
    {{ clean_key_text('notification_id') }} as notification_id,
    {{ clean_key_text('epi_week') }} as epi_week,
    {{ clean_date('week_start') }} as week_start,
    {{ clean_key_text('facility_code') }} as facility_code,
    {{ clean_text('facility_name') }} as facility_name,
    {{ clean_text('facility_district') }} as facility_district,
    {{ clean_key_text('disease_code') }} as disease_code,
    {{ clean_text('disease_name') }} as disease_name,
    {{ clean_key_text('disease_reporting') }} as disease_reporting,
    {{ clean_boolean('zero_report') }} as zero_report,
    {{ clean_moment('reported_at') }} as reported_at,
    records._partition as partition_start,
    {{ provenance() }}
from {{ standing_rows(source('raw', 'idsr_notifications'), 'notification_id') }} as records
