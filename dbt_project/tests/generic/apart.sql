{# Rows of a group do not overlap: each ends before, or where, the next begins. `starts` and `ends` are expressions, the end not
   included and NULL for none. #}
{% test apart(model, group_by, starts, ends) %}
with spans as (
    select
        {{ group_by | join(', ') }},
        {{ starts }} as starts,
        {{ ends }} as ends,
        lead({{ starts }}) over (partition by {{ group_by | join(', ') }} order by {{ starts }}) as next_starts
    from {{ model }}
)

select * from spans
where ends <= starts or (next_starts is not null and coalesce(next_starts < ends, true))
{% endtest %}
