{# What records said at each time. `record_versions` keeps it, and only staging reads it. #}

{# The versions of records of a kind that were known at as_of. For a state each counts from the first day that shows it
   until the day before the next; for a dated row the first one also counts before. #}
{% macro versions_of(kind) %}
    select
        v.tenant_id, v.record_id, v.record_values as v, v.from_on,
        case when lag(v.from_on) over record is null then date '0001-01-01' else v.from_on end as dated_from_on,
        coalesce(lead(v.from_on) over record, date '9999-01-01') as until_on,
        lead(v.from_on) over record is null as is_last
    from (
        select
            r.tenant_id, r.record_id, r.record_values, r.known_at, r.id,
            case when r.known_at is null then date '0001-01-01' else {{ first_day_from('r.known_at') }} end as from_on
        from {{ source('records', 'record_versions') }} as r
        join {{ ref('stg_practices') }} as p on p.tenant_id = r.tenant_id
        where r.record_kind = '{{ kind }}' and (r.known_at is null or r.known_at <= p.as_of)
    ) as v
    window record as (partition by v.tenant_id, v.record_id order by v.known_at nulls first, v.id)
{% endmacro %}

{# A value of a version. #}
{% macro value(name, type='text') %}(v.v ->> '{{ name }}'){% if type != 'text' %}::{{ type }}{% endif %}{% endmacro %}

{# Rows of a history, each from the day on which it is both in force and known until one set later replaces it: a row
   replaces those set before it from its own day on, also ones planned for a later day. Rows that nobody set came with an
   import, and have been known from the beginning. #}
{% macro history_of(table, columns) %}
    select
        h.tenant_id, h.client_id, {{ columns }}, h.from_on,
        min(h.from_on) over (
            partition by h.tenant_id, h.client_id order by h.set_at, h.id
            rows between 1 following and unbounded following
        ) as until_on
    from (
        select
            r.*,
            case when r.set_by is null then r.effective_on
                else greatest(r.effective_on, {{ first_day_from('r.set_at') }}) end as from_on
        from {{ source('records', table) }} as r
        join {{ ref('stg_practices') }} as p on p.tenant_id = r.tenant_id
        where r.set_by is null or r.set_at <= p.as_of
    ) as h
{% endmacro %}
